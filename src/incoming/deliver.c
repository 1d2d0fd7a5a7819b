#include "incoming/deliver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/pass.h"
#include "core/trace.h"
#include "core/verifylog.h"
#include "delivery/handoff.h"
#include "delivery/report.h"
#include "incoming/alike.h"
#include "incoming/assemble.h"
#include "incoming/author.h"
#include "incoming/reencrypt.h"
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
           (node->layer.kind == LAYER_SIGNED &&
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
    while ((next = next_inwards(node, strand->inner)) != NULL &&
           (next->layer.kind == LAYER_COMPRESSED ||
            (next->layer.kind == LAYER_SIGNED && config->strip_signatures)))
        node = next;
    return node;
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

/* What is delivered as it came shows what was found inside only to those who take the encrypted layers apart
   as julia does. 1, 0, or -1 with errno. */
static int shows_inside(const struct message *message, const struct unwrap_strand *strand,
                        enum deliver_form form)
{
    if (form != DELIVER_AS_IT_CAME || unwrap_encrypted(strand->inner) == NULL)
        return 1;
    return alike_layers(message, strand->inner);
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
    if (shows < 0 ||
        protected_read(&deliver->protected, message, strand, sealed == NULL ? NULL : &sealed->layer) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        return false;
    }
    if (form == DELIVER_AS_IT_CAME)
        protected_forgo(&deliver->protected);
    deliver->sender = author_address(&message->mime.root->header, "Sender");
    status->encryption = status_encryption_of(strand);
    status->signature = status_signature_of_stop(strand->stop);
    author = (struct signerstatus_author){protected_from(&deliver->protected), deliver->sender};
    if (!shows)
        status->encryption = STATUS_ENCRYPTION_UNSUPPORTED;
    else if (sealed != NULL && strand->stop != UNWRAP_LIMIT)
        signerstatus_judge(&sealed->layer, &author, status);
    status->weak = find_weak(strand->inner);
    tell_other_from(&deliver->protected, status);
    return true;
}

/* The Subject that the reader would see without tags, decoded. */
static char *shown_subject(const struct deliver *deliver, const struct message *message)
{
    const struct header *header = &message->mime.root->header;
    char *value, *text;

    if (deliver->protected.active && strlist_has(&deliver->protected.names, "Subject"))
        header = &deliver->protected.mime.root->header;
    value = header_value_of(header, "Subject");
    text = header_decode(value == NULL ? "" : value);
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

/* A report part may stand beside anything but S/MIME and OpenPGP, which clients look for at the top. */
static bool report_possible(const struct deliver *deliver, const struct message *message)
{
    struct mime mime;
    bool possible;

    if (!message->config->report || deliver->node->outer == NULL)
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

static char *report_text(const struct deliver *deliver, const struct message *message)
{
    const struct status *status = &deliver->status;
    const struct ask_verdict *verdict = status->signer == NULL ? NULL : &status->signer->verdict;
    const char *pairs[] = {"ENCRYPTION",  status_encryption_word(status->encryption),
                           "SIGNATURE",   status_signature_word(status->signature),
                           "SIGNER",      status->address,
                           "ISSUER",      verdict == NULL ? NULL : verdict->issuer,
                           "FINGERPRINT", status->signer == NULL ? NULL : status->signer->fingerprint,
                           "WEAK",        status->weak,
                           "MYHOSTNAME",  message->config->myhostname,
                           NULL};
    char *text = NULL;

    if (!report_possible(deliver, message))
        return NULL;
    text = report_template(message->config->templates, message->config->language, "incoming-report", pairs);
    if (text == NULL || *text == '\0') { /* neither a template nor a built-in text of this name */
        free(text);
        text = mem_printf("%s\nEncryption: %s\nSignature: %s\nSigner: %s\n", message->config->myhostname,
                          pairs[1], pairs[3], status->address == NULL ? "-" : status->address);
    }
    return text;
}

/* Whatever the status says: what came out of an encrypted layer must not go on in clear. */
static void mark_decrypted(const struct deliver *deliver, const struct message *message, struct buf *fields)
{
    bool hidden = protected_hidden(&deliver->protected, &message->mime.root->header);

    if (message->config->deliver == CONFIG_DELIVER_REENCRYPT && unwrap_encrypted(deliver->node) != NULL)
        header_write(fields, REENCRYPT_FIELD, hidden ? REENCRYPT_HIDDEN : REENCRYPT_MARK, message->eol);
}

bool deliver_write(struct deliver *deliver, const struct message *message, struct outcome *outcome)
{
    char *subject = tagged_subject(deliver, message), *report = report_text(deliver, message);
    struct buf fields = {0};
    struct assemble assemble = {message, deliver->node, &deliver->protected, &fields, subject, report};

    buf_add(&fields, buf_text(&deliver->top), deliver->top.len);
    status_fields(&deliver->status, message->config->authserv_id, message->eol, &fields);
    mark_decrypted(deliver, message, &fields);
    deliver->fd = message_output(message, message->size, outcome);
    if (deliver->fd >= 0 && assemble_write(&assemble, deliver->fd, outcome) != 0)
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
    buf_free(&fields);
    free(subject);
    free(report);
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

    log_event(
        LOG_LEVEL_INFO, "incoming", "rcpts", count, "encryption", status_encryption_word(status->encryption),
        "signature", status_signature_word(status->signature), "signer",
        status->signer == NULL ? NULL : status->signer->fingerprint, "weak", status->weak, (char *)NULL);
    free(count);
}

void deliver_free(struct deliver *deliver)
{
    protected_free(&deliver->protected);
    free(deliver->sender);
    buf_free(&deliver->top);
    fdio_close(&deliver->fd);
}
