#include "outgoing/lastcheck.h"

#include <stdlib.h>
#include <string.h>

#include "mail/cms.h"
#include "mail/source.h"
#include "util/fdio.h"
#include "util/mem.h"

#define FIELD_MAX 1000 /* octets of a field that the smime module wrote; nothing longer is needed */

static const char unreadable[] = "the output cannot be read";

/* Fields from `first` on: only those that describe the content, each once, none long enough to carry any. */
static const char *check_fields(const struct header *header, size_t first)
{
    static const char *const allowed[] = {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
                                          "Content-Description", NULL};
    for (size_t i = first; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        if (!header_field_in(header, i, allowed))
            return "a header field that was not meant to be there";
        if (field->end - field->start > FIELD_MAX)
            return "a header field that is too long";
        char *name = header_name(header, i);
        bool once = header_count(header, name) == 1;
        free(name);
        if (!once)
            return "a header field twice";
    }
    return NULL;
}

/* The output begins with the outer header, octet for octet, and then has fields about its content only. */
static const char *check_header(const struct lastcheck *check, const struct mime_part *root)
{
    struct header outer;
    const char *fault = NULL;
    size_t len = check->outer->len;
    if (root->header.len < len || memcmp(root->header.data, buf_text(check->outer), len) != 0)
        return "the header is not the one that was meant";
    header_parse(&outer, buf_text(check->outer), len);
    if (root->header.count < outer.count)
        fault = "the header is not the one that was meant";
    else
        fault = check_fields(&root->header, outer.count);
    header_free(&outer);
    return fault;
}

static bool is_either(const char *value, const char *a, const char *b)
{
    return value != NULL && (strcmp(value, a) == 0 || strcmp(value, b) == 0);
}

/* The outline of the CMS object that is the whole body of `part`. */
static const char *read_cms(int fd, const struct mime_part *part, struct cms_outline *outline_r)
{
    unsigned char rest[256];
    memset(outline_r, 0, sizeof(*outline_r));
    if (part->encoding != MIME_BASE64)
        return "the S/MIME part is not base64";
    struct source *source = source_new(fd, part->body, part->end - part->body, MIME_BASE64, SOURCE_EOL_KEEP);
    const char *fault = NULL;
    if (cms_outline_read(outline_r, source, true) != 0)
        fault = unreadable;
    else if (outline_r->type == CMS_NONE || !outline_r->complete)
        fault = "the body is not a complete CMS object";
    else if (outline_r->trailing || source_read(source, rest, sizeof(rest)) != 0 || source_strange(source))
        fault = "something stands behind the CMS object";
    source_free(source);
    return fault;
}

static bool same_octets(const struct buf *a, const struct buf *b)
{
    return a->len > 0 && buf_equal(a, b);
}

static bool is_for(const struct cms_recipient *recipient, const struct ask_verdict *certificate)
{
    if (recipient->ski.len > 0)
        return same_octets(&recipient->ski, &certificate->ski);
    return same_octets(&recipient->issuer, &certificate->issuer_der) &&
           same_octets(&recipient->serial, &certificate->serial);
}

/* Each RecipientInfo belongs to one wanted certificate and each of those has one. */
static const char *check_recipients(const struct lastcheck *check, const struct cms_outline *outline)
{
    if (outline->other_recipients != 0)
        return "a RecipientInfo of a kind that was not asked for";
    if (outline->recipient_count != check->recipient_count)
        return outline->recipient_count > check->recipient_count ? "one RecipientInfo too many"
                                                                 : "one RecipientInfo too few";
    bool *taken = mem_array(check->recipient_count + 1, sizeof(bool));
    const char *fault = NULL;
    for (size_t i = 0; i < outline->recipient_count && fault == NULL; i++) {
        size_t k = 0;
        while (k < check->recipient_count &&
               (taken[k] || !is_for(&outline->recipients[i], &check->recipients[k]->verdict)))
            k++;
        if (k == check->recipient_count)
            fault = "a RecipientInfo for somebody else";
        else
            taken[k] = true;
    }
    free(taken);
    return fault;
}

static const char *check_encrypted(const struct lastcheck *check, const struct mime_part *root)
{
    struct cms_outline outline;
    if (!is_either(root->type.value, "application/pkcs7-mime", "application/x-pkcs7-mime"))
        return "the message is not application/pkcs7-mime";
    const char *fault = read_cms(check->fd, root, &outline);
    if (fault == NULL && outline.type != CMS_ENVELOPED && outline.type != CMS_AUTH_ENVELOPED)
        fault = "the CMS object is not encrypted";
    if (fault == NULL)
        fault = check_recipients(check, &outline);
    cms_outline_free(&outline);
    return fault;
}

