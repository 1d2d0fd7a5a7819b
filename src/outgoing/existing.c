#include "outgoing/existing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/ask.h"
#include "mail/smime_part.h"
#include "mail/source.h"
#include "outgoing/protect.h"
#include "outgoing/signer.h"
#include "util/fdio.h"
#include "util/mem.h"

/* Only a complete object with nothing behind it counts: text after the DER would otherwise travel
 * unprotected. */
static enum existing_kind kind_by_der(struct source *source, struct cms_outline *outline)
{
    unsigned char rest[256];
    if (!outline->complete || outline->trailing)
        return EXISTING_NONE;
    if (outline->type == CMS_SIGNED)
        return EXISTING_SIGNED;
    bool encrypted = outline->type == CMS_ENVELOPED || outline->type == CMS_AUTH_ENVELOPED;
    bool alone = source_read(source, rest, sizeof(rest)) == 0 && !source_strange(source);
    return encrypted && alone && outline->recipient_count + outline->other_recipients > 0 ? EXISTING_ENCRYPTED
                                                                                          : EXISTING_NONE;
}

/* What readers take for text in front of the object would travel unprotected, too. */
static bool nothing_in_front(const struct message *message)
{
    const struct header *header = &message->mime.root->header;
    return message->mime.fault != MIME_HEADER_TOO_LONG && !header_has_strays(header) &&
           !header_has_controls(header);
}

static bool look_opaque(const struct message *message, struct existing *existing, struct outcome *outcome)
{
    const struct mime_part *root = message->mime.root;
    struct cms_outline outline = {0};
    struct source *source =
        source_new(message->fd, root->body, root->end - root->body, root->encoding, SOURCE_EOL_KEEP);
    bool ok = cms_outline_read(&outline, source, true) == 0;
    if (ok)
        existing->kind = kind_by_der(source, &outline);
    else
        outcome_temporary(outcome, "4.3.0", "SPOOL: %s", strerror(errno));
    if (existing->kind == EXISTING_ENCRYPTED && !nothing_in_front(message))
        existing->kind = EXISTING_NONE;
    cms_outline_free(&outline);
    source_free(source);
    return ok;
}

bool existing_look(const struct message *message, struct existing *existing_r, struct outcome *outcome)
{
    memset(existing_r, 0, sizeof(*existing_r));
    switch (smime_part_shape(message->mime.root)) {
    case SMIME_SHAPE_DETACHED:
        existing_r->kind = EXISTING_SIGNED;
        return true;
    case SMIME_SHAPE_OPAQUE:
        return look_opaque(message, existing_r, outcome);
    case SMIME_SHAPE_NONE:
        break;
    }
    return true;
}

static const char *encoding_word(enum mime_encoding encoding)
{
    return encoding == MIME_BASE64 ? "base64" : encoding == MIME_QP ? "quoted-printable" : "binary";
}

/* The whole part, header and all, or its body. */
static struct entity_piece part_piece(const struct message *message, const struct mime_part *part,
                                      bool header)
{
    uint64_t start = header ? part->start : part->body;
    return (struct entity_piece){message->fd, start, part->end - start};
}

/* Writes an unwrap request; a detached signature has no output, an opaque one is unwrapped into `scratch`. */
static void write_unwrap(const struct message *message, int scratch, struct protect_fds *fds,
                         struct buf *body)
{
    const struct mime_part *root = message->mime.root;
    bool detached = smime_part_shape(root) == SMIME_SHAPE_DETACHED;
    const struct mime_part *cms = detached ? root->children->next : root;
    struct entity_piece content = part_piece(message, cms, false);
    struct xml_writer w;
    xml_begin(&w, body);
    xml_open(&w, "unwrap");
    if (!detached)
        protect_put_fd(fds, &w, "output", scratch);
    xml_put(&w, "weak", message->config->accept_weak ? "yes" : "no");
    xml_put_number(&w, "limit", message->config->max_size);
    xml_open(&w, "content");
    xml_put(&w, "encoding", encoding_word(cms->encoding));
    protect_put_piece(fds, &w, &content);
    xml_close(&w);
    if (detached) {
        struct entity_piece signed_part = part_piece(message, root->children, true);
        xml_open(&w, "signed");
        protect_put_piece(fds, &w, &signed_part);
        xml_close(&w);
    }
    xml_close(&w);
}

struct certificates {
    struct buf *items;
    size_t count;
};

static void certificates_read(const struct xml_node *body, const char *name, struct certificates *list)
{
    const struct xml_node *node;
    for (node = xml_child(body, name); node != NULL; node = xml_next(node, name)) {
        struct buf *der = mem_push(&list->items, &list->count, sizeof(*der));
        if (!xml_base64(node, der)) {
            buf_free(der);
            list->count--;
        }
    }
}

