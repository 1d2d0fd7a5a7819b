#include "modules/smime/signature.h"

#include <stdio.h>
#include <string.h>

#include <openssl/rsa.h>

#include "modules/smime/der.h"

#define PSS_SALT_MAX 512 /* octets; no hash and no key of today has use for more */

void signature_scheme_name(const struct signature_scheme *scheme, char *name_r, size_t size)
{
    const char *family = signature_family_name(scheme->family);

    if (signature_is_of_message(scheme))
        snprintf(name_r, size, "%s", family);
    else
        snprintf(name_r, size, "%s-%s", family, scheme->digest->name);
}

bool signature_is_of_message(const struct signature_scheme *scheme)
{
    return scheme->family == SIGNATURE_ED25519 || scheme->family == SIGNATURE_ED448;
}

/* Parameters in the order of RSASSA-PSS-params; absent ones are SHA-1, mgf1 with SHA-1, 20, 1. */
static bool read_pss(const RSA_PSS_PARAMS *pss, struct signature_scheme *scheme)
{
    int64_t salt_len = 20, trailer = 1;

    scheme->digest = digest_by_nid(der_hash_nid(pss->hashAlgorithm));
    scheme->mgf1 = digest_by_nid(der_mgf1_hash_nid(pss->maskGenAlgorithm));
    if (scheme->digest == NULL || scheme->mgf1 == NULL ||
        (pss->saltLength != NULL && !ASN1_INTEGER_get_int64(&salt_len, pss->saltLength)) ||
        (pss->trailerField != NULL && !ASN1_INTEGER_get_int64(&trailer, pss->trailerField)) || salt_len < 0 ||
        salt_len > PSS_SALT_MAX || trailer != 1)
        return false;
    scheme->family = SIGNATURE_RSA_PSS;
    scheme->salt_len = (int)salt_len;
    return true;
}

/* An RSASSA-PSS key may bind its digest and the least salt length (RFC 4055 3.3). */
static bool obey_pss_key(X509 *certificate, struct signature_scheme *scheme)
{
    X509_ALGOR *algorithm = NULL;
    struct signature_scheme bound = {0};
    RSA_PSS_PARAMS *pss;
    int type = V_ASN1_UNDEF;
    bool ok;

    X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, X509_get_X509_PUBKEY(certificate));
    X509_ALGOR_get0(NULL, &type, NULL, algorithm);
    if (type == V_ASN1_UNDEF || type == V_ASN1_NULL)
        return true;
    pss = der_decode_parameters(algorithm, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    ok = pss != NULL && read_pss(pss, &bound) && bound.digest == bound.mgf1 && bound.digest->micalg != NULL &&
         bound.salt_len <= EVP_MD_get_size(digest_md(bound.digest));
    if (ok)
        scheme->digest = bound.digest;
    RSA_PSS_PARAMS_free(pss);
    return ok;
}

bool signature_scheme_choose(X509 *certificate, bool pss, const struct digest_algorithm *digest,
                             struct signature_scheme *scheme_r)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    memset(scheme_r, 0, sizeof(*scheme_r));
    scheme_r->digest = digest;
    if (key == NULL)
        return false;
    if (EVP_PKEY_is_a(key, "EC")) {
        scheme_r->family = SIGNATURE_ECDSA;
        return true;
    }
    if (EVP_PKEY_is_a(key, "ED25519")) { /* which has its digest with it (RFC 8419 3.1) */
        scheme_r->family = SIGNATURE_ED25519;
        scheme_r->digest = digest_by_nid(NID_sha512);
        return true;
    }
    if (EVP_PKEY_is_a(key, "RSA")) {
        scheme_r->family = pss ? SIGNATURE_RSA_PSS : SIGNATURE_RSA_PKCS1;
    } else {
        scheme_r->family = SIGNATURE_RSA_PSS;
        if (!EVP_PKEY_is_a(key, "RSA-PSS") || !obey_pss_key(certificate, scheme_r))
            return false;
    }
    scheme_r->mgf1 = scheme_r->digest;
    scheme_r->salt_len = EVP_MD_get_size(digest_md(scheme_r->digest));
    return true;
}

static bool set_pss(X509_ALGOR *algorithm, const struct signature_scheme *scheme)
{
    RSA_PSS_PARAMS *pss = RSA_PSS_PARAMS_new();
    bool ok;

    if (pss == NULL)
        return false;
    pss->hashAlgorithm = der_hash_algorithm(scheme->digest->nid);
    pss->maskGenAlgorithm = der_mgf1_algorithm(scheme->mgf1->nid);
    pss->saltLength = ASN1_INTEGER_new();
    ok = pss->hashAlgorithm != NULL && pss->maskGenAlgorithm != NULL && pss->saltLength != NULL &&
         ASN1_INTEGER_set(pss->saltLength, scheme->salt_len) &&
         der_set_algorithm(algorithm, NID_rsassaPss, pss, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    RSA_PSS_PARAMS_free(pss);
    return ok;
}

bool signature_set_algorithm(X509_ALGOR *algorithm, const struct signature_scheme *scheme)
{
    int nid = NID_undef;

    switch (scheme->family) {
    case SIGNATURE_RSA_PKCS1:
        return X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL);
    case SIGNATURE_RSA_PSS:
        return set_pss(algorithm, scheme);
    case SIGNATURE_ECDSA:
        return OBJ_find_sigid_by_algs(&nid, scheme->digest->nid, NID_X9_62_id_ecPublicKey) &&
               X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), V_ASN1_UNDEF, NULL);
    case SIGNATURE_ED25519:
        return X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_ED25519), V_ASN1_UNDEF, NULL);
    case SIGNATURE_DSA:
    case SIGNATURE_ED448:
        break;
    }
    return false;
}

