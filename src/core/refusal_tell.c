#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/refusal.h"
#include "core/trace.h"
#include "delivery/hold.h"
#include "delivery/report.h"
#include "util/log.h"

struct telling {
    const struct message *message;
    struct journal *journal;
    const struct refusal *refusal;
    struct hold *hold; /* NULL: none, or not known any more */
    struct outcome *outcome;
};

/* The notice is addressed to the sender of what was refused. */
static const char *sender_of(const struct telling *t)
{
    return t->hold != NULL ? hold_record(t->hold)->sender : t->message->envelope.recipients.items[0];
}

static const struct strlist *recipients_of(const struct telling *t)
{
    if (t->refusal->recipients.count == 0 && t->hold != NULL)
        return &hold_record(t->hold)->recipients;
    return &t->refusal->recipients;
}

static const char *message_id_of(const struct telling *t)
{
    if (t->hold != NULL && hold_record(t->hold)->message_id != NULL)
        return hold_record(t->hold)->message_id;
    return t->refusal->message_id;
}

/* The original may never be delivered any more: nothing else may happen before that is on disk. */
static bool refuse_hold(const struct telling *t)
{
    const char *words = t->refusal->words != NULL ? t->refusal->words : "refused";

    if (t->hold == NULL || !t->refusal->content || hold_state(t->hold) == HOLD_GONE)
        return true;
    if (hold_refuse(t->hold, words) == 0)
        return true;
    outcome_temporary(t->outcome, "4.3.1", "HOLD_DIR: %s", strerror(errno));
    return false;
}

static void tell_admin(const struct telling *t)
{
    const struct strlist *recipients = recipients_of(t);
    const char *kind = t->refusal->content ? "infected" : "not-scanned", *sender = sender_of(t);
    struct buf scratch = {0};
    char *names = strlist_join(recipients, ", "), *logged = log_addresses(recipients);
    bool told;

    log_event(LOG_LEVEL_WARNING, "refusal", "kind", kind, "hold",
              t->refusal->hold != NULL ? t->refusal->hold : "none", "sender",
              *sender != '\0' ? log_address(&scratch, sender) : "<>", "recipients", logged, "message-id",
              message_id_of(t), "status", t->refusal->status, "said", t->refusal->words, (char *)NULL);
    told = report_admin(t->message, t->journal, kind, "SENDER", *sender != '\0' ? sender : "<>", "RECIPIENTS",
                        names, "MESSAGE_ID", message_id_of(t), "HOLD", t->refusal->hold, "STATUS",
                        t->refusal->status, "WORDS", t->refusal->words, (char *)NULL);
    if (!told)
        outcome_temporary(t->outcome, "4.3.0", "ADMIN could not be told that the scanner refused a message");
    free(names);
    free(logged);
    buf_free(&scratch);
}

static void tell_recipients(const struct telling *t)
{
    const struct strlist *recipients = recipients_of(t);

    if (!t->refusal->content || t->message->config->scanner_notice != CONFIG_SCANNER_NOTICE_RECIPIENT)
        return;
    for (size_t i = 0; i < recipients->count; i++)
        if (!report_withheld(t->message, t->journal, recipients->items[i], sender_of(t), message_id_of(t)))
            outcome_temporary(t->outcome, "4.3.0", "a recipient could not be told that mail was withheld");
}

void refusal_run(const struct message *message, struct journal *journal, const struct refusal *refusal,
                 struct outcome *outcome)
{
    struct message discreet = *message; /* whose Subject may quote that of the mail */
    struct telling t = {.message = &discreet, .journal = journal, .refusal = refusal, .outcome = outcome};
    struct hold_store *store = refusal->hold != NULL ? hold_store_open(message->config, outcome) : NULL;

    discreet.subject_hidden = true;
    if (store != NULL)
        hold_open(store, refusal->hold, &t.hold, outcome);
    if (outcome->kind == OUTCOME_DONE && refuse_hold(&t)) {
        tell_admin(&t);
        tell_recipients(&t);
    }
    trace_add(TRACE_TARGET, "admin");
    hold_close(t.hold);
    hold_store_close(store);
}
