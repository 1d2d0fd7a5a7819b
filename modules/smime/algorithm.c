#include "modules/smime/algorithm.h"

#include <string.h>

#include <openssl/objects.h>

#include "modules/smime/der.h"
#include "modules/smime/oid.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct digest_algorithm digests[] = {
    {"sha256", "sha-256", NID_sha256, false, 0}, {"sha384", "sha-384", NID_sha384, false, 0},
    {"sha512", "sha-512", NID_sha512, false, 0}, {"sha224", NULL, NID_sha224, false, 0},
    {"shake256", NULL, NID_shake256, false, 64}, /* RFC 8419, RFC 8702 */
    {"sha1", NULL, NID_sha1, true, 0},           {"md5", NULL, NID_md5, true, 0},
};

static const struct cipher_algorithm ciphers[] = {
    {"aes-256-gcm", "AES-256-GCM", NID_aes_256_gcm, 32, 12, CIPHER_GCM, false},
    {"aes-192-gcm", "AES-192-GCM", NID_aes_192_gcm, 24, 12, CIPHER_GCM, false},
    {"aes-128-gcm", "AES-128-GCM", NID_aes_128_gcm, 16, 12, CIPHER_GCM, false},
    {"chacha20-poly1305", "ChaCha20-Poly1305", OID_CHACHA20_POLY1305, 32, 12, CIPHER_CHACHA20_POLY1305,
     false},
    {"aes-256-ccm", "AES-256-CCM", NID_aes_256_ccm, 32, 12, CIPHER_CCM, false},
    {"aes-192-ccm", "AES-192-CCM", NID_aes_192_ccm, 24, 12, CIPHER_CCM, false},
    {"aes-128-ccm", "AES-128-CCM", NID_aes_128_ccm, 16, 12, CIPHER_CCM, false},
    {"aes-256-cbc", "AES-256-CBC", NID_aes_256_cbc, 32, 16, CIPHER_CBC, false},
    {"aes-192-cbc", "AES-192-CBC", NID_aes_192_cbc, 24, 16, CIPHER_CBC, false},
    {"aes-128-cbc", "AES-128-CBC", NID_aes_128_cbc, 16, 16, CIPHER_CBC, false},
    {"camellia-256-cbc", "CAMELLIA-256-CBC", NID_camellia_256_cbc, 32, 16, CIPHER_CBC, false},
    {"camellia-192-cbc", "CAMELLIA-192-CBC", NID_camellia_192_cbc, 24, 16, CIPHER_CBC, false},
    {"camellia-128-cbc", "CAMELLIA-128-CBC", NID_camellia_128_cbc, 16, 16, CIPHER_CBC, false},
    {"des-ede3-cbc", "DES-EDE3-CBC", NID_des_ede3_cbc, 24, 8, CIPHER_CBC, true},
    {"rc2-cbc", "RC2-CBC", NID_rc2_cbc, 0, 8, CIPHER_CBC, true},
};

static const struct keytrans_scheme keytrans[] = {
    {"rsa-pkcs1", NID_undef},        {"rsa-oaep-sha1", NID_sha1},     {"rsa-oaep-sha224", NID_sha224},
    {"rsa-oaep-sha256", NID_sha256}, {"rsa-oaep-sha384", NID_sha384}, {"rsa-oaep-sha512", NID_sha512},
};

#define ECDH(hash)                                                                                           \
    {                                                                                                        \
        "ecdh-" #hash, NID_dhSinglePass_stdDH_##hash##kdf_scheme,                                            \
            NID_dhSinglePass_cofactorDH_##hash##kdf_scheme, false                                            \
    }
static const struct ecdh_scheme ecdh[] = {
    ECDH(sha1),
    ECDH(sha224),
    ECDH(sha256),
    ECDH(sha384),
    ECDH(sha512),
    {"ecdh-hkdf-sha256", OID_HKDF_SHA256, NID_undef, true},
    {"ecdh-hkdf-sha384", OID_HKDF_SHA384, NID_undef, true},
    {"ecdh-hkdf-sha512", OID_HKDF_SHA512, NID_undef, true},
};

static const struct wrap_algorithm wraps[] = {
    {"aes128", "AES-128-WRAP", NID_id_aes128_wrap, 16, false},
    {"aes192", "AES-192-WRAP", NID_id_aes192_wrap, 24, false},
    {"aes256", "AES-256-WRAP", NID_id_aes256_wrap, 32, false},
    {"des-ede3", "DES3-WRAP", NID_id_smime_alg_CMS3DESwrap, 24, true},
};

const struct digest_algorithm *digest_by_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < COUNT(digests); i++)
        if (strcmp(digests[i].name, name) == 0)
            return &digests[i];
    return NULL;
}

const struct digest_algorithm *digest_by_nid(int nid)
{
    for (size_t i = 0; i < COUNT(digests); i++)
        if (digests[i].nid == nid)
            return &digests[i];
    return NULL;
}

const struct digest_algorithm *digest_read(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid = NULL;
    const void *value = NULL;
    int64_t bits = 0;
    int type = V_ASN1_UNDEF;

    if (algorithm == NULL)
        return NULL;
    X509_ALGOR_get0(&oid, &type, &value, algorithm);
    if (oid_number(oid) != OID_SHAKE256_LEN)
        return digest_by_nid(der_plain_algorithm(algorithm));
    return type == V_ASN1_INTEGER && ASN1_INTEGER_get_int64(&bits, value) && bits == 512
               ? digest_by_nid(NID_shake256)
               : NULL;
}

const EVP_MD *digest_md(const struct digest_algorithm *digest)
{
    return EVP_get_digestbynid(digest->nid);
}

const struct cipher_algorithm *cipher_by_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < COUNT(ciphers); i++)
        if (strcmp(ciphers[i].name, name) == 0)
            return &ciphers[i];
    return NULL;
}

const struct cipher_algorithm *cipher_by_nid(int nid)
{
    for (size_t i = 0; i < COUNT(ciphers); i++)
        if (ciphers[i].nid == nid)
            return &ciphers[i];
    return NULL;
}

bool cipher_authenticates(const struct cipher_algorithm *cipher)
{
    return cipher->mode != CIPHER_CBC;
}

const struct keytrans_scheme *keytrans_by_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < COUNT(keytrans); i++)
        if (strcmp(keytrans[i].name, name) == 0)
            return &keytrans[i];
    return NULL;
}

const struct keytrans_scheme *keytrans_by_hash(int hash_nid)
{
    if (hash_nid == NID_undef) /* a damaged parameter must never become PKCS #1 v1.5 */
        return NULL;
    for (size_t i = 0; i < COUNT(keytrans); i++)
        if (keytrans[i].hash_nid == hash_nid)
            return &keytrans[i];
    return NULL;
}

const struct ecdh_scheme *ecdh_by_nid(int nid, bool *cofactor_r)
{
    for (size_t i = 0; nid != NID_undef && i < COUNT(ecdh); i++)
        if (ecdh[i].nid == nid || ecdh[i].cofactor_nid == nid) {
            *cofactor_r = ecdh[i].cofactor_nid == nid;
            return &ecdh[i];
        }
    return NULL;
}

const struct wrap_algorithm *wrap_by_nid(int nid)
{
    for (size_t i = 0; i < COUNT(wraps); i++)
        if (wraps[i].nid == nid)
            return &wraps[i];
    return NULL;
}

const char *signature_family_name(enum signature_family family)
{
    static const char *const names[] = {"rsa-pkcs1", "rsa-pss", "ecdsa", "dsa", "ed25519", "ed448"};

    return names[family];
}
