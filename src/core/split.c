#include "core/split.h"

#include <stdlib.h>
#include <sysexits.h>

#include "core/direction.h"
#include "core/explain.h"
#include "core/pass.h"
#include "core/quoted.h"
#include "core/refusal.h"
#include "core/roundtrip.h"
#include "core/slice.h"
#include "core/trace.h"
#include "delivery/report.h"
#include "incoming/incoming.h"
#include "incoming/misreturned.h"
#include "incoming/returned.h"
#include "outgoing/outgoing.h"
#include "util/log.h"

struct split { /* the recipients by what happens to them */
    struct strlist outgoing, incoming, internal, refused;
    struct strlist returned, stripped, astray; /* MODE=gateway: from the virus scanner */
    bool forged;                               /* claims to be one that was handed to it */
};

static void split_free(struct split *split)
{
    strlist_free(&split->outgoing);
    strlist_free(&split->incoming);
    strlist_free(&split->internal);
    strlist_free(&split->refused);
    strlist_free(&split->returned);
    strlist_free(&split->stripped);
    strlist_free(&split->astray);
}

/* From the virus scanner: what goes on its own way, and what of the mail on its round trip. */
static enum direction scanned(enum roundtrip roundtrip, enum direction direction)
{
    bool inside = direction == DIRECTION_INTERNAL;
    if (roundtrip == ROUNDTRIP_RETURN)
        return inside ? DIRECTION_RETURN : DIRECTION_ASTRAY;
    return roundtrip == ROUNDTRIP_STRIPPED && inside ? DIRECTION_STRIPPED : direction;
}

static struct strlist *part_for(struct split *split, enum direction direction, bool inside)
{
    switch (direction) {
    case DIRECTION_REFUSED:
        return &split->refused;
    case DIRECTION_INCOMING:
        return &split->incoming;
    case DIRECTION_RETURN:
        return &split->returned;
    case DIRECTION_STRIPPED:
        return &split->stripped;
    case DIRECTION_ASTRAY:
        return &split->astray;
    default:
        return inside ? &split->internal : &split->outgoing;
    }
}

static void trace_client(const struct direction_client *client)
{
    char text[NETWORK_ADDRESS_TEXT] = "local";
    if (!client->local)
        network_address_text(&client->address, text);
    trace_add(TRACE_CLIENT, text);
}

