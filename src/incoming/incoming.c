#include "incoming/incoming.h"

#include <stdlib.h>
#include <string.h>

#include "core/explain.h"
#include "core/giveup.h"
#include "core/pass.h"
#include "delivery/report.h"
#include "incoming/deliver.h"
#include "incoming/demand_tell.h"
#include "incoming/finding.h"
#include "incoming/handover.h"
#include "incoming/harvest.h"
#include "incoming/reencrypt.h"
#include "incoming/signerstatus.h"
#include "incoming/unwrap.h"
#include "util/log.h"
#include "util/mem.h"

struct incoming {
    struct message *message;
    struct journal *journal;
    const struct strlist *recipients;
    struct buf *explain;
    struct demand demand;
    struct unwrap unwrap;
    struct deliver *deliveries;
    size_t count;
    struct handover *handovers; /* MODE=gateway: one for each delivery */
    size_t handover_count;
};

static bool to_scanner(const struct incoming *in)
{
    return in->message->config->mode == CONFIG_MODE_GATEWAY;
}

/* The virus scanner gets what it can look into; the form that DELIVER wants comes when it has. */
static enum deliver_form form_of(const struct incoming *in)
{
    bool original = in->message->config->deliver == CONFIG_DELIVER_ORIGINAL;

    if (original)
        return to_scanner(in) ? DELIVER_TO_LOOK_AT : DELIVER_AS_IT_CAME;
    return DELIVER_OPENED;
}

static bool refused(const struct deliver *deliver)
{
    return deliver->demand.end == DEMAND_REFUSED;
}

/* One strand: judged, then written unless nobody gets it. */
static bool prepare_one(struct incoming *in, const struct unwrap_strand *strand, bool write,
                        struct outcome *outcome)
{
    struct deliver *deliver = mem_push(&in->deliveries, &in->count, sizeof(*deliver));
    struct handover *handover = NULL;

    if (to_scanner(in)) {
        handover = mem_push(&in->handovers, &in->handover_count, sizeof(*handover));
        *handover = (struct handover){.original.fd = -1};
    }
    if (!deliver_judge(deliver, in->message, strand, form_of(in), outcome))
        return false;
    demand_judge(&deliver->demand, &in->demand, &in->unwrap, strand, &deliver->status,
                 protected_from(&deliver->protected));
    if (refused(deliver))
        return true;
    return (handover == NULL || handover_prepare(handover, in->message, deliver, write, outcome)) &&
           (!write || deliver_write(deliver, in->message, outcome));
}

/* Every strand with recipients is judged, then written, before anything is handed off: a fault in one keeps
 * all. */
static bool prepare(struct incoming *in, struct outcome *outcome)
{
    const struct config *config = in->message->config;
    bool anew = config->deliver == CONFIG_DELIVER_REENCRYPT; /* -explain looks at the finished message, too */
    bool write = config->engine == CONFIG_ENGINE_WORK && (in->explain == NULL || anew);

    for (size_t i = 0; i < in->unwrap.strand_count; i++)
        if (in->unwrap.strands[i].recipients.count > 0 &&
            !prepare_one(in, &in->unwrap.strands[i], write, outcome))
            return false;
    return true;
}

/* ADMIN is told once a message what went wrong; the sender never. */
static void notify(const struct incoming *in, const struct deliver *deliver)
{
    const struct status *status = &deliver->status;
    const char *recipient = deliver->strand->recipients.items[0];
    const char *kinds[] = {status->encryption == STATUS_UNDECRYPTABLE ? "undecryptable" : NULL,
                           status->encryption == STATUS_ENCRYPTION_UNSUPPORTED ? "unsupported" : NULL,
                           status->signature == STATUS_INVALID ? "forged" : NULL};
    bool told = false;

    for (size_t i = 0; !refused(deliver) && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i] != NULL) {
            report_admin(in->message, in->journal, kinds[i], "RECIPIENT", recipient, (char *)NULL);
            told = true;
        }
    if (!told)
        demand_notify(&deliver->demand, in->message, in->journal, &deliver->strand->recipients);
}

/* SMIME_ENGINE=1: what was found is logged, the message goes as it came. */
static void rehearse(struct incoming *in, struct outcome *outcome)
{
    size_t taken = pass_run(in->message, in->journal, config_incoming_target(in->message->config),
                            in->recipients, "rehearsal", outcome);

    for (size_t i = 0; i < in->count; i++) {
        deliver_log(&in->deliveries[i]);
        if (taken > 0)
            deliver_verified(&in->deliveries[i], in->message);
    }
}

static void harvest(struct incoming *in)
{
    for (size_t i = 0; i < in->unwrap.node_count; i++)
        if (in->unwrap.nodes[i]->layer.kind == LAYER_SIGNED)
            harvest_layer(in->message, &in->unwrap.nodes[i]->layer);
}

