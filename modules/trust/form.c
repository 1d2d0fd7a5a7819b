#include "modules/trust/form.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "modules/trust/certificate.h"

static bool has_extension(const X509 *certificate, int nid)
{
    return X509_get_ext_by_NID(certificate, nid, -1) >= 0;
}

static bool not_critical(const X509 *certificate, int nid)
{
    int at = X509_get_ext_by_NID(certificate, nid, -1);

    return at >= 0 && !X509_EXTENSION_get_critical(X509_get_ext(certificate, at));
}

/* 4.2: no extension may stand there twice. */
static bool has_repeated_extension(const X509 *certificate)
{
    int count = X509_get_ext_count(certificate);

    for (int i = 0; i < count; i++) {
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(X509_get_ext(certificate, i));
        if (X509_get_ext_by_OBJ(certificate, object, i) >= 0)
            return true;
    }
    return false;
}

static bool is_read_here(X509_EXTENSION *extension)
{
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

    return X509_supported_extension(extension) == 1 || nid == NID_authority_key_identifier ||
           nid == NID_subject_key_identifier;
}

/* Lists of at least one element, by 4.2.1.4 to 4.2.1.13. */
static bool is_empty_list(X509_EXTENSION *extension)
{
    static const int lists[] = {NID_certificate_policies,   NID_policy_mappings,    NID_subject_alt_name,
                                NID_name_constraints,       NID_policy_constraints, NID_ext_key_usage,
                                NID_crl_distribution_points};
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

    if (ASN1_STRING_length(X509_EXTENSION_get_data(extension)) > 2)
        return false;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (lists[i] == nid)
            return true;
    return false;
}

static bool has_damaged_extension(X509 *certificate)
{
    int count = X509_get_ext_count(certificate);

    if ((X509_get_extension_flags(certificate) & EXFLAG_INVALID) != 0)
        return true;
    for (int i = 0; i < count; i++) {
        X509_EXTENSION *extension = X509_get_ext(certificate, i);
        if (is_read_here(extension) && (!certificate_extension_whole(extension) || is_empty_list(extension)))
            return true;
    }
    return false;
}

static bool has_unique_identifiers(const X509 *certificate)
{
    const ASN1_BIT_STRING *issuer, *subject;

    X509_get0_uids(certificate, &issuer, &subject);
    return issuer != NULL || subject != NULL;
}

/* With an even modulus, or an exponent of 1 or even, anybody can sign, or nobody. */
static bool is_odd_rsa(const EVP_PKEY *key)
{
    BIGNUM *modulus = NULL, *exponent = NULL;
    bool odd = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
               EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_odd(modulus) &&
               BN_is_odd(exponent) && !BN_is_one(exponent);

    BN_free(modulus);
    BN_free(exponent);
    return odd;
}

static bool is_on_curve(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool good = context != NULL && EVP_PKEY_public_check_quick(context) == 1;

    EVP_PKEY_CTX_free(context);
    return good;
}

static const char *fault_of_key(X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    if (key == NULL)
        return "its public key cannot be read";
    if ((EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")) && !is_odd_rsa(key))
        return "an RSA key that protects nothing (an even number, or exponent 1)";
    if (EVP_PKEY_is_a(key, "EC") && !is_on_curve(key))
        return "an elliptic curve key that is no point of its curve";
    return NULL;
}

static const char *fault_of(const struct settings *settings, X509 *certificate)
{
    long version = X509_get_version(certificate);

    if (version < X509_VERSION_1 || version > X509_VERSION_3)
        return "unknown version of certificate"; /* 4.1.2.1 */
    if (version != X509_VERSION_3 && X509_get_ext_count(certificate) > 0)
        return "extensions in a certificate that is not of version 3"; /* 4.1.2.9 */
    if (version == X509_VERSION_1 && has_unique_identifiers(certificate))
        return "unique identifiers in a certificate of version 1"; /* 4.1.2.8 */
    if (X509_NAME_entry_count(X509_get_issuer_name(certificate)) == 0)
        return "its issuer has no name"; /* 4.1.2.4 */
    if (has_repeated_extension(certificate))
        return "an extension stands there twice";
    if (has_damaged_extension(certificate))
        return "an extension is damaged";
    if (has_extension(certificate, NID_name_constraints) && !certificate_is_ca(certificate))
        return "name constraints in a certificate that is no CA's"; /* 4.2.1.10 */
    if (settings->critical_policy_constraints && (not_critical(certificate, NID_policy_constraints) ||
                                                  not_critical(certificate, NID_inhibit_any_policy)))
        return "policy constraints that are not critical (CRITICAL_POLICY_CONSTRAINTS)"; /* 4.2.1.11, 4.2.1.14
                                                                                          */
    if (settings->critical_name_constraints && not_critical(certificate, NID_name_constraints))
        return "name constraints that are not critical (CRITICAL_NAME_CONSTRAINTS)"; /* 4.2.1.10 */
    return fault_of_key(certificate);
}

void form_check(const struct settings *settings, X509 *certificate, struct faults *faults)
{
    const char *fault = fault_of(settings, certificate);

    ERR_clear_error();
    if (fault != NULL)
        faults_add(faults, VERDICT_NO_PATH, FAULT_OF_PATH, certificate, "%s", fault);
}