static void split_recipients(const struct message *message, const struct direction_client *client,
                             struct split *split)
{
    const struct strlist *recipients = &message->envelope.recipients;
    enum roundtrip roundtrip = roundtrip_of(message, client);
    split->forged = roundtrip_forged(message, client);
    trace_client(client);
    for (size_t i = 0; i < recipients->count; i++) {
        const char *recipient = recipients->items[i];
        enum direction direction = direction_of(message->config, client, message->envelope.sender, recipient);
        direction = scanned(roundtrip, direction);
        strlist_add(part_for(split, direction, direction_recipient_internal(message->config, recipient)),
                    recipient);
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
    if (split->incoming.count + split->returned.count + split->stripped.count + split->astray.count > 0) {
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
    if (split->refused.count == 0)
        return;
    log_event(LOG_LEVEL_WARNING, "refused", "client", message->envelope.client, "text", text, (char *)NULL);
    if (split->refused.count == message->envelope.recipients.count) {
        outcome_permanent(outcome, EX_NOPERM, "5.7.1", "%s", text);
        return;
    }
    char *names = strlist_join(&split->refused, ", ");
    report_admin(message, journal, "relaying", "RECIPIENTS", names, "CLIENT", message->envelope.client,
                 (char *)NULL);
    free(names);
}

/* From the virus scanner. */
static void run_scanned(const struct message *message, struct journal *journal, const struct split *split,
                        struct buf *explain, struct outcome *outcome)
{
    struct outcome part;
    outcome_done(&part);
    if (split->returned.count > 0)
        returned_run(message, journal, &split->returned, explain, &part);
    outcome_merge(outcome, &part);
    outcome_done(&part);
    if (split->stripped.count > 0)
        misreturned_refuse(message, journal, "fields-missing", &split->stripped, explain, &part);
    if (split->astray.count > 0)
        misreturned_refuse(message, journal, "astray", &split->astray, explain, &part);
    outcome_merge(outcome, &part);
}

static void run_split(struct message *message, struct journal *journal, const struct split *split,
                      struct outcome *outcome)
{
    struct outcome part;
    run_scanned(message, journal, split, NULL, outcome);
    if (split->internal.count > 0) {
        outcome_done(&part);
        pass_run(message, journal, CONFIG_TARGET_INTERNAL, &split->internal, "internal", &part);
        outcome_merge(outcome, &part);
    }
    if (split->outgoing.count > 0) {
        outcome_done(&part);
        if (quoted_clean(message, &part))
            slice_each(message, journal, &split->outgoing, NULL, outgoing_run, &part);
        outcome_merge(outcome, &part);
    }
    if (split->incoming.count > 0) {
        outcome_done(&part);
        if (message->config->engine == CONFIG_ENGINE_PASS)
            pass_run(message, journal, config_incoming_target(message->config), &split->incoming, "incoming",
                     &part);
        else
            slice_each(message, journal, &split->incoming, NULL, incoming_run, &part);
        outcome_merge(outcome, &part);
    }
    outcome_done(&part);
    refuse_relaying(message, journal, split, &part);
    outcome_merge(outcome, &part);
    if (split->forged)
        report_admin(message, journal, "hold-forged", (char *)NULL);
}

static void explain_split(struct message *message, const struct split *split, struct buf *out,
                          struct outcome *outcome)
{
    run_scanned(message, NULL, split, out, outcome);
    if (split->internal.count > 0)
        explain_plain("internal", config_target_name(CONFIG_TARGET_INTERNAL), &split->internal, NULL, out);
    if (split->outgoing.count > 0 && quoted_clean(message, outcome))
        slice_each(message, NULL, &split->outgoing, out, outgoing_run, outcome);
    if (split->incoming.count > 0 && message->config->engine == CONFIG_ENGINE_PASS)
        explain_plain("incoming", config_target_name(config_incoming_target(message->config)),
                      &split->incoming, NULL, out);
    else if (split->incoming.count > 0)
        slice_each(message, NULL, &split->incoming, out, incoming_run, outcome);
    if (split->refused.count > 0)
        explain_plain("refused", NULL, &split->refused,
                      "5.7.1 neither the client nor the recipient is internal", out);
}

static void deliver_split(struct message *message, const struct split *split, struct buf *explain,
                          struct outcome *outcome)
{
    struct journal *journal = NULL;
    message_modules_open(message);
    if (explain != NULL) {
        if (hops_allowed(message, NULL, split, outcome))
            explain_split(message, split, explain, outcome);
    } else if ((journal = journal_open(message, outcome)) != NULL) {
        if (hops_allowed(message, journal, split, outcome))
            run_split(message, journal, split, outcome);
        journal_close(journal);
    }
}

/* The virus scanner's notice: it ends here, whomever it is for. */
static void deliver_refusal(const struct message *message, const struct refusal *refusal, struct buf *explain,
                            struct outcome *outcome)
{
    struct journal *journal = NULL;
    trace_add(TRACE_DIRECTION, direction_name(DIRECTION_REFUSAL));
    if (explain != NULL) {
        explain_plain(direction_name(DIRECTION_REFUSAL), "admin", &message->envelope.recipients, NULL,
                      explain);
        explain_note(explain, "the virus scanner's notice about incoming mail: only ADMIN hears of it");
    } else if ((journal = journal_open(message, outcome)) != NULL) {
        refusal_run(message, journal, refusal, outcome);
        journal_close(journal);
    }
}

void split_run(struct message *message, struct buf *explain, struct outcome *outcome)
{
    struct direction_client client;
    struct refusal refusal;
    struct split split = {0};
    if (!direction_client_find(message, &client, outcome))
        return;
    if (refusal_read(&refusal, message, &client, outcome)) {
        deliver_refusal(message, &refusal, explain, outcome);
        refusal_free(&refusal);
    } else if (outcome->kind == OUTCOME_DONE) {
        split_recipients(message, &client, &split);
        deliver_split(message, &split, explain, outcome);
        split_free(&split);
    }
}
