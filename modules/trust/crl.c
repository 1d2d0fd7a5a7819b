#include "modules/trust/crl.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "modules/areas/fields.h"
#include "modules/trust/certificate.h"
#include "util/mem.h"

static bool known_extension(int nid)
{
    return nid == NID_issuing_distribution_point || nid == NID_authority_key_identifier ||
           nid == NID_delta_crl || nid == NID_crl_number;
}

static bool unknown_critical(const STACK_OF(X509_EXTENSION) * extensions)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
        if (X509_EXTENSION_get_critical(extension) &&
            !known_extension(OBJ_obj2nid(X509_EXTENSION_get_object(extension))))
            return true;
    }
    return false;
}

/* An extension that is there once at most and can be decoded, else the CRL is damaged. */
static void *read_extension(struct crl *crl, int nid)
{
    const X509_CRL *frame = crl->list->frame;
    int found = 0, at = X509_CRL_get_ext_by_NID(frame, nid, -1);
    void *value = X509_CRL_get_ext_d2i(frame, nid, &found, NULL);

    if ((value == NULL && found != -1) ||
        (at >= 0 && !certificate_extension_whole(X509_CRL_get_ext(frame, at))))
        crl->damaged = true;
    return value;
}

static void read_scope(struct crl *crl)
{
    int at = X509_CRL_get_ext_by_NID(crl->list->frame, NID_issuing_distribution_point, -1);
    const ASN1_OCTET_STRING *der;

    crl->scope = read_extension(crl, NID_issuing_distribution_point);
    if (at < 0)
        return;
    der = X509_EXTENSION_get_data(X509_CRL_get_ext(crl->list->frame, at));
    buf_add(&crl->scope_der, ASN1_STRING_get0_data(der), (size_t)ASN1_STRING_length(der));
    if (crl->scope != NULL && crl->scope->distpoint != NULL &&
        DIST_POINT_set_dpname(crl->scope->distpoint, crl_issuer(crl)) != 1)
        crl->damaged = true;
}

struct crl *crl_new(struct areas_crl *take)
{
    struct crl *crl = mem_alloc(sizeof(*crl));
    X509_CRL *frame = take->frame;
    long version = X509_CRL_get_version(frame);

    crl->list = take;
    crl->damaged = !certificate_time(X509_CRL_get0_lastUpdate(frame), &crl->this_update);
    if (X509_CRL_get0_nextUpdate(frame) != NULL &&
        !certificate_time(X509_CRL_get0_nextUpdate(frame), &crl->next_update))
        crl->damaged = true;
    if (version != X509_CRL_VERSION_2 && (version != X509_CRL_VERSION_1 || X509_CRL_get_ext_count(frame) > 0))
        crl->damaged = true;
    read_scope(crl);
    crl->number = read_extension(crl, NID_crl_number);
    crl->base = read_extension(crl, NID_delta_crl);
    crl->unknown = take->unknown || unknown_critical(X509_CRL_get0_extensions(frame));
    ERR_clear_error();
    return crl;
}

struct crl *crl_parse(const struct buf *der)
{
    const unsigned char *p = (const unsigned char *)der->data;
    struct areas_crl *list = der->len == 0 ? NULL : areas_crl_parse(&p, der->len);

    if (list == NULL)
        return NULL;
    if (p != (const unsigned char *)der->data + der->len) {
        areas_crl_free(list);
        return NULL;
    }
    return crl_new(list);
}

void crl_free(struct crl *crl)
{
    if (crl == NULL)
        return;
    areas_crl_free(crl->list);
    ISSUING_DIST_POINT_free(crl->scope);
    buf_free(&crl->scope_der);
    ASN1_INTEGER_free(crl->number);
    ASN1_INTEGER_free(crl->base);
    free(crl);
}

const X509_NAME *crl_issuer(const struct crl *crl)
{
    return X509_CRL_get_issuer(crl->list->frame);
}

bool crl_verify(struct crl *crl, X509 *certificate, const char *fingerprint)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    if (fingerprint[0] != '\0' && strcmp(crl->verified_by, fingerprint) == 0)
        return true;
    if (key == NULL || !areas_crl_verify(crl->list, key))
        return false;
    memcpy(crl->verified_by, fingerprint, FINGERPRINT_SIZE);
    return true;
}

bool crl_same_scope(const struct crl *a, const struct crl *b)
{
    return X509_NAME_cmp(crl_issuer(a), crl_issuer(b)) == 0 && buf_equal(&a->scope_der, &b->scope_der);
}

