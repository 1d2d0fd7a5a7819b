#include "modules/areas/crl.h"

#include <limits.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/mem.h"

/* Octets of a DER, from p up to end. */
struct span {
    const unsigned char *p, *end;
};

#define IS_CONSTRUCTED 0x20

/* The identifier of the next element among the universal and [0] ones that a list has; -1 at the end and for
 * others. */
static int peek(const struct span *in)
{
    return in->p < in->end ? *in->p : -1;
}

/* Takes the next element, of this identifier and of definite length; its contents. */
static bool take(struct span *in, int identifier, struct span *contents_r)
{
    const unsigned char *p = in->p;
    long len = 0;
    int tag, class;

    /* 0x80: damaged or too long; 1: indefinite */
    if (peek(in) != identifier || (ASN1_get_object(&p, &len, &tag, &class, (long)(in->end - p)) & 0x81) != 0)
        return false;
    contents_r->p = p;
    contents_r->end = in->p = p + len;
    return true;
}

static bool take_time(struct span *in)
{
    struct span ignored;

    return take(in, V_ASN1_UTCTIME, &ignored) || take(in, V_ASN1_GENERALIZEDTIME, &ignored);
}

#define SEQUENCE   (V_ASN1_SEQUENCE | IS_CONSTRUCTED)
#define EXTENSIONS (V_ASN1_CONTEXT_SPECIFIC | IS_CONSTRUCTED) /* [0] */

/* crlEntryExtensions: what this reader must know of them. */
static bool read_entry_extensions(struct span *in, bool *names_issuer_r, bool *unknown_r)
{
    static const unsigned char reason[] = {0x55, 0x1d, 0x15}, issuer[] = {0x55, 0x1d, 0x1d};
    struct span extension, oid, critical, value;

    while (in->p < in->end) {
        bool known, is_critical;

        if (!take(in, SEQUENCE, &extension) || !take(&extension, V_ASN1_OBJECT, &oid))
            return false;
        is_critical = take(&extension, V_ASN1_BOOLEAN, &critical);
        if (is_critical && critical.end - critical.p != 1)
            return false;
        if (!take(&extension, V_ASN1_OCTET_STRING, &value) || extension.p != extension.end)
            return false;
        known = oid.end - oid.p == sizeof(reason) &&
                (memcmp(oid.p, reason, sizeof(reason)) == 0 || memcmp(oid.p, issuer, sizeof(issuer)) == 0);
        *names_issuer_r = *names_issuer_r || (known && oid.p[2] == issuer[2]);
        *unknown_r = *unknown_r || (!known && is_critical && *critical.p != 0);
    }
    return true;
}

static bool read_entry(struct span *in, struct areas_crl_entry *entry_r, bool *unknown_r)
{
    struct span entry, serial, extensions;

    memset(entry_r, 0, sizeof(*entry_r));
    entry_r->der = in->p;
    if (!take(in, SEQUENCE, &entry) || !take(&entry, V_ASN1_INTEGER, &serial) || serial.p == serial.end ||
        !take_time(&entry))
        return false;
    entry_r->len = (size_t)(in->p - entry_r->der);
    entry_r->serial = serial.p;
    entry_r->serial_len = (size_t)(serial.end - serial.p);
    if (peek(&entry) == SEQUENCE && (!take(&entry, SEQUENCE, &extensions) ||
                                     !read_entry_extensions(&extensions, &entry_r->names_issuer, unknown_r)))
        return false;
    return entry.p == entry.end;
}

static bool read_entries(struct areas_crl *crl)
{
    struct span in = {crl->der + crl->entries_at, crl->der + crl->entries_at + crl->entries_len};
    struct areas_crl_entry entry;

    while (in.p < in.end) {
        if (!read_entry(&in, &entry, &crl->unknown))
            return false;
    }
    return true;
}

