#include "modules/trust/use.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "modules/trust/certificate.h"

/* extendedKeyUsage is absent, or names emailProtection or anyExtendedKeyUsage. */
static bool for_mail(X509 *certificate)
{
    EXTENDED_KEY_USAGE *usages;
    bool allowed = false;
    int found = -1;

    usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, &found, NULL);
    if (usages == NULL)
        return found == -1;
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i));
        if (nid == NID_email_protect || nid == NID_anyExtendedKeyUsage)
            allowed = true;
    }
    EXTENDED_KEY_USAGE_free(usages);
    return allowed;
}

/* Netscape's older extension, where it is the only one that tells: bit 2 is S/MIME. */
static bool netscape_allows(X509 *certificate)
{
    ASN1_BIT_STRING *type;
    bool allowed;
    int found = -1;

    if (X509_get_ext_by_NID(certificate, NID_ext_key_usage, -1) >= 0)
        return true;
    type = X509_get_ext_d2i(certificate, NID_netscape_cert_type, &found, NULL);
    if (type == NULL)
        return found == -1;
    allowed = ASN1_BIT_STRING_get_bit(type, 2) != 0;
    ASN1_BIT_STRING_free(type);
    return allowed;
}

static const char *wrong_for_signing(uint32_t usage, const EVP_PKEY *key)
{
    if ((usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0)
        return "its keyUsage allows no signatures";
    if (EVP_PKEY_is_a(key, "X25519") || EVP_PKEY_is_a(key, "X448"))
        return "its key cannot sign";
    return NULL;
}

static const char *wrong_for_encryption(uint32_t usage, const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA"))
        return (usage & KU_KEY_ENCIPHERMENT) != 0 ? NULL
                                                  : "its keyUsage allows no encryption (keyEncipherment)";
    if (EVP_PKEY_is_a(key, "EC") || EVP_PKEY_is_a(key, "X25519") || EVP_PKEY_is_a(key, "X448"))
        return (usage & KU_KEY_AGREEMENT) != 0 ? NULL : "its keyUsage allows no encryption (keyAgreement)";
    return "its key cannot encrypt";
}

static const char *wrong_key_usage(enum use use, X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    uint32_t usage = X509_get_key_usage(certificate); /* all bits where the extension is absent */

    if (key == NULL)
        return "its key cannot be read";
    return use == USE_SIGN ? wrong_for_signing(usage, key) : wrong_for_encryption(usage, key);
}

static void check_issuers(const struct path *path, struct faults *faults)
{
    for (size_t i = 1; i < path->count; i++) {
        X509 *certificate = path->items[i]->certificate;
        char *subject;
        if (for_mail(certificate))
            continue;
        subject = certificate_subject(certificate);
        faults_add(faults, VERDICT_WRONG_USE, FAULT_OF_PATH, certificate,
                   "issuer %s does not certify for mail (extendedKeyUsage)", subject);
        free(subject);
    }
}

void use_check(enum use use, const struct path *path, struct faults *faults)
{
    X509 *certificate = path->items[0]->certificate;
    const char *wrong;

    if (use == USE_ANY)
        return;
    wrong = wrong_key_usage(use, certificate);
    if (wrong != NULL)
        faults_add(faults, VERDICT_WRONG_USE, FAULT_OF_CERTIFICATE, certificate, "%s", wrong);
    if (!for_mail(certificate) || !netscape_allows(certificate))
        faults_add(faults, VERDICT_WRONG_USE, FAULT_OF_CERTIFICATE, certificate,
                   "not made for mail: extendedKeyUsage without emailProtection");
    check_issuers(path, faults);
    ERR_clear_error();
}
