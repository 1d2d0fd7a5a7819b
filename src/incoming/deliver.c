#include "incoming/deliver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/pass.h"
#include "core/trace.h"
#include "core/verifylog.h"
#include "delivery/handoff.h"
#include "incoming/alike.h"
#include "incoming/assemble.h"
#include "incoming/author.h"
#include "incoming/demand_tell.h"
#include "incoming/finding.h"
#include "incoming/reencrypt.h"
#include "incoming/reportpart.h"
#include "incoming/signerstatus.h"
#include "incoming/subjecttag.h"
#include "mail/address.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

/* The node one layer further in on the way to `inner`; NULL when `node` is that. */
static const struct unwrap_node *next_inwards(const struct unwrap_node *node, const struct unwrap_node *inner)
{
    while (inner != NULL && inner->outer != node)
        inner = inner->outer;
    return inner;
}

static const struct unwrap_node *root_of(const struct unwrap_node *node)
{
    while (node->outer != NULL)
        node = node->outer;
    return node;
}

static bool is_opaque(const struct unwrap_node *node)
{
    return node->layer.kind == LAYER_COMPRESSED ||
           ((node->layer.kind == LAYER_SIGNED || node->layer.kind == LAYER_DISPUTED) &&
            node->own_fd >= 0); /* a clear one is part of its outer node */
}

/* The innermost entity that came out of a CMS object; `node` if there is none. */
static const struct unwrap_node *choose_to_look_at(const struct unwrap_node *node,
                                                   const struct unwrap_node *inner)
{
    for (; inner != node; inner = inner->outer)
        if (is_opaque(inner))
            return inner;
    return node;
}

/* Does it go out without the layer that it came out of? */
static bool goes_without(const struct config *config, const struct unwrap_node *node)
{
    enum layer_kind kind = node->layer.kind;

    return kind == LAYER_COMPRESSED || kind == LAYER_WRAPPED ||
           (config->strip_signatures && (kind == LAYER_SIGNED || is_opaque(node)));
}

static const struct unwrap_node *choose_node(const struct config *config, const struct unwrap_strand *strand,
                                             enum deliver_form form)
{
    const struct unwrap_node *node = unwrap_encrypted(strand->inner), *next;

    if (strand->stop == UNWRAP_LIMIT || form == DELIVER_AS_IT_CAME)
        return root_of(strand->inner);
    if (node == NULL)
        node = root_of(strand->inner);
    if (form == DELIVER_TO_LOOK_AT)
        return choose_to_look_at(node, strand->inner);
    while ((next = next_inwards(node, strand->inner)) != NULL && goes_without(config, next))
        node = next;
    return config->strip_signatures ? choose_to_look_at(node, strand->inner) : node;
}

static const char *find_weak(const struct unwrap_node *node)
{
    for (; node != NULL; node = node->outer)
        if (node->layer.weak != NULL && node->layer.weak[0] != '\0')
            return node->layer.weak;
    return NULL;
}

/* Two different addresses in From, outside and inside: the one that is not shown is told. */
static void tell_other_from(const struct protected *protected, struct status *status)
{
    const char *inner = protected->inner_from, *outer = protected->outer_from;

    if (inner == NULL || (outer != NULL && address_equal(inner, outer)))
        return;
    if (protected->from_kept)
        status->inner_from = inner;
    else
        status->outer_from = outer;
}

/* What is said of protected fields. That somebody signed them is not worth telling when he did not. */
static void tell_header(const struct protected *protected, struct status *status)
{
    bool broken = !protected->encrypted && status->signature == STATUS_INVALID;

    status->header = broken ? NULL : protected->told;
}

/* What is delivered as it came shows what was found inside only to those who take the encrypted layers apart
   as julia does. 1, 0, or -1 with errno. */
static int shows_inside(const struct message *message, const struct unwrap_strand *strand,
                        enum deliver_form form)
{
    const struct unwrap_node *inner = unwrap_undisputed(strand->inner);
    const struct unwrap_node *encrypted = unwrap_encrypted(strand->inner);

    if (form != DELIVER_AS_IT_CAME || encrypted == NULL)
        return 1;
    return alike_layers(message, unwrap_encrypted(inner) == encrypted ? inner : strand->inner);
}

bool deliver_judge(struct deliver *deliver, const struct message *message, const struct unwrap_strand *strand,
                   enum deliver_form form, struct outcome *outcome)
{
    const struct unwrap_node *sealed = unwrap_signed(strand->inner);
    struct status *status = &deliver->status;
    struct signerstatus_author author;
    int shows;

