/* Ephemeral-static ECDH on curves with a name (RFC 5753, dhSinglePass-stdDH) and by X25519 and X448 (RFC
   8418): X9.63 KDF or HKDF over the shared secret, then key unwrap (RFC 3394, RFC 3217). Shared secret and
   key-encryption key stay in these functions. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <string.h>

#include "modules/keys-file/opening.h"

#define KEK_MAX    32
#define SECRET_MAX 128   /* octets of a shared secret; the largest curve in OpenSSL has 72 */
#define INFO_MAX   65536 /* ukm is inside; real ones have 64 octets */

static const struct derivation {
    const char *name, *kdf, *md;
} derivations[] = {
    {"ecdh-sha1", OSSL_KDF_NAME_X963KDF, "SHA1"},       {"ecdh-sha224", OSSL_KDF_NAME_X963KDF, "SHA224"},
    {"ecdh-sha256", OSSL_KDF_NAME_X963KDF, "SHA256"},   {"ecdh-sha384", OSSL_KDF_NAME_X963KDF, "SHA384"},
    {"ecdh-sha512", OSSL_KDF_NAME_X963KDF, "SHA512"},   {"ecdh-hkdf-sha256", OSSL_KDF_NAME_HKDF, "SHA256"},
    {"ecdh-hkdf-sha384", OSSL_KDF_NAME_HKDF, "SHA384"}, {"ecdh-hkdf-sha512", OSSL_KDF_NAME_HKDF, "SHA512"},
};

static const struct wrap {
    const char *name, *cipher;
    size_t kek_len;
    size_t added; /* octets that a wrapped key is longer */
} wraps[] = {
    {"aes128", "AES-128-WRAP", 16, 8},
    {"aes192", "AES-192-WRAP", 24, 8},
    {"aes256", "AES-256-WRAP", 32, 8},
    {"des-ede3", "DES3-WRAP", 24, 16},
};

static const struct derivation *find_derivation(const char *scheme)
{
    for (size_t i = 0; i < sizeof(derivations) / sizeof(derivations[0]); i++)
        if (strcmp(derivations[i].name, scheme) == 0)
            return &derivations[i];
    return NULL;
}

static const struct wrap *find_wrap(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof(wraps) / sizeof(wraps[0]); i++)
        if (strcmp(wraps[i].name, name) == 0)
            return &wraps[i];
    return NULL;
}

static bool can_agree(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "EC") == 1 || EVP_PKEY_is_a(key, "X25519") == 1 ||
           EVP_PKEY_is_a(key, "X448") == 1;
}

/* The originator's public key as one of our kind; a point that is not on our curve is refused. */
static EVP_PKEY *peer_key(const EVP_PKEY *key, const struct buf *octets)
{
    const unsigned char *public_key = (const unsigned char *)buf_text(octets);
    EVP_PKEY *peer;

    if (EVP_PKEY_is_a(key, "EC") != 1)
        return EVP_PKEY_new_raw_public_key_ex(NULL, EVP_PKEY_get0_type_name(key), NULL, public_key,
                                              octets->len);
    peer = EVP_PKEY_new();
    if (peer != NULL && EVP_PKEY_copy_parameters(peer, key) > 0 &&
        EVP_PKEY_set1_encoded_public_key(peer, public_key, octets->len) > 0)
        return peer;
    EVP_PKEY_free(peer);
    return NULL;
}

/* X25519 and X448 fail where the secret would be zero (RFC 8418 section 6). */
static bool agree(EVP_PKEY *key, const struct buf *originator, unsigned char secret[SECRET_MAX],
                  size_t *len_r)
{
    EVP_PKEY *peer = peer_key(key, originator);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool ok;

    *len_r = SECRET_MAX;
    ok = peer != NULL && ctx != NULL && EVP_PKEY_derive_init(ctx) > 0 &&
         EVP_PKEY_derive_set_peer(ctx, peer) > 0 && EVP_PKEY_derive(ctx, secret, len_r) > 0;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return ok;
}

/* OpenSSL wants an absent salt left out. */
static bool derive(const struct derivation *derivation, const struct opening *opening, unsigned char *secret,
                   size_t secret_len, unsigned char *kek, size_t kek_len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, derivation->kdf, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    char md[16];
    OSSL_PARAM parameters[5], *p = parameters;
    bool ok = ctx != NULL && opening->shared_info.len <= INFO_MAX && opening->salt.len <= INFO_MAX;

    strcpy(md, derivation->md);
    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, md, 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, secret_len);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, opening->shared_info.data,
                                             opening->shared_info.len);
    if (opening->salt.len > 0)
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, opening->salt.data, opening->salt.len);
    *p = OSSL_PARAM_construct_end();
    ok = ok && EVP_KDF_derive(ctx, kek, kek_len, parameters) > 0;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

static bool unwrap(const struct wrap *wrap, const unsigned char *kek, const struct opening *opening,
                   unsigned char *content_key)
{
    unsigned char plain[OPENING_KEY_MAX + 16];
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, wrap->cipher, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    bool ok = cipher != NULL && ctx != NULL && opening->encrypted.len == opening->length + wrap->added &&
              EVP_DecryptInit_ex2(ctx, cipher, kek, NULL, NULL) > 0 &&
              EVP_DecryptUpdate(ctx, plain, &len, (const unsigned char *)opening->encrypted.data,
                                (int)opening->encrypted.len) > 0 &&
              (size_t)len == opening->length;

    if (ok)
        memcpy(content_key, plain, opening->length);
    OPENSSL_cleanse(plain, sizeof(plain));
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return ok;
}

enum opening_result opening_ecdh(EVP_PKEY *key, const struct opening *opening, unsigned char *content_key)
{
    const struct derivation *derivation = find_derivation(opening->scheme);
    const struct wrap *wrap = find_wrap(opening->wrap);
    unsigned char secret[SECRET_MAX], kek[KEK_MAX];
    size_t len = 0;
    bool ok;

    if (!can_agree(key) || derivation == NULL || wrap == NULL)
        return OPENING_WRONG_SCHEME;
    ok = agree(key, &opening->originator, secret, &len) &&
         derive(derivation, opening, secret, len, kek, wrap->kek_len) &&
         unwrap(wrap, kek, opening, content_key);
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(kek, sizeof(kek));
    ERR_clear_error();
    return ok ? OPENING_OK : OPENING_FAILED;
}
