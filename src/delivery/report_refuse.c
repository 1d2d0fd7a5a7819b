#include <stdlib.h>
#include <string.h>

#include "delivery/handoff.h"
#include "delivery/report_private.h"
#include "util/log.h"
#include "util/mem.h"

static void list_addresses(const struct report_recipient *recipients, size_t count, struct strlist *all)
{
    for (size_t i = 0; i < count; i++)
        strlist_add(all, recipients[i].address);
}

static void note_refused(struct journal *journal, const struct report_recipient *recipients, size_t count)
{
    struct strlist all = {0};

    list_addresses(recipients, count, &all);
    handoff_note(journal, &all, "refused");
    strlist_free(&all);
}

void report_refuse(const struct message *message, struct journal *journal,
                   const struct report_recipient *recipients, size_t count, struct outcome *outcome)
{
    struct outcome own;

    outcome_done(&own);
    if (count > 0)
        report_undelivered(message, journal, recipients, count, &own);
    if (own.kind == OUTCOME_DONE)
        note_refused(journal, recipients, count);
    outcome_merge(outcome, &own);
}

/* Why a sender who may be told hears nothing all the same; NULL: he does. */
static const char *held_back(const struct message *message)
{
    const char *sender = message->envelope.sender;

    if (report_unanswerable(message) != NULL)
        return NULL; /* report_undelivered() knows */
    if (report_is_inside(message->config, sender))
        return "its sender is inside, it came from outside";
    return report_sender_allow(message) ? NULL : "too many reports within an hour";
}

/* Those in `recipients` who are claimed: `todo_r` has room for all. */
static size_t claim(struct journal *journal, const struct report_recipient *recipients, size_t count,
                    struct report_recipient *todo_r, struct outcome *outcome)
{
    struct strlist all = {0}, claimed = {0};
    size_t found = 0;

    list_addresses(recipients, count, &all);
    handoff_claim(journal, &all, &claimed, NULL, outcome);
    for (size_t i = 0; i < count; i++)
        if (strlist_has(&claimed, recipients[i].address))
            todo_r[found++] = recipients[i];
    strlist_free(&claimed);
    strlist_free(&all);
    return found;
}

size_t report_refuse_incoming(const struct message *message, struct journal *journal,
                              const struct report_recipient *recipients, size_t count,
                              struct outcome *outcome)
{
    struct report_recipient *todo = mem_array(count + 1, sizeof(*todo));
    size_t found = claim(journal, recipients, count, todo, outcome);
    const char *why = found > 0 ? held_back(message) : NULL;
    struct outcome own;

    outcome_done(&own);
    if (why != NULL) {
        log_event(LOG_LEVEL_WARNING, "undelivered", "reason", todo[0].reason, "report", "held-back", "why",
                  why, (char *)NULL);
        note_refused(journal, todo, found);
    } else {
        report_refuse(message, journal, todo, found, &own);
    }
    if (own.kind != OUTCOME_DONE)
        found = 0;
    outcome_merge(outcome, &own);
    free(todo);
    return found;
}