    memset(deliver, 0, sizeof(*deliver));
    deliver->fd = -1;
    deliver->strand = strand;
    deliver->node = choose_node(message->config, strand, form);
    shows = shows_inside(message, strand, form);
    if (shows < 0 || protected_read(&deliver->protected, message, strand) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        return false;
    }
    if (form != DELIVER_OPENED && deliver->node->outer == NULL)
        protected_forgo(&deliver->protected);
    deliver->sender = author_address(&message->mime.root->header, "Sender");
    status->encryption = status_encryption_of(strand);
    status->signature = status_signature_of_stop(unwrap_reason(strand));
    /* Whoever signed another From than readers see signed for nobody whom they see. */
    author = (struct signerstatus_author){
        protected_other_signed(&deliver->protected) ? NULL : protected_from(&deliver->protected),
        deliver->sender};
    if (!shows)
        status->encryption = STATUS_ENCRYPTION_UNSUPPORTED;
    else if (sealed != NULL && strand->stop != UNWRAP_LIMIT)
        signerstatus_judge(&sealed->layer, &author, status);
    status->weak = find_weak(strand->inner);
    tell_other_from(&deliver->protected, status);
    tell_header(&deliver->protected, status);
    return true;
}

/* The Subject that the reader would see without tags, decoded. */
static char *shown_subject(const struct deliver *deliver, const struct message *message)
{
    const struct header *header = &message->mime.root->header;
    char *value, *text;

    if (strlist_has(&deliver->protected.names, "Subject"))
        header = &deliver->protected.inside;
    value = header_value_of(header, "Subject");
    text = header_decode_guess(value == NULL ? "" : value);
    free(value);
    return text;
}

static char *tagged_subject(const struct deliver *deliver, const struct message *message)
{
    char *subject, *tagged;

    if (!message->config->subject_tags || message->mime.fault == MIME_HEADER_TOO_LONG)
        return NULL;
    subject = shown_subject(deliver, message);
    tagged = subjecttag_apply(subject, &deliver->status, message->config->language);
    free(subject);
    return tagged;
}

bool deliver_has_report(const struct deliver *deliver, const struct message *message)
{
    struct mime mime;
    bool possible;

    if (message->config->report == CONFIG_REPORT_NO || deliver->node->outer == NULL)
        return false;
    if (unwrap_parse(message, deliver->node, &mime) != 0)
        return false;
    possible = mime.fault == MIME_OK && smime_part_shape(mime.root) == SMIME_SHAPE_NONE &&
               !mime_type_is(mime.root, "multipart/signed") &&
               !mime_type_is(mime.root, "multipart/encrypted") && mime.root->type.value[0] != '\0' &&
               header_count(&mime.root->header, "Content-Type") > 0;
    mime_free(&mime);
    return possible;
}

static void write_report(const struct deliver *deliver, const struct message *message, struct buf *report)
{
    struct finding finding;

    finding_collect(&finding, message->config, deliver->strand, &deliver->status,
                    protected_from(&deliver->protected));
    reportpart_write(&finding, message->config, message->eol, report);
    finding_free(&finding);
}

/* Whatever the status says: what came out of an encrypted layer must not go on in clear. */
static void mark_decrypted(const struct deliver *deliver, const struct message *message, struct buf *fields)
{
    static const char *const marks[] = {REENCRYPT_MARK, REENCRYPT_HIDDEN, REENCRYPT_HIDDEN_NAMES};

    if (message->config->deliver == CONFIG_DELIVER_REENCRYPT && unwrap_encrypted(deliver->node) != NULL)
        header_write(fields, REENCRYPT_FIELD, marks[protected_hides(&deliver->protected)], message->eol);
}

bool deliver_write(struct deliver *deliver, const struct message *message, struct outcome *outcome)
{
    char *subject = tagged_subject(deliver, message);
    struct buf fields = {0}, report = {0};
    struct assemble assemble = {message, deliver->node, &deliver->protected, &fields, subject, NULL};

    if (deliver_has_report(deliver, message)) {
        write_report(deliver, message, &report);
        assemble.report = &report;
    }
    buf_add(&fields, buf_text(&deliver->top), deliver->top.len);
    status_fields(&deliver->status, message->config->authserv_id, message->eol, &fields);
    mark_decrypted(deliver, message, &fields);
    deliver->fd = message_output(message, message->size, outcome);
    if (deliver->fd >= 0 && assemble_write(&assemble, deliver->fd, outcome) != 0)
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
    buf_free(&fields);
    buf_free(&report);
    free(subject);
    return outcome->kind == OUTCOME_DONE;
}

