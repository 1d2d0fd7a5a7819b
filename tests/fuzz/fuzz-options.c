/* The command line that an MTA makes of what strangers said to it, and the one that julia makes of that for
   the next MTA: nothing in it can be taken for an option, a program or a file. NUL stands between the
   arguments. */
#include <ctype.h>
#include <string.h>

#include "core/options.h"
#include "delivery/handoff_argv.h"
#include "mail/address.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_message.h"
#include "util/mem.h"

#define ARGUMENTS_MAX 100

static void check_text(const struct outcome *outcome)
{
    for (const char *p = outcome->text; *p != '\0'; p++)
        FUZZ_HOLDS((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void check_command(const struct strlist *argv, const struct strlist *recipients)
{
    size_t options = 0;

    while (strcmp(argv->items[options], "--") != 0)
        options++;
    FUZZ_HOLDS(argv->count - options - 1 == recipients->count);
    for (size_t i = 0; i < argv->count; i++)
        FUZZ_HOLDS(strpbrk(argv->items[i], "\r\n") == NULL);
    for (size_t i = 1; i + 1 < options; i++) /* what belongs to an option */
        if (strcmp(argv->items[i], "-f") == 0 || strcmp(argv->items[i], "-V") == 0) {
            FUZZ_HOLDS(argv->items[i][1] != 'f' || argv->items[i + 1][0] != '-');
            i++;
        }
    for (size_t i = options + 1; i < argv->count; i++)
        FUZZ_HOLDS(argv->items[i][0] != '-' &&
                   (strchr(argv->items[i], '@') != NULL || isalnum((unsigned char)argv->items[i][0])));
}

static void hand_off(const struct message_envelope *envelope)
{
    static char sendmail[] = "/usr/sbin/sendmail";
    static char *words[] = {sendmail, NULL};
    struct config config = *fuzz_config();
    struct message message = {.config = &config, .envelope = *envelope, .fd = -1};
    struct handoff handoff = {.sender = envelope->sender != NULL ? envelope->sender : ""};
    struct strlist argv = {0};
    struct outcome outcome;

    config.targets[handoff.target] = (struct strlist){words, 1};
    outcome_done(&outcome);
    if (handoff_argv(&message, &handoff, &envelope->recipients, &argv, &outcome))
        check_command(&argv, &envelope->recipients);
    check_text(&outcome);
    strlist_free(&argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char program[] = "julia";
    char *text = mem_dup(data, size), *argv[ARGUMENTS_MAX + 2] = {program};
    struct options options = {0};
    struct outcome outcome;
    int argc = 1;

    for (char *p = text; p < text + size && argc <= ARGUMENTS_MAX; p += strlen(p) + 1)
        argv[argc++] = p;
    outcome_done(&outcome);
    if (options_parse(&options, argc, argv, &outcome)) {
        const struct message_envelope *envelope = &options.envelope;

        FUZZ_HOLDS(outcome.kind == OUTCOME_DONE);
        for (size_t i = 0; i < envelope->recipients.count; i++)
            FUZZ_HOLDS(address_valid(envelope->recipients.items[i], true));
        hand_off(envelope);
    }
    check_text(&outcome);
    options_free(&options);
    free(text);
    return 0;
}