static void certificates_free(struct certificates *list)
{
    for (size_t i = 0; i < list->count; i++)
        buf_free(&list->items[i]);
    free(list->items);
}

static const struct buf *certificate_find(const struct certificates *list, const char *fingerprint)
{
    for (size_t i = 0; fingerprint != NULL && i < list->count; i++) {
        char hex[SHA256_HEX_LEN + 1];
        sha256_hex(list->items[i].data, list->items[i].len, hex);
        if (strcmp(hex, fingerprint) == 0)
            return &list->items[i];
    }
    return NULL;
}

/* Every signature must be good, and the only signer's certificate valid for header From. */
static void judge_signer(struct message *message, const struct xml_node *body, struct existing *existing)
{
    const struct xml_node *signer = xml_child(body, "signer");
    const char *result = signer != NULL ? xml_attribute(signer, "result") : NULL;
    struct certificates certificates = {0}, crls = {0};
    struct outcome outcome;
    outcome_done(&outcome);
    if (result == NULL || strcmp(result, "good") != 0 || xml_next(signer, "signer") != NULL) {
        existing->how = mem_strdup(signer == NULL ? "it has no signer"
                                                  : "its signature is not good, or not the only one");
        return;
    }
    certificates_read(body, "certificate", &certificates);
    certificates_read(body, "crl", &crls);
    struct ask_check check = {.certificate =
                                  certificate_find(&certificates, xml_attribute(signer, "fingerprint")),
                              .use = "sign",
                              .address = message->header_from.items[0]};
    if (check.certificate == NULL) {
        existing->how = mem_strdup("its signer's certificate is not in it");
    } else if (!ask_validate(message, &check, 1, certificates.items, certificates.count, crls.items,
                             crls.count, &outcome)) {
        existing->uncertain = true;
        existing->how = mem_strdup(outcome.text);
    } else {
        existing->kept = strcmp(check.verdict.verdict, "valid") == 0;
        existing->how = mem_printf("its signature is good, its certificate %s for %s", check.verdict.verdict,
                                   check.address);
    }
    ask_verdict_free(&check.verdict);
    certificates_free(&certificates);
    certificates_free(&crls);
}

static void keep_form(const struct xml_node *signer, struct existing *existing)
{
    existing->scheme = mem_strdup(xml_attribute(signer, "scheme"));
    existing->mgf1 = mem_strdup(xml_attribute(signer, "mgf1"));
    if (!xml_attribute_number(signer, "salt", UINT64_MAX, &existing->salt))
        existing->salt = 0;
}

static void ask_unwrap(struct message *message, int scratch, struct existing *existing)
{
    struct protect_fds fds = {.count = 0};
    struct buf body = {0};
    struct call_answer answer = {0};
    write_unwrap(message, scratch, &fds, &body);
    call_ask(message->smime, "unwrap", &body, fds.items, fds.count, &answer);
    if (answer.status == ANSWER_OK && answer.body != NULL) {
        judge_signer(message, answer.body, existing);
        if (existing->kept)
            keep_form(xml_child(answer.body, "signer"), existing);
    } else {
        existing->uncertain = answer.status == ANSWER_TEMPORARY || answer.status == ANSWER_INTERACTION;
        existing->how = mem_printf("%s: %s", call_module_name(message->smime),
                                   answer.text != NULL && answer.text[0] != '\0' ? answer.text
                                   : answer.reason != NULL                       ? answer.reason
                                                                                 : "no answer");
    }
    call_answer_free(&answer);
    buf_free(&body);
}

void existing_verify(struct message *message, struct existing *existing)
{
    struct outcome outcome;
    outcome_done(&outcome);
    if (existing->kind != EXISTING_SIGNED)
        return;
    if (message->config->resign) {
        existing->how = mem_strdup("RESIGN=yes");
        return;
    }
    if (message->header_from.count != 1 || header_count(&message->mime.root->header, "From") != 1) {
        existing->how = mem_strdup("header From does not have exactly one address");
        return;
    }
    if (!signer_from_clear(&message->mime.root->header)) {
        existing->how = mem_strdup("header From can be read in more than one way");
        return;
    }
    bool detached = smime_part_shape(message->mime.root) == SMIME_SHAPE_DETACHED;
    int scratch = detached ? -1 : message_output(message, message->size, &outcome);
    if (!detached && scratch < 0) {
        existing->uncertain = true;
        existing->how = mem_strdup(outcome.text);
        return;
    }
    ask_unwrap(message, scratch, existing);
    fdio_close(&scratch);
}

void existing_free(struct existing *existing)
{
    free(existing->how);
    free(existing->scheme);
    free(existing->mgf1);
    existing->how = existing->scheme = existing->mgf1 = NULL;
}
