/* The own reader of CRLs against OpenSSL's: whatever both read lists the same certificates, and what OpenSSL
   writes as DER is read by both. */
#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "modules/trust/crl.h"
#include "util/buf.h"

#define LOOK_UPS 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An entry whose issuer or reason cannot be read makes OpenSSL ignore all issuers from there on; here an
   unreadable issuer may be the one that is asked for. Of two entries for one certificate here the one that
   revokes counts, there any. */
static bool comparable(X509_CRL *theirs)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(theirs);

    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        int found = 0, found_reason = 0;
        ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &found_reason, NULL);
        GENERAL_NAMES *names = X509_REVOKED_get_ext_d2i(entry, NID_certificate_issuer, &found, NULL);

        GENERAL_NAMES_free(names);
        ASN1_ENUMERATED_free(reason);
        if ((names == NULL && found != -1) || (reason == NULL && found_reason != -1))
            return false;
        for (int k = 0; k < i && i < LOOK_UPS * 2; k++)
            if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(entry),
                                 X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, k))) == 0)
                return false;
    }
    return true;
}

static void compare_look_up(const struct crl *ours, X509_CRL *theirs, const ASN1_INTEGER *serial)
{
    static const enum crl_listing expected[] = {CRL_NOT_LISTED, CRL_LISTED, CRL_REMOVED};
    X509 *certificate = X509_new();
    struct crl_entry entry;
    X509_REVOKED *found;

    X509_set_issuer_name(certificate, crl_issuer(ours));
    X509_set_serialNumber(certificate, (ASN1_INTEGER *)(uintptr_t)serial);
    if (crl_look_up(ours, certificate, &entry) !=
        expected[X509_CRL_get0_by_cert(theirs, &found, certificate)])
        __builtin_trap();
    X509_free(certificate);
}

static void compare(const struct crl *ours, X509_CRL *theirs)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(theirs);
    STACK_OF(X509_REVOKED) *in_order = sk_X509_REVOKED_dup(entries);
    struct areas_crl_entry entry;
    int count = 0;

    for (size_t at = 0; areas_crl_next(ours->list, &at, &entry);)
        count++;
    if (count != (entries == NULL ? 0 : sk_X509_REVOKED_num(entries)) ||
        X509_NAME_cmp(crl_issuer(ours), X509_CRL_get_issuer(theirs)) != 0)
        __builtin_trap();
    if (comparable(theirs))
        for (int i = 0; in_order != NULL && i < sk_X509_REVOKED_num(in_order) && i < LOOK_UPS; i++)
            compare_look_up(ours, theirs, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(in_order, i)));
    sk_X509_REVOKED_free(in_order);
}

/* Is this what OpenSSL itself would write? A name keeps the form that it came in. */
static bool is_der(X509_CRL *theirs, const uint8_t *data, size_t size)
{
    unsigned char *der = NULL;
    X509_CRL *copy = X509_CRL_dup(theirs);
    int len = copy == NULL ? -1 : i2d_re_X509_CRL_tbs(copy, &der);
    const unsigned char *name = NULL;
    size_t name_len = 0;
    bool same = len > 0 && memmem(data, size, der, (size_t)len) != NULL &&
                X509_NAME_get0_der(X509_CRL_get_issuer(theirs), &name, &name_len) == 1 && name_len > 0 &&
                name[0] == 0x30;

    OPENSSL_free(der);
    X509_CRL_free(copy);
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned char *p = data;
    X509_CRL *theirs = d2i_X509_CRL(NULL, &p, (long)size);
    struct buf der = {0};
    struct crl *ours;

    buf_add(&der, data, size);
    ours = crl_parse(&der);
    if (theirs != NULL && p == data + size && ours == NULL && is_der(theirs, data, size))
        __builtin_trap();
    if (theirs != NULL && ours != NULL)
        compare(ours, theirs);
    crl_free(ours);
    X509_CRL_free(theirs);
    buf_free(&der);
    ERR_clear_error();
    return 0;
}
