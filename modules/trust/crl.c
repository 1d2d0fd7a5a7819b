#include "modules/trust/crl.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "modules/trust/certificate.h"
#include "util/mem.h"

static bool known_extension(int nid)
{
    return nid == NID_issuing_distribution_point || nid == NID_authority_key_identifier ||
           nid == NID_delta_crl || nid == NID_crl_number;
}

static bool known_entry_extension(int nid)
{
    return nid == NID_crl_reason || nid == NID_certificate_issuer;
}

static bool unknown_critical(const STACK_OF(X509_EXTENSION) * extensions, bool (*known)(int nid))
{
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
        if (X509_EXTENSION_get_critical(extension) &&
            !known(OBJ_obj2nid(X509_EXTENSION_get_object(extension))))
            return true;
    }
    return false;
}

static bool any_unknown_critical(X509_CRL *x509_crl)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(x509_crl);

    if (unknown_critical(X509_CRL_get0_extensions(x509_crl), known_extension))
        return true;
    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++)
        if (unknown_critical(X509_REVOKED_get0_extensions(sk_X509_REVOKED_value(entries, i)),
                             known_entry_extension))
            return true;
    return false;
}

/* An extension that is there once at most and can be decoded, else the CRL is damaged. */
static void *read_extension(struct crl *crl, int nid)
{
    int found = 0;
    void *value = X509_CRL_get_ext_d2i(crl->x509_crl, nid, &found, NULL);

    if (value == NULL && found != -1)
        crl->damaged = true;
    return value;
}

static void read_scope(struct crl *crl)
{
    int at = X509_CRL_get_ext_by_NID(crl->x509_crl, NID_issuing_distribution_point, -1);
    const ASN1_OCTET_STRING *der;

    crl->scope = read_extension(crl, NID_issuing_distribution_point);
    if (at < 0)
        return;
    der = X509_EXTENSION_get_data(X509_CRL_get_ext(crl->x509_crl, at));
    buf_add(&crl->scope_der, ASN1_STRING_get0_data(der), (size_t)ASN1_STRING_length(der));
    if (crl->scope != NULL && crl->scope->distpoint != NULL &&
        DIST_POINT_set_dpname(crl->scope->distpoint, X509_CRL_get_issuer(crl->x509_crl)) != 1)
        crl->damaged = true;
}

struct crl *crl_new(X509_CRL *take)
{
    struct crl *crl = mem_alloc(sizeof(*crl));
    long version = X509_CRL_get_version(take);

    crl->x509_crl = take;
    crl->damaged = !certificate_time(X509_CRL_get0_lastUpdate(take), &crl->this_update);
    if (X509_CRL_get0_nextUpdate(take) != NULL &&
        !certificate_time(X509_CRL_get0_nextUpdate(take), &crl->next_update))
        crl->damaged = true;
    if (version != X509_CRL_VERSION_2 && (version != X509_CRL_VERSION_1 || X509_CRL_get_ext_count(take) > 0))
        crl->damaged = true;
    read_scope(crl);
    crl->number = read_extension(crl, NID_crl_number);
    crl->base = read_extension(crl, NID_delta_crl);
    crl->unknown = any_unknown_critical(take);
    ERR_clear_error();
    return crl;
}

struct crl *crl_parse(const struct buf *der)
{
    const unsigned char *p = (const unsigned char *)der->data;
    X509_CRL *x509_crl = der->len == 0 ? NULL : d2i_X509_CRL(NULL, &p, (long)der->len);

    ERR_clear_error();
    if (x509_crl == NULL)
        return NULL;
    if (p != (const unsigned char *)der->data + der->len) {
        X509_CRL_free(x509_crl);
        return NULL;
    }
    return crl_new(x509_crl);
}

void crl_free(struct crl *crl)
{
    if (crl == NULL)
        return;
    X509_CRL_free(crl->x509_crl);
    ISSUING_DIST_POINT_free(crl->scope);
    buf_free(&crl->scope_der);
    ASN1_INTEGER_free(crl->number);
    ASN1_INTEGER_free(crl->base);
    free(crl);
}

const X509_NAME *crl_issuer(const struct crl *crl)
{
    return X509_CRL_get_issuer(crl->x509_crl);
}

bool crl_verify(struct crl *crl, X509 *certificate, const char *fingerprint)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    if (fingerprint[0] != '\0' && strcmp(crl->verified_by, fingerprint) == 0)
        return true;
    if (key == NULL || X509_CRL_verify(crl->x509_crl, key) != 1) {
        ERR_clear_error();
        return false;
    }
    memcpy(crl->verified_by, fingerprint, FINGERPRINT_SIZE);
    return true;
}

bool crl_same_scope(const struct crl *a, const struct crl *b)
{
    return X509_NAME_cmp(crl_issuer(a), crl_issuer(b)) == 0 && a->scope_der.len == b->scope_der.len &&
           memcmp(buf_text(&a->scope_der), buf_text(&b->scope_der), a->scope_der.len) == 0;
}

bool crl_is_delta_to(const struct crl *delta, const struct crl *complete)
{
    if (delta->base == NULL || delta->number == NULL || complete->base != NULL || complete->number == NULL)
        return false;
    return crl_same_scope(delta, complete) && ASN1_INTEGER_cmp(delta->base, complete->number) <= 0 &&
           ASN1_INTEGER_cmp(delta->number, complete->number) > 0;
}

/* X509_CRL_get0_by_cert() knows about entries that name another issuer (indirect CRLs). */
enum crl_listing crl_look_up(const struct crl *crl, X509 *certificate, struct crl_entry *entry_r)
{
    X509_REVOKED *entry = NULL;
    ASN1_ENUMERATED *reason;
    int found = X509_CRL_get0_by_cert(crl->x509_crl, &entry, certificate);

    if (found == 0)
        return CRL_NOT_LISTED;
    if (found == 2)
        return CRL_REMOVED;
    reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    entry_r->reason = reason == NULL ? -1 : (int)ASN1_ENUMERATED_get(reason);
    entry_r->when = crl->this_update;
    certificate_time(X509_REVOKED_get0_revocationDate(entry), &entry_r->when);
    ASN1_ENUMERATED_free(reason);
    return CRL_LISTED;
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