static enum signature_read read_pss_algorithm(const X509_ALGOR *algorithm,
                                              const struct digest_algorithm *digest,
                                              struct signature_scheme *scheme_r)
{
    RSA_PSS_PARAMS *pss = der_decode_parameters(algorithm, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    bool ok = pss != NULL && read_pss(pss, scheme_r);

    RSA_PSS_PARAMS_free(pss);
    return ok && scheme_r->digest == digest ? SIGNATURE_READ : SIGNATURE_MISMATCH;
}

enum signature_read signature_read_algorithm(const X509_ALGOR *algorithm,
                                             const struct digest_algorithm *digest,
                                             struct signature_scheme *scheme_r)
{
    static const struct {
        int key_nid;
        enum signature_family family;
    } families[] = {
        {NID_rsaEncryption, SIGNATURE_RSA_PKCS1},
        {NID_X9_62_id_ecPublicKey, SIGNATURE_ECDSA},
        {NID_dsa, SIGNATURE_DSA},
        {NID_dsa_2, SIGNATURE_DSA},
        {NID_ED25519, SIGNATURE_ED25519},
        {NID_ED448, SIGNATURE_ED448},
    };
    const ASN1_OBJECT *oid = NULL;
    int nid, key_nid, digest_nid = NID_undef;

    memset(scheme_r, 0, sizeof(*scheme_r));
    scheme_r->digest = digest;
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    nid = key_nid = OBJ_obj2nid(oid);
    if (nid == NID_rsassaPss)
        return read_pss_algorithm(algorithm, digest, scheme_r);
    if (nid != NID_undef && OBJ_find_sigid_algs(nid, &digest_nid, &key_nid) && digest_nid != NID_undef &&
        digest_nid != digest->nid)
        return SIGNATURE_MISMATCH;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (nid != NID_undef && families[i].key_nid == key_nid) {
            scheme_r->family = families[i].family;
            /* RSA and ECDSA over SHAKE (RFC 8702) have identifiers of their own, which OpenSSL does not know
             */
            return digest->xof_len > 0 && !signature_is_of_message(scheme_r) ? SIGNATURE_UNSUPPORTED
                                                                             : SIGNATURE_READ;
        }
    return SIGNATURE_UNSUPPORTED;
}

static bool key_fits(const struct signature_scheme *scheme, const EVP_PKEY *key)
{
    switch (scheme->family) {
    case SIGNATURE_RSA_PKCS1:
        return EVP_PKEY_is_a(key, "RSA");
    case SIGNATURE_RSA_PSS:
        return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
    case SIGNATURE_ECDSA:
        return EVP_PKEY_is_a(key, "EC");
    case SIGNATURE_DSA:
        return EVP_PKEY_is_a(key, "DSA");
    case SIGNATURE_ED25519:
        return EVP_PKEY_is_a(key, "ED25519");
    case SIGNATURE_ED448:
        return EVP_PKEY_is_a(key, "ED448");
    }
    return false;
}

static bool configure(EVP_PKEY_CTX *ctx, const struct signature_scheme *scheme)
{
    if (EVP_PKEY_verify_init(ctx) <= 0 || EVP_PKEY_CTX_set_signature_md(ctx, digest_md(scheme->digest)) <= 0)
        return false;
    if (scheme->family == SIGNATURE_RSA_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    if (scheme->family == SIGNATURE_RSA_PSS)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest_md(scheme->mgf1)) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, scheme->salt_len) > 0;
    return true;
}

enum signature_result signature_verify(const struct signature_scheme *scheme, EVP_PKEY *key,
                                       const void *digest, size_t digest_len, const void *signature,
                                       size_t signature_len)
{
    enum signature_result result = SIGNATURE_BAD;
    EVP_PKEY_CTX *ctx;

    if (!key_fits(scheme, key))
        return SIGNATURE_BAD;
    ctx = EVP_PKEY_missing_parameters(key) ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (ctx == NULL || !configure(ctx, scheme))
        result = SIGNATURE_KEY_UNSUPPORTED;
    else if (EVP_PKEY_verify(ctx, signature, signature_len, digest, digest_len) == 1)
        result = SIGNATURE_GOOD;
    EVP_PKEY_CTX_free(ctx);
    return result;
}

enum signature_result signature_verify_message(const struct signature_scheme *scheme, EVP_PKEY *key,
                                               const void *message, size_t message_len, const void *signature,
                                               size_t signature_len)
{
    enum signature_result result = SIGNATURE_BAD;
    EVP_MD_CTX *ctx;

    if (!key_fits(scheme, key))
        return SIGNATURE_BAD;
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) <= 0)
        result = SIGNATURE_KEY_UNSUPPORTED;
    else if (EVP_DigestVerify(ctx, signature, signature_len, message, message_len) == 1)
        result = SIGNATURE_GOOD;
    EVP_MD_CTX_free(ctx);
    return result;
}
