#include "mail/cms.h"

#include <stdlib.h>
#include <string.h>

#include "mail/ber.h"
#include "util/mem.h"

#define SEQUENCE        0x30
#define SET             0x31
#define INTEGER         0x02
#define OID             0x06
#define OCTETS          0x04
#define CONTEXT(n)      (0xa0 | (n))
#define IMPLICIT(n)     (0x80 | (n))
#define OID_MAX         32
#define SERIAL_MAX      128 /* RFC 5280 allows 20; longer ones exist */
#define SKI_MAX         128
#define IDENTIFIERS_MAX (1u << 20) /* octets that are kept of all recipients together */
#define ISSUERS_SHARED  64         /* so many names are compared with: those of one message are few */

struct reader {
    struct ber *ber;
    struct source *source;
    struct cms_outline *outline;
    size_t identifiers; /* octets of different issuers, of serials and key identifiers so far */
    bool read_error;
};

static ssize_t read_source(void *context, void *out, size_t size)
{
    struct reader *r = context;
    ssize_t n = source_read(r->source, out, size);

    if (n < 0)
        r->read_error = true;
    return n;
}

/* Content types by OID: 1.2.840.113549.1.7.x (RFC 5652), 1.2.840.113549.1.9.16.1.x (RFC 3274, RFC 5083). */
static enum cms_type type_of(const struct buf *oid)
{
    static const unsigned char pkcs7[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07};
    static const unsigned char ct[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01};
    static const enum cms_type by_number[] = {CMS_OTHER, CMS_DATA,     CMS_SIGNED,   CMS_ENVELOPED,
                                              CMS_OTHER, CMS_DIGESTED, CMS_ENCRYPTED};

    if (oid->len == sizeof(pkcs7) + 1 && memcmp(oid->data, pkcs7, sizeof(pkcs7)) == 0) {
        unsigned char last = (unsigned char)oid->data[sizeof(pkcs7)];

        return last < sizeof(by_number) / sizeof(by_number[0]) ? by_number[last] : CMS_OTHER;
    }
    if (oid->len == sizeof(ct) + 1 && memcmp(oid->data, ct, sizeof(ct)) == 0) {
        if (oid->data[sizeof(ct)] == 9)
            return CMS_COMPRESSED;
        if (oid->data[sizeof(ct)] == 23)
            return CMS_AUTH_ENVELOPED;
    }
    return CMS_OTHER;
}

static bool misshapen(struct reader *r, const char *error)
{
    r->outline->error = error;
    return false;
}

static bool too_much(struct reader *r, const char *error)
{
    r->outline->too_much = true;
    return misshapen(r, error);
}

/* The issuer gives way to an equal one that is kept already. */
static void share_issuer(struct cms_outline *outline, struct buf *issuer)
{
    size_t first = outline->issuer_count < ISSUERS_SHARED ? 0 : outline->issuer_count - ISSUERS_SHARED;
    struct buf *place;

    for (size_t i = outline->issuer_count; i-- > first;)
        if (buf_equal(&outline->issuers[i], issuer)) {
            buf_free(issuer);
            *issuer = outline->issuers[i];
            return;
        }
    place = mem_push(&outline->issuers, &outline->issuer_count, sizeof(*place));
    *place = *issuer;
}

/* Takes over what `recipient` holds. False: it is beyond a limit. */
static bool add_recipient(struct reader *r, struct cms_recipient *recipient)
{
    struct cms_outline *outline = r->outline;
    size_t issuers = outline->issuer_count;
    struct cms_recipient *place;

    if (outline->recipient_count >= CMS_RECIPIENTS_MAX)
        return too_much(r, "too many recipients");
    if (recipient->issuer.len > 0)
        share_issuer(outline, &recipient->issuer);
    place = mem_push(&outline->recipients, &outline->recipient_count, sizeof(*place));
    *place = *recipient;
    r->identifiers += recipient->serial.len + recipient->ski.len;
    if (outline->issuer_count > issuers)
        r->identifiers += recipient->issuer.len;
    memset(recipient, 0, sizeof(*recipient));
    return r->identifiers <= IDENTIFIERS_MAX || too_much(r, "recipient identifiers too large");
}

static void recipient_free(struct cms_recipient *recipient)
{
    buf_free(&recipient->issuer);
    buf_free(&recipient->serial);
    buf_free(&recipient->ski);
}

