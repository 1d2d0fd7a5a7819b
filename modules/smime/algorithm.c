#include "modules/smime/algorithm.h"

#include <string.h>

#include <openssl/objects.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct digest_algorithm digests[] = {
    {"sha256", "sha-256", NID_sha256, false}, {"sha384", "sha-384", NID_sha384, false},
    {"sha512", "sha-512", NID_sha512, false}, {"sha224", NULL, NID_sha224, false},
    {"sha1", NULL, NID_sha1, true},           {"md5", NULL, NID_md5, true},
};

static const struct cipher_algorithm ciphers[] = {
    {"aes-256-gcm", "AES-256-GCM", NID_aes_256_gcm, 32, 12, true, false},
    {"aes-192-gcm", "AES-192-GCM", NID_aes_192_gcm, 24, 12, true, false},
    {"aes-128-gcm", "AES-128-GCM", NID_aes_128_gcm, 16, 12, true, false},
    {"aes-256-cbc", "AES-256-CBC", NID_aes_256_cbc, 32, 16, false, false},
    {"aes-192-cbc", "AES-192-CBC", NID_aes_192_cbc, 24, 16, false, false},
    {"aes-128-cbc", "AES-128-CBC", NID_aes_128_cbc, 16, 16, false, false},
    {"des-ede3-cbc", "DES-EDE3-CBC", NID_des_ede3_cbc, 24, 8, false, true},
    {"rc2-cbc", "RC2-CBC", NID_rc2_cbc, 0, 8, false, true},
};

static const struct keytrans_scheme keytrans[] = {
    {"rsa-pkcs1", NID_undef, NID_undef},
    {"rsa-oaep-sha1", NID_sha1, NID_sha1},
    {"rsa-oaep-sha256", NID_sha256, NID_sha256},
    {"rsa-oaep-sha384", NID_sha384, NID_sha384},
    {"rsa-oaep-sha512", NID_sha512, NID_sha512},
    {"rsa-oaep-sha256-mgf1-sha1", NID_sha256, NID_sha1},
    {"rsa-oaep-sha384-mgf1-sha1", NID_sha384, NID_sha1},
    {"rsa-oaep-sha512-mgf1-sha1", NID_sha512, NID_sha1},
};

static const struct ecdh_scheme ecdh[] = {
    {"ecdh-sha1", NID_dhSinglePass_stdDH_sha1kdf_scheme, NID_sha1},
    {"ecdh-sha224", NID_dhSinglePass_stdDH_sha224kdf_scheme, NID_sha224},
    {"ecdh-sha256", NID_dhSinglePass_stdDH_sha256kdf_scheme, NID_sha256},
    {"ecdh-sha384", NID_dhSinglePass_stdDH_sha384kdf_scheme, NID_sha384},
    {"ecdh-sha512", NID_dhSinglePass_stdDH_sha512kdf_scheme, NID_sha512},
};

static const struct wrap_algorithm wraps[] = {
    {"aes128", "AES-128-WRAP", NID_id_aes128_wrap, 16},
    {"aes192", "AES-192-WRAP", NID_id_aes192_wrap, 24},
    {"aes256", "AES-256-WRAP", NID_id_aes256_wrap, 32},
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

const struct keytrans_scheme *keytrans_by_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < COUNT(keytrans); i++)
        if (strcmp(keytrans[i].name, name) == 0)
            return &keytrans[i];
    return NULL;
}

const struct keytrans_scheme *keytrans_by_hashes(int hash_nid, int mgf1_nid)
{
    if (hash_nid == NID_undef) /* a damaged parameter must never become PKCS #1 v1.5 */
        return NULL;
    for (size_t i = 0; i < COUNT(keytrans); i++)
        if (keytrans[i].hash_nid == hash_nid && keytrans[i].mgf1_nid == mgf1_nid)
            return &keytrans[i];
    return NULL;
}

const struct ecdh_scheme *ecdh_by_nid(int nid)
{
    for (size_t i = 0; i < COUNT(ecdh); i++)
        if (ecdh[i].nid == nid)
            return &ecdh[i];
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
    static const char *const names[] = {"rsa-pkcs1", "rsa-pss", "ecdsa", "dsa", "ed25519"};

    return names[family];
}
