#include "modules/trust/strength.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "modules/trust/certificate.h"

static bool curve_accepted(const struct settings *settings, int nid)
{
    for (size_t i = 0; i < settings->curves.count; i++)
        if (settings_curve_nid(settings->curves.items[i]) == nid)
            return true;
    return false;
}

static bool digest_accepted(const struct settings *settings, int nid)
{
    for (size_t i = 0; i < settings->digests.count; i++)
        if (settings_digest_nid(settings->digests.items[i]) == nid)
            return true;
    return false;
}

static int curve_of(const EVP_PKEY *key)
{
    char group[80];

    if (!EVP_PKEY_is_a(key, "EC"))
        return EVP_PKEY_get_base_id(key); /* Ed25519 and its like are key types of their own */
    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) != 1)
        return NID_undef;
    return settings_curve_nid(group);
}

static void check_key(const struct settings *settings, X509 *certificate, enum fault_kind kind,
                      struct faults *faults)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    unsigned int bits = certificate_bits(certificate);
    int curve;

    if (key == NULL) {
        faults_add(faults, VERDICT_WEAK, kind, certificate, "a key of unknown kind");
        return;
    }
    if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")) {
        if (bits < settings->min_rsa_bits)
            faults_add(faults, VERDICT_WEAK, kind, certificate,
                       "an RSA key of only %u bits (at least %llu are required)", bits,
                       (unsigned long long)settings->min_rsa_bits);
        return;
    }
    curve = curve_of(key);
    if (!curve_accepted(settings, curve))
        faults_add(faults, VERDICT_WEAK, kind, certificate, "a key of a kind that is not accepted (%s)",
                   curve == NID_undef ? EVP_PKEY_get0_type_name(key) : OBJ_nid2sn(curve));
}

/* Ed25519 and Ed448 have their digest built in; their strength is that of the key. */
static void check_signature(const struct settings *settings, X509 *certificate, struct faults *faults)
{
    int digest = NID_undef, key = NID_undef;

    if (X509_get_signature_info(certificate, &digest, &key, NULL, NULL) != 1 ||
        (digest == NID_undef && key != NID_ED25519 && key != NID_ED448) ||
        (digest != NID_undef && !digest_accepted(settings, digest))) {
        int algorithm = X509_get_signature_nid(certificate);
        faults_add(faults, VERDICT_WEAK, FAULT_OF_PATH, certificate,
                   "signed with %s (%s), which is not accepted", OBJ_nid2ln(algorithm),
                   digest == NID_undef ? "no digest known" : OBJ_nid2sn(digest));
    }
}

void strength_check(const struct settings *settings, const struct path *path, struct faults *faults)
{
    for (size_t i = 0; i < path->count; i++) {
        const struct ca *ca = path->items[i];
        check_key(settings, ca->certificate, i == 0 ? FAULT_OF_CERTIFICATE : FAULT_OF_PATH, faults);
        if (!ca->anchor)
            check_signature(settings, ca->certificate, faults);
    }
    ERR_clear_error();
}

/* RSASSA-PSS names its digest in the parameters; SHA-1 where it does not (RFC 4055). */
static int pss_digest(const X509_ALGOR *algorithm)
{
    RSA_PSS_PARAMS *parameters =
        ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
    const ASN1_OBJECT *object = NULL;
    int digest = NID_undef;

    if (parameters == NULL)
        return NID_undef;
    if (parameters->hashAlgorithm == NULL) {
        digest = NID_sha1;
    } else {
        X509_ALGOR_get0(&object, NULL, NULL, parameters->hashAlgorithm);
        digest = OBJ_obj2nid(object);
    }
    RSA_PSS_PARAMS_free(parameters);
    return digest;
}

bool strength_of_crl(const struct settings *settings, const struct crl *crl)
{
    const X509_ALGOR *algorithm;
    const ASN1_OBJECT *object;
    int digest = NID_undef, key = NID_undef, nid;

    X509_CRL_get0_signature(crl->list->frame, NULL, &algorithm);
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    nid = OBJ_obj2nid(object);
    if (nid == NID_ED25519 || nid == NID_ED448)
        return true;
    if (OBJ_find_sigid_algs(nid, &digest, &key) != 1)
        return false;
    return digest_accepted(settings, nid == NID_rsassaPss ? pss_digest(algorithm) : digest);
}