static void gave_up(const struct incoming *in, const char *fault)
{
    log_event(LOG_LEVEL_ERROR, "gave-up", "fault", fault, (char *)NULL);
    report_admin(in->message, in->journal, "gave-up", "FAULT", fault, (char *)NULL);
}

/* Nobody gets in clear what cannot be encrypted anew: for GIVE_UP it waits, then it goes as it came. */
static size_t give_up_encrypting(const struct incoming *in, const struct deliver *deliver,
                                 const struct reencrypt_left *left, struct outcome *outcome)
{
    struct unwrap_strand strand = *deliver->strand;
    struct deliver original;
    size_t taken = 0;

    strand.recipients = left->recipients;
    gave_up(in, left->outcome.text);
    if (deliver_judge(&original, in->message, &strand, DELIVER_AS_IT_CAME, outcome) &&
        deliver_write(&original, in->message, outcome))
        taken = deliver_run(&original, in->message, in->journal, outcome);
    deliver_free(&original);
    return taken;
}

/* Encrypts a finished message anew and hands it off, or explains that. */
static size_t encrypt_anew(const struct incoming *in, const struct deliver *deliver, struct outcome *outcome)
{
    struct reencrypt_left left = {0};
    struct message finished;
    size_t taken = 0;

    if (message_view(in->message, deliver->fd, &finished, outcome))
        taken =
            reencrypt_run(&finished, in->journal, &deliver->strand->recipients, in->explain, &left, outcome);
    message_view_free(&finished);
    if (left.recipients.count > 0 && giveup_time(in->message, in->journal))
        taken += give_up_encrypting(in, deliver, &left, outcome);
    else if (left.recipients.count > 0 && in->explain == NULL)
        outcome_temporary(outcome, left.outcome.dsn, "%s", left.outcome.text);
    reencrypt_left_free(&left);
    return taken;
}

/* Must this delivery be encrypted anew? */
static bool goes_anew(const struct incoming *in, const struct deliver *deliver)
{
    return in->message->config->deliver == CONFIG_DELIVER_REENCRYPT && !to_scanner(in) && deliver->fd >= 0 &&
           unwrap_encrypted(deliver->node) != NULL;
}

static size_t hand_off_one(const struct incoming *in, size_t number, struct outcome *outcome)
{
    const struct deliver *deliver = &in->deliveries[number];

    if (to_scanner(in))
        return handover_run(&in->handovers[number], in->message, in->journal, deliver, outcome);
    return goes_anew(in, deliver) ? encrypt_anew(in, deliver, outcome)
                                  : deliver_run(deliver, in->message, in->journal, outcome);
}

/* What belongs to a message once is done once somebody got it, not again by every retry. */
static void hand_off(struct incoming *in, struct outcome *outcome)
{
    size_t taken = 0;

    if (in->message->config->engine == CONFIG_ENGINE_REHEARSE) {
        rehearse(in, outcome);
        return;
    }
    for (size_t i = 0; i < in->count; i++) {
        const struct deliver *deliver = &in->deliveries[i];
        size_t now;

        deliver_log(deliver);
        now = refused(deliver) ? demand_refuse(&deliver->demand, in->message, in->journal,
                                               &deliver->strand->recipients, outcome)
                               : hand_off_one(in, i, outcome);
        if (now > 0)
            deliver_verified(deliver, in->message);
        notify(in, deliver);
        taken += refused(deliver) ? 0 : now;
    }
    if (taken > 0)
        harvest(in);
}

static void explain_delivery(const struct incoming *in, const struct deliver *deliver)
{
    const struct status *status = &deliver->status;

    explain_note(in->explain, "encryption: %s", status_encryption_word(status->encryption));
    explain_note(in->explain, "signature: %s", status_signature_word(status->signature));
    if (status->header != NULL)
        explain_note(in->explain, "header: %s", status->header);
    if (status->signer != NULL)
        explain_note(in->explain, "signer: %s, certificate %s, %s%s%s",
                     status->address == NULL ? "no address" : status->address, status->signer->fingerprint,
                     status->signer->verdict.verdict, status->signer->verdict.reason == NULL ? "" : ": ",
                     status->signer->verdict.reason == NULL ? "" : status->signer->verdict.reason);
}

/* With REPORT: what readers are told in words. */
static void explain_report(const struct incoming *in, const struct deliver *deliver)
{
    const struct config *config = in->message->config;
    const struct status *status = &deliver->status;
    char *signature, *encryption;

    if (config->report == CONFIG_REPORT_NO)
        return;
    signature = finding_words(config, "signature", status_signature_word(status->signature));
    encryption = finding_words(config, "encryption", status_encryption_word(status->encryption));
    explain_note(in->explain, "in words: %s; %s", signature, encryption);
    if (!deliver_has_report(deliver, in->message))
        explain_note(in->explain, "no report part: the message goes as it came, or stays signed");
    free(signature);
    free(encryption);
}