bool crl_is_delta_to(const struct crl *delta, const struct crl *complete)
{
    if (delta->base == NULL || delta->number == NULL || complete->base != NULL || complete->number == NULL)
        return false;
    return crl_same_scope(delta, complete) && ASN1_INTEGER_cmp(delta->base, complete->number) <= 0 &&
           ASN1_INTEGER_cmp(delta->number, complete->number) > 0;
}

/* Whose certificates an entry and those behind it speak of: the CRL's issuer until an entry of an indirect
   CRL names another (RFC 5280 5.3.3). NULL stays the CRL's issuer. False: an entry names one that cannot be
   read. */
static bool note_issuer(const struct areas_crl_entry *entry, GENERAL_NAMES **issuer)
{
    const unsigned char *p = entry->der;
    X509_REVOKED *revoked = d2i_X509_REVOKED(NULL, &p, (long)entry->len);
    GENERAL_NAMES *names =
        revoked == NULL ? NULL : X509_REVOKED_get_ext_d2i(revoked, NID_certificate_issuer, NULL, NULL);

    X509_REVOKED_free(revoked);
    if (names == NULL)
        return false;
    GENERAL_NAMES_free(*issuer);
    *issuer = names;
    return true;
}

static bool is_of(const struct crl *crl, const GENERAL_NAMES *issuer, const X509_NAME *wanted)
{
    if (issuer == NULL)
        return X509_NAME_cmp(crl_issuer(crl), wanted) == 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(issuer); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(issuer, i);

        if (name->type == GEN_DIRNAME && X509_NAME_cmp(name->d.directoryName, wanted) == 0)
            return true;
    }
    return false;
}

/* What an entry says of the certificate that it lists. One that cannot be read lists it all the same. */
static enum crl_listing read_listing(const struct crl *crl, const struct areas_crl_entry *entry,
                                     struct crl_entry *entry_r)
{
    const unsigned char *p = entry->der;
    X509_REVOKED *revoked = d2i_X509_REVOKED(NULL, &p, (long)entry->len);
    ASN1_ENUMERATED *reason =
        revoked == NULL ? NULL : X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);

    entry_r->reason = reason == NULL ? -1 : (int)ASN1_ENUMERATED_get(reason);
    entry_r->when = crl->this_update;
    if (revoked != NULL)
        certificate_time(X509_REVOKED_get0_revocationDate(revoked), &entry_r->when);
    ASN1_ENUMERATED_free(reason);
    X509_REVOKED_free(revoked);
    return entry_r->reason == CRL_REASON_REMOVE ? CRL_REMOVED : CRL_LISTED;
}

static bool same_serial(const struct areas_crl_entry *entry, const struct buf *serial)
{
    struct buf octets = {0};
    bool same;

    /* the last octet is the same however many zeroes stand in front */
    if (serial->len == 0 || entry->serial_len < serial->len ||
        entry->serial[entry->serial_len - 1] != (unsigned char)serial->data[serial->len - 1])
        return false;
    areas_fields_serial(entry->serial, entry->serial_len, &octets);
    same = buf_equal(&octets, serial);
    buf_free(&octets);
    return same;
}

enum crl_listing crl_look_up(const struct crl *crl, X509 *certificate, struct crl_entry *entry_r)
{
    const X509_NAME *wanted = X509_get_issuer_name(certificate);
    enum crl_listing listing = CRL_NOT_LISTED;
    struct areas_crl_entry entry;
    GENERAL_NAMES *issuer = NULL;
    struct buf serial = {0};
    bool readable = true;

    areas_fields_certificate_serial(certificate, &serial);
    for (size_t at = 0; listing != CRL_LISTED && areas_crl_next(crl->list, &at, &entry);) {
        if (entry.names_issuer)
            readable = note_issuer(&entry, &issuer);
        /* an issuer that cannot be read may be the one */
        if (same_serial(&entry, &serial) && (!readable || is_of(crl, issuer, wanted)))
            listing = read_listing(crl, &entry, entry_r);
    }
    GENERAL_NAMES_free(issuer);
    buf_free(&serial);
    ERR_clear_error();
    return listing;
}

const char *crl_reason_name(int reason)
{
    static const char *const names[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", NULL,
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
    };

    return reason < 0 || reason >= (int)(sizeof(names) / sizeof(names[0])) ? NULL : names[reason];
}
