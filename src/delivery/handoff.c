#include "delivery/handoff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delivery/handoff_argv.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/process.h"

#define OUTPUT_KEPT 4096 /* of what the command says; the first line is logged */

static void describe_end(const struct process_result *result, char *text, size_t size)
{
    switch (result->end) {
    case PROCESS_EXITED:
        snprintf(text, size, "exit status %d", result->code);
        break;
    case PROCESS_SIGNALLED:
        snprintf(text, size, "signal %d", result->code);
        break;
    case PROCESS_TIMEOUT:
        snprintf(text, size, "no end within the time limit");
        break;
    case PROCESS_NOT_STARTED:
        snprintf(text, size, "not started: %s", strerror(result->code));
        break;
    }
}

static void log_handoff(const struct handoff *handoff, const struct strlist *recipients, bool taken,
                        const char *end, struct buf *output)
{
    const char *said = buf_text(output);
    struct buf scratch = {0};
    char *names = log_addresses(recipients);

    if (output->data != NULL)
        output->data[strcspn(output->data, "\r\n")] = '\0';
    log_event(taken ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "handoff", "target",
              config_target_name(handoff->target), "sender",
              handoff->sender[0] != '\0' ? log_address(&scratch, handoff->sender) : "<>", "recipients", names,
              "how", handoff->how, "result", taken ? "taken" : "failed", "end", taken ? NULL : end, "said",
              *said != '\0' ? said : NULL, (char *)NULL);
    buf_free(&scratch);
    free(names);
}

static void run_argv(const struct handoff *handoff, const struct strlist *argv, deadline until,
                     struct buf *output, struct process_result *result)
{
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", NULL};
    const struct process_spec spec = {
        .argv = argv->items, .env = environment, .stdin_fd = handoff->fd, .dies_with_us = true};

    if (lseek(handoff->fd, (off_t)handoff->start, SEEK_SET) < 0)
        *result = (struct process_result){PROCESS_NOT_STARTED, errno};
    else
        process_run(&spec, until, output, OUTPUT_KEPT, result);
}

bool handoff_command(const struct message *message, const struct handoff *handoff,
                     const struct strlist *recipients, deadline until, struct outcome *outcome)
{
    struct strlist argv = {0};
    struct buf output = {0};
    struct process_result result;
    char end[100];
    bool taken = false;

    if (message->config->targets[handoff->target].count == 0) {
        outcome_temporary(outcome, "4.3.5", "no command is configured for the target %s",
                          config_target_name(handoff->target));
    } else if (handoff_argv(message, handoff, recipients, &argv, outcome)) {
        run_argv(handoff, &argv, until, &output, &result);
        taken = result.end == PROCESS_EXITED && result.code == 0;
        describe_end(&result, end, sizeof(end));
        log_handoff(handoff, recipients, taken, end, &output);
        if (!taken)
            outcome_temporary(outcome, "4.3.0", "the command of the target %s failed: %s",
                              config_target_name(handoff->target), end);
    }
    strlist_free(&argv);
    buf_free(&output);
    return taken;
}

static char *entry_of(const char *recipient)
{
    return mem_printf("deliver:%s", recipient);
}

void handoff_claim(struct journal *journal, const struct strlist *recipients, struct strlist *claimed,
                   struct strlist *before, struct outcome *outcome)
{
    for (size_t i = 0; i < recipients->count; i++) {
        const char *recipient = recipients->items[i];
        char *entry = entry_of(recipient);

        switch (journal != NULL ? journal_claim(journal, entry) : JOURNAL_CLAIMED) {
        case JOURNAL_CLAIMED:
            strlist_add(claimed, recipient);
            break;
        case JOURNAL_DONE_BEFORE:
            if (before != NULL)
                strlist_add(before, recipient);
            break;
        case JOURNAL_BUSY:
            outcome_temporary(outcome, "4.3.0",
                              "another run is delivering this message to a recipient right now");
            break;
        case JOURNAL_FAILED:
            outcome_temporary(outcome, "4.3.1", "the journal cannot be used: %s", strerror(errno));
            break;
        }
        free(entry);
    }
}

void handoff_note(struct journal *journal, const struct strlist *recipients, const char *how)
{
    struct strlist entries = {0};

    for (size_t i = 0; i < recipients->count; i++)
        strlist_add_take(&entries, entry_of(recipients->items[i]));
    if (journal_done_all(journal, &entries, how) != 0)
        log_event(LOG_LEVEL_ERROR, "journal", "text", "a hand-off could not be noted and may happen again",
                  "fault", strerror(errno), (char *)NULL);
    strlist_free(&entries);
}

size_t handoff_run(const struct message *message, struct journal *journal, const struct handoff *handoff,
                   struct outcome *outcome)
{
    struct strlist claimed = {0}, before = {0};
    size_t taken = 0;

    handoff_claim(journal, handoff->recipients, &claimed, &before, outcome);
    if (before.count > 0) {
        char *names = log_addresses(&before);

        log_event(LOG_LEVEL_INFO, "handoff", "target", config_target_name(handoff->target), "recipients",
                  names, "result", "done-before", (char *)NULL);
        free(names);
    }
    if (claimed.count > 0 && handoff_command(message, handoff, &claimed, message->until, outcome)) {
        handoff_note(journal, &claimed, handoff->how);
        taken = claimed.count;
    }
    strlist_free(&claimed);
    strlist_free(&before);
    return taken;
}