static void explain_handover(const struct incoming *in, const struct handover *handover)
{
    bool anew = in->message->config->deliver == CONFIG_DELIVER_REENCRYPT;

    if (handover->holds && !handover->alike)
        explain_note(in->explain,
                     "DELIVER=original: the original can be read in different ways, so that the scanner "
                     "may not see all of it; HOLD_CHANGED decides about what returns");
    else if (handover->holds)
        explain_note(in->explain,
                     "DELIVER=original: the original is held, and goes to the internal relay when this copy "
                     "returns from the scanner unchanged");
    else
        explain_note(in->explain, "what returns from the scanner goes to the internal relay%s",
                     anew ? ", encrypted anew if it came encrypted" : "");
}

static void explain_all(const struct incoming *in, struct outcome *outcome)
{
    const char *target = config_target_name(config_incoming_target(in->message->config));
    bool rehearsal = in->message->config->engine == CONFIG_ENGINE_REHEARSE;

    if (rehearsal) {
        explain_plain("incoming", target, in->recipients, NULL, in->explain);
        explain_note(in->explain, "SMIME_ENGINE=1: delivered unchanged; with 2 it would be:");
    }
    for (size_t i = 0; i < in->count; i++) {
        const struct deliver *deliver = &in->deliveries[i];

        if (!rehearsal && refused(deliver))
            demand_explain_refused(&deliver->demand, &deliver->strand->recipients, in->explain);
        else if (!rehearsal && goes_anew(in, deliver))
            encrypt_anew(in, deliver, outcome);
        else if (!rehearsal)
            explain_plain("incoming", target, &deliver->strand->recipients, NULL, in->explain);
        explain_delivery(in, deliver);
        explain_report(in, deliver);
        demand_explain(&deliver->demand, in->explain);
        if (to_scanner(in) && !refused(deliver))
            explain_handover(in, &in->handovers[i]);
    }
    for (size_t i = 0; i < in->unwrap.notes.count; i++)
        explain_note(in->explain, "%s", in->unwrap.notes.items[i]);
}

/* Opens, judges, writes. false: outcome filled in; nothing was handed off. */
static bool work(struct incoming *in, struct outcome *outcome)
{
    return unwrap_run(&in->unwrap, in->message, in->recipients, in->demand.profile, outcome) &&
           signerstatus_validate(in->message, in->unwrap.nodes, in->unwrap.node_count, outcome) &&
           prepare(in, outcome);
}

static void forget(struct incoming *in)
{
    for (size_t i = 0; i < in->count; i++)
        deliver_free(&in->deliveries[i]);
    for (size_t i = 0; i < in->handover_count; i++)
        handover_free(&in->handovers[i]);
    free(in->deliveries);
    free(in->handovers);
    in->deliveries = NULL;
    in->handovers = NULL;
    in->count = in->handover_count = 0;
    unwrap_free(&in->unwrap);
}

/* What can be said of a message that could not be worked on. */
static enum unwrap_stop guess_stop(const struct message *message)
{
    struct layer_look look;
    enum layer_kind kind;
    enum unwrap_stop stop = UNWRAP_UNDECRYPTABLE;

    if (message->mime.fault != MIME_OK || layer_look(&look, message->fd, &message->mime) != 0)
        return UNWRAP_LIMIT;
    kind = layer_look_label(&look);
    if (kind == LAYER_NONE)
        stop = UNWRAP_CLEAN;
    else if (kind == LAYER_SIGNED)
        stop = UNWRAP_UNASKED;
    else if (kind != LAYER_ENCRYPTED)
        stop = UNWRAP_UNSUPPORTED;
    layer_look_free(&look);
    return stop;
}

/* GIVE_UP has passed: the message goes as it came, ADMIN is told. */
static void give_up(struct incoming *in, const char *fault, struct outcome *outcome)
{
    struct unwrap_strand *strand;

    forget(in);
    outcome_done(outcome);
    unwrap_begin(&in->unwrap, in->message, in->recipients);
    strand = &in->unwrap.strands[0];
    strand->stop = guess_stop(in->message);
    strand->done = true;
    gave_up(in, fault);
    if (prepare(in, outcome))
        hand_off(in, outcome);
}

void incoming_run(struct message *message, struct journal *journal, const struct strlist *recipients,
                  struct buf *explain, struct outcome *outcome)
{
    struct incoming in = {.message = message,
                          .journal = journal,
                          .recipients = recipients,
                          .explain = explain,
                          .demand = demand_on_message(message)};
    struct outcome fault;

    if (giveup_runs(message, journal)) {
        give_up(&in, "earlier runs ended before they were through", outcome);
    } else if (work(&in, outcome)) {
        if (explain != NULL)
            explain_all(&in, outcome);
        else
            hand_off(&in, outcome);
    } else if (call_module_died(message->smime) && giveup_module(message, journal)) {
        fault = *outcome;
        give_up(&in, fault.text, outcome);
    }
    forget(&in);
}