/* The fault when the octets from `start` on are not those of the entity. */
static const char *check_octets(const struct lastcheck *check, uint64_t start)
{
    bool same = true;
    for (size_t i = 0; i < check->entity->count && same; i++) {
        const struct entity_piece *piece = &check->entity->pieces[i];
        if (fdio_same_range(piece->fd, piece->offset, check->fd, start, piece->length, &same) != 0)
            return unreadable;
        start += piece->length;
    }
    return same ? NULL : "the signed part is not what was given to be signed";
}

static const char *check_signature_part(const struct lastcheck *check, const struct mime_part *part)
{
    struct cms_outline outline;
    if (!is_either(part->type.value, "application/pkcs7-signature", "application/x-pkcs7-signature"))
        return "the second part is not application/pkcs7-signature";
    const char *fault = check_fields(&part->header, 0);
    if (fault != NULL)
        return fault;
    fault = read_cms(check->fd, part, &outline);
    if (fault == NULL && (outline.type != CMS_SIGNED || outline.signer_count != 1))
        fault = "the signature is not SignedData with one signer";
    if (fault == NULL && outline.has_content)
        fault = "the detached signature has a content";
    cms_outline_free(&outline);
    return fault;
}

static const char *check_clear(const struct lastcheck *check, const struct mime_part *root)
{
    const struct mime_part *first = root->children;
    const char *protocol = header_typed_param(&root->type, "protocol");
    if (strcmp(root->type.value, "multipart/signed") != 0 ||
        !is_either(protocol, "application/pkcs7-signature", "application/x-pkcs7-signature"))
        return "the message is not multipart/signed";
    if (first == NULL || first->next == NULL || first->next->next != NULL || !root->closed ||
        root->preamble_epilogue_nonblank)
        return "multipart/signed does not consist of exactly two parts";
    if (first->end - first->start != entity_length(check->entity))
        return "the signed part is not what was given to be signed";
    const char *fault = check_octets(check, first->start);
    if (fault != NULL)
        return fault;
    return check_signature_part(check, first->next);
}

/* SHA-256 of the entity in canonical form: every line end is CRLF. */
static bool digest_entity(const struct entity *entity, unsigned char digest[SHA256_LEN])
{
    unsigned char chunk[16384];
    struct sha256 *sha = sha256_new();
    ssize_t n = 0;
    for (size_t i = 0; i < entity->count && n >= 0; i++) {
        const struct entity_piece *piece = &entity->pieces[i];
        struct source *source =
            source_new(piece->fd, piece->offset, piece->length, MIME_BINARY, SOURCE_EOL_CRLF);
        while ((n = source_read(source, chunk, sizeof(chunk))) > 0)
            sha256_update(sha, chunk, (size_t)n);
        source_free(source);
    }
    sha256_final(sha, digest);
    sha256_free(sha);
    return n >= 0;
}

static const char *check_opaque(const struct lastcheck *check, const struct mime_part *root)
{
    struct cms_outline outline;
    unsigned char given[SHA256_LEN];
    if (!is_either(root->type.value, "application/pkcs7-mime", "application/x-pkcs7-mime"))
        return "the message is not application/pkcs7-mime";
    const char *fault = read_cms(check->fd, root, &outline);
    if (fault == NULL && (outline.type != CMS_SIGNED || outline.signer_count != 1 || !outline.has_content))
        fault = "the body is not SignedData with a content and one signer";
    if (fault == NULL && !digest_entity(check->entity, given))
        fault = unreadable;
    if (fault == NULL && memcmp(given, outline.content_digest, sizeof(given)) != 0)
        fault = "the signed content is not what was given to be signed";
    cms_outline_free(&outline);
    return fault;
}

const char *lastcheck_run(const struct lastcheck *check)
{
    struct mime mime;
    struct mime_limits limits = {.max_depth = check->limits->max_depth + 2,
                                 .max_parts = check->limits->max_parts + 3};
    uint64_t size;
    if (fdio_size(check->fd, &size) != 0 || mime_parse(&mime, check->fd, 0, size, &limits) != 0)
        return unreadable;
    const char *fault = check_header(check, mime.root);
    if (fault == NULL && mime.fault != MIME_OK)
        fault = "the output breaks a structure limit";
    if (fault == NULL && check->form == LASTCHECK_ENCRYPTED)
        fault = check_encrypted(check, mime.root);
    else if (fault == NULL && check->form == LASTCHECK_CLEAR)
        fault = check_clear(check, mime.root);
    else if (fault == NULL)
        fault = check_opaque(check, mime.root);
    if (fault == NULL && check->original != NULL)
        fault = lastcheck_hidden(&mime.root->header, check->original, check->protection);
    mime_free(&mime);
    return fault;
}
