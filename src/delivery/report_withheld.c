#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/report_private.h"
#include "util/log.h"
#include "util/mem.h"

#define NOTE_TIME_MS (30 * 1000) /* as for notices to ADMIN */

static bool send_note(const struct message *message, const char *recipient, const char *sender,
                      const char *message_id)
{
    const struct config *config = message->config;
    const char *const pairs[] = {"RECIPIENT",  recipient,
                                 "SENDER",     *sender != '\0' ? sender : "<>",
                                 "MESSAGE_ID", message_id,
                                 "ADMIN",      config->admin,
                                 "QUEUE_ID",   message->envelope.queue_id,
                                 "MYHOSTNAME", config->myhostname,
                                 NULL};
    char *text = report_template(config->templates, config->language, "withheld", pairs);
    struct report_mail mail = {.to = recipient,
                               .target = CONFIG_TARGET_INTERNAL,
                               .auto_submitted = "auto-generated",
                               .text = text,
                               .kind = "withheld"};
    struct outcome outcome;
    bool taken;

    outcome_done(&outcome);
    taken = report_send(message, &mail, deadline_min(message->until, deadline_in(NOTE_TIME_MS)), &outcome);
    free(text);
    return taken;
}

bool report_withheld(const struct message *message, struct journal *journal, const char *recipient,
                     const char *sender, const char *message_id)
{
    char *entry = mem_printf("report:withheld:%s", recipient);
    enum journal_claim claim = journal_claim(journal, entry);
    bool told = claim == JOURNAL_DONE_BEFORE;

    if (claim == JOURNAL_CLAIMED) {
        told = send_note(message, recipient, sender, message_id);
        if (told && journal_done(journal, entry, "sent") != 0)
            log_event(LOG_LEVEL_ERROR, "journal", "text", "a note could not be noted and may be sent again",
                      "fault", strerror(errno), (char *)NULL);
    }
    free(entry);
    return told;
}
