#include "core/giveup.h"

#include <time.h>

#include "core/ask.h"

bool giveup_time(const struct message *message, const struct journal *journal)
{
    long long age = (long long)time(NULL) - journal_first_seen(journal);

    return journal != NULL && age >= 0 && (uint64_t)age >= message->config->give_up;
}

bool giveup_runs(const struct message *message, const struct journal *journal)
{
    return journal_broken_runs(journal) >= GIVEUP_RUNS && giveup_time(message, journal);
}

bool giveup_module(const struct message *message, const struct journal *journal)
{
    struct call_answer answer = {0};
    bool alive = false;

    if (giveup_time(message, journal)) {
        ask_hello(message->smime, &answer);
        alive = answer.status == ANSWER_OK;
        call_answer_free(&answer);
    }
    return alive;
}
