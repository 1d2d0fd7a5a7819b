#include "core/split.h"

#include <sysexits.h>

#include "core/direction.h"
#include "core/explain.h"
#include "core/pass.h"
#include "core/quoted.h"
#include "core/trace.h"
#include "delivery/report.h"
#include "incoming/incoming.h"
#include "outgoing/outgoing.h"
#include "util/log.h"

struct split { /* the recipients by what happens to them */
    struct strlist outgoing, incoming, internal, refused;
};

static void split_free(struct split *split)
{
    strlist_free(&split->outgoing);
    strlist_free(&split->incoming);
    strlist_free(&split->internal);
    strlist_free(&split->refused);
}

static void split_recipients(const struct message *message, const struct direction_client *client,
                             struct split *split)
{
    const struct strlist *recipients = &message->envelope.recipients;
    for (size_t i = 0; i < recipients->count; i++) {
        const char *recipient = recipients->items[i];
        enum direction direction = direction_of(message->config, client, message->envelope.sender, recipient);
        bool inside = direction_recipient_internal(message->config, recipient);
        if (direction == DIRECTION_REFUSED)
            strlist_add(&split->refused, recipient);
        else if (direction == DIRECTION_INCOMING)
            strlist_add(&split->incoming, recipient);
        else
            strlist_add(inside ? &split->internal : &split->outgoing, recipient);
        trace_add(TRACE_DIRECTION, direction_name(direction));
    }
}

/* A loop: refused where the sender is ours, kept where it is not. false: nothing more is to be done. */
static bool hops_allowed(const struct message *message, struct journal *journal, const struct split *split,
                         struct outcome *outcome)
{
    size_t hops = direction_hops(message);
    if (hops <= DIRECTION_HOPS_MAX)
        return true;
    if (split->incoming.count > 0) {
        outcome_temporary(outcome, "4.4.6", "%zu Received fields: the message goes round in a loop", hops);
        if (journal != NULL)
            report_admin(message, journal, "too-many-hops", (char *)NULL);
    } else {
        outcome_permanent(outcome, EX_UNAVAILABLE, "5.4.6",
                          "%zu Received fields: the message goes round in a loop", hops);
    }
    return false;
}

/* No open relay. When nobody else gets the message the exit status says it; else it would bounce the others
   too, so only ADMIN is told (an MTA that is set up well refuses such recipients itself). */
static void refuse_relaying(const struct message *message, struct journal *journal, const struct split *split,
                            struct outcome *outcome)
{
    static const char text[] = "relaying is refused: neither is the client internal nor the recipient";
    struct buf names = {0};
    if (split->refused.count == 0)
        return;
    log_event(LOG_LEVEL_WARNING, "refused", "client", message->envelope.client, "text", text, (char *)NULL);
    if (split->refused.count == message->envelope.recipients.count) {
        outcome_permanent(outcome, EX_NOPERM, "5.7.1", "%s", text);
        return;
    }
    for (size_t i = 0; i < split->refused.count; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", split->refused.items[i]);
    report_admin(message, journal, "relaying", "RECIPIENTS", buf_text(&names), "CLIENT",
                 message->envelope.client, (char *)NULL);
    buf_free(&names);
}

/* Each part reports into an outcome of its own, so that one fault does not stop the others. */
static void merge(struct outcome *outcome, const struct outcome *part)
{
    if (part->kind == OUTCOME_TEMPORARY)
        outcome_temporary(outcome, part->dsn, "%s", part->text);
    else if (part->kind == OUTCOME_PERMANENT)
        outcome_permanent(outcome, part->exit_code, part->dsn, "%s", part->text);
}

static void run_split(struct message *message, struct journal *journal, const struct split *split,
                      struct outcome *outcome)
{
    struct outcome part;
    if (split->internal.count > 0) {
        outcome_done(&part);
        pass_run(message, journal, CONFIG_TARGET_INTERNAL, &split->internal, "internal", &part);
        merge(outcome, &part);
    }
    if (split->outgoing.count > 0) {
        outcome_done(&part);
        if (quoted_clean(message, &part))
            outgoing_run(message, journal, &split->outgoing, NULL, &part);
        merge(outcome, &part);
    }
    if (split->incoming.count > 0) {
        outcome_done(&part);
        if (message->config->engine == CONFIG_ENGINE_PASS)
            pass_run(message, journal, CONFIG_TARGET_INTERNAL, &split->incoming, "incoming", &part);
        else
            incoming_run(message, journal, &split->incoming, NULL, &part);
        merge(outcome, &part);
    }
    outcome_done(&part);
    refuse_relaying(message, journal, split, &part);
    merge(outcome, &part);
}

static void explain_split(struct message *message, const struct split *split, struct buf *out,
                          struct outcome *outcome)
{
    const char *internal = config_target_name(CONFIG_TARGET_INTERNAL);
    if (split->internal.count > 0)
        explain_plain("internal", internal, &split->internal, NULL, out);
    if (split->outgoing.count > 0 && quoted_clean(message, outcome))
        outgoing_run(message, NULL, &split->outgoing, out, outcome);
    if (split->incoming.count > 0 && message->config->engine == CONFIG_ENGINE_PASS)
        explain_plain("incoming", internal, &split->incoming, NULL, out);
    else if (split->incoming.count > 0)
        incoming_run(message, NULL, &split->incoming, out, outcome);
    if (split->refused.count > 0)
        explain_plain("refused", NULL, &split->refused,
                      "5.7.1 neither the client nor the recipient is internal", out);
}

static bool recipients_allowed(const struct message *message, struct outcome *outcome)
{
    if (message->envelope.recipients.count <= message->config->max_recipients)
        return true;
    outcome_permanent(outcome, EX_UNAVAILABLE, "5.5.3",
                      "more recipients in one call than MAX_RECIPIENTS (%llu)",
                      (unsigned long long)message->config->max_recipients);
    return false;
}

void split_run(struct message *message, struct buf *explain, struct outcome *outcome)
{
    struct direction_client client;
    struct split split = {0};
    struct journal *journal = NULL;
    if (!recipients_allowed(message, outcome) || !direction_client_find(message, &client, outcome))
        return;
    split_recipients(message, &client, &split);
    message_modules_open(message);
    if (explain != NULL) {
        if (hops_allowed(message, NULL, &split, outcome))
            explain_split(message, &split, explain, outcome);
    } else if ((journal = journal_open(message, outcome)) != NULL) {
        if (hops_allowed(message, journal, &split, outcome))
            run_split(message, journal, &split, outcome);
        journal_close(journal);
    }
    split_free(&split);
}