static void put_sequence(struct buf *out, const struct buf *contents)
{
    unsigned char head[16], *p = head;

    ASN1_put_object(&p, 1, (int)contents->len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    buf_add(out, head, (size_t)(p - head));
    buf_add(out, buf_text(contents), contents->len);
}

/* The list without its entries, parsed. */
static X509_CRL *parse_frame(const struct areas_crl *crl, const struct span *body, const struct span *before,
                             const struct span *after)
{
    struct buf inside = {0}, parts = {0}, der = {0};
    const unsigned char *p;
    X509_CRL *frame = NULL;

    if ((size_t)(before->end - before->p) + (size_t)(after->end - after->p) + crl->len <= INT_MAX / 2) {
        buf_add(&inside, before->p, (size_t)(before->end - before->p));
        buf_add(&inside, after->p, (size_t)(after->end - after->p));
        put_sequence(&parts, &inside);
        buf_add(&parts, body->p, (size_t)(body->end - body->p)); /* signatureAlgorithm, signatureValue */
        put_sequence(&der, &parts);
        p = (const unsigned char *)der.data;
        frame = d2i_X509_CRL(NULL, &p, (long)der.len);
    }
    buf_free(&inside);
    buf_free(&parts);
    buf_free(&der);
    return frame;
}

/* tbsCertList: finds the entries and what stands before and behind them. */
static bool split(struct areas_crl *crl, const struct span *list, struct span *before_r, struct span *after_r,
                  struct span *algorithm_r)
{
    struct span in = *list, contents;

    before_r->p = in.p;
    if (peek(&in) == V_ASN1_INTEGER && !take(&in, V_ASN1_INTEGER, &contents))
        return false;
    algorithm_r->p = in.p;
    if (!take(&in, SEQUENCE, &contents))
        return false;
    algorithm_r->end = in.p;
    if (!take(&in, SEQUENCE, &contents) || !take_time(&in)) /* issuer, thisUpdate */
        return false;
    (void)take_time(&in); /* nextUpdate */
    before_r->end = in.p;
    if (take(&in, SEQUENCE, &contents)) {
        crl->entries_at = (size_t)(contents.p - crl->der);
        crl->entries_len = (size_t)(contents.end - contents.p);
    }
    *after_r = in;
    (void)take(&in, EXTENSIONS, &contents);
    return in.p == in.end; /* nothing that somebody else would take for entries */
}

static bool read_list(struct areas_crl *crl)
{
    struct span in = {crl->der, crl->der + crl->len}, body, list, before, after, inner, outer, contents;

    if (!take(&in, SEQUENCE, &body) || body.p == body.end)
        return false;
    crl->signed_at = (size_t)(body.p - crl->der);
    if (!take(&body, SEQUENCE, &list))
        return false;
    crl->signed_len = (size_t)(body.p - crl->der) - crl->signed_at;
    if (!split(crl, &list, &before, &after, &inner) || !read_entries(crl))
        return false;
    crl->frame = parse_frame(crl, &body, &before, &after);
    outer.p = body.p;
    if (crl->frame == NULL || !take(&body, SEQUENCE, &contents))
        return false;
    outer.end = body.p;
    crl->one_algorithm = outer.end - outer.p == inner.end - inner.p &&
                         memcmp(outer.p, inner.p, (size_t)(outer.end - outer.p)) == 0;
    return true;
}

struct areas_crl *areas_crl_parse(const unsigned char **p, size_t len)
{
    struct span in = {*p, *p + len}, contents;
    struct areas_crl *crl;
    bool good;

    if (len > LONG_MAX || !take(&in, SEQUENCE, &contents)) {
        ERR_clear_error();
        return NULL;
    }
    crl = mem_alloc(sizeof(*crl));
    crl->len = (size_t)(in.p - *p);
    crl->der = mem_dup(*p, crl->len);
    good = read_list(crl);
    ERR_clear_error();
    if (!good) {
        areas_crl_free(crl);
        return NULL;
    }
    *p = in.p;
    return crl;
}

void areas_crl_free(struct areas_crl *crl)
{
    if (crl == NULL)
        return;
    X509_CRL_free(crl->frame);
    free(crl->der);
    free(crl);
}

/* OpenSSL verifies the encoding of a template: here one whose value is encoded already. */
bool areas_crl_verify(const struct areas_crl *crl, EVP_PKEY *key)
{
    ASN1_STRING octets = {.type = V_ASN1_SEQUENCE, .data = crl->der + crl->signed_at};
    ASN1_TYPE value = {.type = V_ASN1_SEQUENCE, .value.sequence = &octets};
    const ASN1_BIT_STRING *signature = NULL;
    const X509_ALGOR *algorithm = NULL;
    bool good;

    if (!crl->one_algorithm || crl->signed_len > INT_MAX)
        return false;
    octets.length = (int)crl->signed_len;
    X509_CRL_get0_signature(crl->frame, &signature, &algorithm);
    good = ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm, signature, &value, key) == 1;
    ERR_clear_error();
    return good;
}

bool areas_crl_next(const struct areas_crl *crl, size_t *at, struct areas_crl_entry *entry_r)
{
    struct span in = {crl->der + crl->entries_at + *at, crl->der + crl->entries_at + crl->entries_len};
    bool unknown = false;

    if (in.p >= in.end || !read_entry(&in, entry_r, &unknown))
        return false;
    *at = (size_t)(in.p - crl->der) - crl->entries_at;
    return true;
}