const char *deliver_how(const struct deliver *deliver)
{
    if (unwrap_encrypted(deliver->node) != NULL)
        return "decrypted";
    if (deliver->status.encryption == STATUS_DECRYPTED ||
        deliver->status.encryption == STATUS_NOT_INTEGRITY_PROTECTED)
        return "original";
    return deliver->status.signature == STATUS_SIGNATURE_NONE ? "plain" : "verified";
}

size_t deliver_run(const struct deliver *deliver, const struct message *message, struct journal *journal,
                   struct outcome *outcome)
{
    struct handoff handoff = {.target = CONFIG_TARGET_INTERNAL,
                              .fd = deliver->fd,
                              .sender = message->envelope.sender,
                              .recipients = &deliver->strand->recipients,
                              /* also when it could not be opened: a notice must not show the difference */
                              .headers_only = deliver->status.encryption != STATUS_ENCRYPTION_NONE,
                              .how = deliver_how(deliver)};

    trace_add(TRACE_TARGET, config_target_name(CONFIG_TARGET_INTERNAL));
    return handoff_run(message, journal, &handoff, outcome);
}

static void log_layers(const struct deliver *deliver, const struct message *message)
{
    for (const struct unwrap_node *node = deliver->strand->inner; node->outer != NULL; node = node->outer) {
        struct verifylog_line line = {.use = "decrypt", .fingerprint = node->layer.key_fingerprint};

        if (node->layer.kind == LAYER_ENCRYPTED) {
            line.verdict = node->layer.authenticated ? "decrypted" : "not-integrity-protected";
            line.reason = node->layer.cipher;
            verifylog_write(message, &line);
            for (size_t i = 0; i < node->other_keys.count; i++) {
                line.fingerprint = node->other_keys.items[i];
                verifylog_write(message, &line);
            }
        }
        for (size_t i = 0; i < node->layer.signer_count; i++) {
            const struct layer_signer *signer = &node->layer.signers[i];
            bool counts = signer == deliver->status.signer;

            line.use = "sign";
            line.fingerprint = signer->fingerprint;
            line.address = counts ? deliver->status.address : NULL;
            if (!counts && signer->verdict.addresses.count > 0)
                line.address = signer->verdict.addresses.items[0];
            line.verdict = counts ? status_signature_word(deliver->status.signature)
                                  : status_signature_word(signerstatus_word(signer, true));
            line.reason = signer->verdict.reason != NULL ? signer->verdict.reason : signer->reason;
            line.evidence = signer->verdict.evidence;
            verifylog_write(message, &line);
        }
    }
}

void deliver_verified(const struct deliver *deliver, const struct message *message)
{
    const struct status *status = &deliver->status;

    if (status->encryption == STATUS_UNDECRYPTABLE) {
        struct verifylog_line line = {.use = "decrypt",
                                      .verdict = status_encryption_word(status->encryption)};

        verifylog_write(message, &line);
    }
    log_layers(deliver, message);
}

void deliver_log(const struct deliver *deliver)
{
    const struct status *status = &deliver->status;
    char *count = mem_printf("%zu", deliver->strand->recipients.count);
    char *form = deliver->demand.found == NULL ? NULL : demand_text(&deliver->demand);
    bool refused = deliver->demand.end == DEMAND_REFUSED;

    log_event(LOG_LEVEL_INFO, "incoming", "rcpts", count, "encryption",
              status_encryption_word(status->encryption), "signature",
              status_signature_word(status->signature), "signer",
              status->signer == NULL ? NULL : status->signer->fingerprint, "weak", status->weak, "profile",
              deliver->demand.demand.profile == NULL ? NULL : deliver->demand.demand.profile->name,
              refused ? "refuse" : "form", form, "header", status->header, (char *)NULL);
    free(form);
    free(count);
}

void deliver_free(struct deliver *deliver)
{
    protected_free(&deliver->protected);
    demand_verdict_free(&deliver->demand);
    free(deliver->sender);
    buf_free(&deliver->top);
    fdio_close(&deliver->fd);
}