/* IssuerAndSerialNumber */
static bool read_issuer_serial(struct reader *r, struct cms_recipient *recipient)
{
    return ber_enter(r->ber, SEQUENCE, NULL) && ber_copy(r->ber, &recipient->issuer) &&
           ber_primitive(r->ber, INTEGER, SERIAL_MAX, &recipient->serial) && ber_leave(r->ber);
}

/* KeyTransRecipientInfo: version, rid, ... (RFC 5652 6.2.1) */
static bool read_keytrans(struct reader *r)
{
    struct cms_recipient recipient = {0};
    bool good = ber_enter(r->ber, SEQUENCE, NULL) && ber_skip(r->ber);

    if (good && ber_peek(r->ber) == IMPLICIT(0))
        good = ber_primitive(r->ber, IMPLICIT(0), SKI_MAX, &recipient.ski);
    else
        good = good && read_issuer_serial(r, &recipient);
    good = good && ber_leave(r->ber) && add_recipient(r, &recipient);
    recipient_free(&recipient);
    return good;
}

/* RecipientEncryptedKey: issuerAndSerialNumber or rKeyId [0] { subjectKeyIdentifier ... } (RFC 5652 6.2.2) */
static bool read_encrypted_key(struct reader *r)
{
    struct cms_recipient recipient = {0};
    bool good = ber_enter(r->ber, SEQUENCE, NULL);

    if (good && ber_peek(r->ber) == CONTEXT(0))
        good = ber_enter(r->ber, CONTEXT(0), NULL) &&
               ber_primitive(r->ber, OCTETS, SKI_MAX, &recipient.ski) && ber_leave(r->ber);
    else
        good = good && read_issuer_serial(r, &recipient);
    good = good && ber_leave(r->ber) && add_recipient(r, &recipient);
    recipient_free(&recipient);
    return good;
}

/* What one of these readers makes of an element. One that is damaged inside is passed over where its end is
   known: a recipient whom others cannot read must not keep the rest from reading. */
static bool read_one(struct reader *r, bool (*read)(struct reader *r))
{
    unsigned int depth = ber_depth(r->ber);

    if (read(r))
        return true;
    if (r->outline->too_much || !ber_give_up(r->ber, depth))
        return false;
    r->outline->other_recipients++;
    return true;
}

/* KeyAgreeRecipientInfo [1]: version, originator [0], ukm [1] OPTIONAL, keyEncryptionAlgorithm,
 * recipientEncryptedKeys */
static bool read_keyagree(struct reader *r)
{
    if (!ber_enter(r->ber, CONTEXT(1), NULL) || !ber_skip(r->ber) || !ber_skip(r->ber))
        return false;
    if (ber_peek(r->ber) == CONTEXT(1) && !ber_skip(r->ber))
        return false;
    if (!ber_skip(r->ber) || !ber_enter(r->ber, SEQUENCE, NULL))
        return false;
    while (ber_more(r->ber))
        if (!read_one(r, read_encrypted_key))
            return false;
    return ber_leave(r->ber) && ber_leave(r->ber);
}

static bool read_recipients(struct reader *r)
{
    bool good = true;

    if (!ber_enter(r->ber, SET, NULL))
        return false;
    while (good && ber_more(r->ber)) {
        switch (ber_peek(r->ber)) {
        case SEQUENCE:
            good = read_one(r, read_keytrans);
            break;
        case CONTEXT(1):
            good = read_one(r, read_keyagree);
            break;
        default:
            r->outline->other_recipients++;
            good = ber_skip(r->ber);
        }
    }
    return good && ber_leave(r->ber);
}

/* EnvelopedData and AuthEnvelopedData begin alike: version, originatorInfo [0] OPTIONAL, recipientInfos. With
   `whole`, the rest must have the right form: encryptedContentInfo, attributes, and the mac of the latter. */
static bool read_enveloped(struct reader *r, bool whole)
{
    bool mac = r->outline->type == CMS_AUTH_ENVELOPED;
    bool good;

    good = ber_enter(r->ber, SEQUENCE, NULL) && ber_skip(r->ber) &&
           (ber_peek(r->ber) != CONTEXT(0) || ber_skip(r->ber)) && read_recipients(r);
    if (!good || !whole)
        return good;
    if (ber_peek(r->ber) != SEQUENCE)
        return misshapen(r, "encryptedContentInfo is missing");
    good = ber_skip(r->ber);
    if (good && ber_peek(r->ber) == CONTEXT(1))
        good = ber_skip(r->ber);
    if (good && mac && ber_peek(r->ber) != OCTETS)
        return misshapen(r, "mac is missing");
    if (good && mac)
        good = ber_skip(r->ber);
    if (good && mac && ber_peek(r->ber) == CONTEXT(2))
        good = ber_skip(r->ber);
    if (good && ber_more(r->ber))
        return misshapen(r, "something follows inside");
    return good && ber_leave(r->ber);
}

/* eContent: its octets go into the digest. Other things than an OCTET STRING (PKCS #7) are content without a
 * digest. */
static bool read_content(struct reader *r)
{
    unsigned char octets[4096];
    struct sha256 *sha256;
    ssize_t n;
    int id;

    r->outline->has_content = true;
    if (!ber_enter(r->ber, CONTEXT(0), NULL))
        return false;
    id = ber_peek(r->ber);
    if (id != OCTETS && id != (OCTETS | 0x20))
        return ber_leave(r->ber);
    if (!ber_octets_enter(r->ber, OCTETS))
        return false;
    sha256 = sha256_new();
    while ((n = ber_octets_read(r->ber, octets, sizeof(octets))) > 0) {
        sha256_update(sha256, octets, (size_t)n);
        r->outline->content_length += (uint64_t)n;
    }
    sha256_final(sha256, r->outline->content_digest);
    sha256_free(sha256);
    return n == 0 && ber_leave(r->ber);
}

/* SignedData: version, digestAlgorithms, encapContentInfo, certificates [0], crls [1], signerInfos (RFC
 * 5652 5.1) */
static bool read_signed(struct reader *r)
{
    bool good = ber_enter(r->ber, SEQUENCE, NULL) && ber_skip(r->ber) && ber_skip(r->ber) &&
                ber_enter(r->ber, SEQUENCE, NULL) && ber_skip(r->ber);

    if (good && ber_peek(r->ber) == CONTEXT(0))
        good = read_content(r);
    good = good && ber_leave(r->ber);
    for (int tag = CONTEXT(0); tag <= CONTEXT(1); tag++)
        if (good && ber_peek(r->ber) == tag)
            good = ber_skip(r->ber);
    good = good && ber_enter(r->ber, SET, NULL);
    while (good && ber_more(r->ber)) {
        r->outline->signer_count++;
        good = ber_skip(r->ber);
    }
    return good && ber_leave(r->ber) && ber_leave(r->ber);
}

/* What ContentInfo holds; true as far as it had to be read and was sound. */
static bool read_content_info(struct reader *r, bool whole)
{
    struct buf oid = {0};
    bool good = ber_enter(r->ber, SEQUENCE, NULL) && ber_primitive(r->ber, OID, OID_MAX, &oid);

    if (good)
        r->outline->type = type_of(&oid);
    buf_free(&oid);
    good = good && ber_enter(r->ber, CONTEXT(0), NULL);
    if (!good)
        return false;
    switch (r->outline->type) {
    case CMS_ENVELOPED:
    case CMS_AUTH_ENVELOPED:
        good = read_enveloped(r, whole);
        break;
    case CMS_SIGNED:
        good = !whole || read_signed(r);
        break;
    default:
        good = !whole || ber_skip(r->ber);
    }
    if (!good || !whole)
        return good;
    return ber_leave(r->ber) && ber_leave(r->ber);
}

int cms_outline_read(struct cms_outline *outline, struct source *source, bool whole)
{
    struct reader r = {.source = source, .outline = outline};

    memset(outline, 0, sizeof(*outline));
    r.ber = ber_new(read_source, &r);
    outline->complete = read_content_info(&r, whole);
    if (outline->complete && whole) {
        outline->trailing = !ber_at_end_of_input(r.ber);
        outline->complete = ber_error(r.ber) == NULL;
    }
    if (!outline->complete && outline->error == NULL)
        outline->error = ber_error(r.ber) != NULL ? ber_error(r.ber) : "damaged";
    ber_free(r.ber);
    return r.read_error ? -1 : 0;
}

void cms_outline_free(struct cms_outline *outline)
{
    for (size_t i = 0; i < outline->recipient_count; i++) {
        buf_free(&outline->recipients[i].serial);
        buf_free(&outline->recipients[i].ski);
    }
    for (size_t i = 0; i < outline->issuer_count; i++)
        buf_free(&outline->issuers[i]);
    free(outline->recipients);
    free(outline->issuers);
    memset(outline, 0, sizeof(*outline));
}
