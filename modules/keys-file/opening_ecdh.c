/* Ephemeral-static ECDH (RFC 5753, dhSinglePass-stdDH): X9.63 KDF over the shared secret, then AES key unwrap
   (RFC 3394). Shared secret and key-encryption key stay in this function. */
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "modules/keys-file/opening.h"

#define KEK_MAX  32
#define INFO_MAX 65536 /* ukm is inside; real ones have 64 octets */

static const struct kdf {
    const char *name, *md;
} kdfs[] = {
    {"ecdh-sha1", "SHA1"},     {"ecdh-sha224", "SHA224"}, {"ecdh-sha256", "SHA256"},
    {"ecdh-sha384", "SHA384"}, {"ecdh-sha512", "SHA512"},
};

static const struct wrap {
    const char *name, *cipher;
    size_t kek_len;
} wraps[] = {
    {"aes128", "AES-128-WRAP", 16},
    {"aes192", "AES-192-WRAP", 24},
    {"aes256", "AES-256-WRAP", 32},
};

static const EVP_MD *find_md(const char *scheme)
{
    for (size_t i = 0; i < sizeof(kdfs) / sizeof(kdfs[0]); i++)
        if (strcmp(kdfs[i].name, scheme) == 0)
            return EVP_get_digestbyname(kdfs[i].md);
    return NULL;
}

static const struct wrap *find_wrap(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof(wraps) / sizeof(wraps[0]); i++)
        if (strcmp(wraps[i].name, name) == 0)
            return &wraps[i];
    return NULL;
}

/* The originator's point as a key on our curve; a point that is not on it is refused. */
static EVP_PKEY *peer_key(const EVP_PKEY *key, const struct buf *point)
{
    EVP_PKEY *peer = EVP_PKEY_new();

    if (peer != NULL && EVP_PKEY_copy_parameters(peer, key) > 0 &&
        EVP_PKEY_set1_encoded_public_key(peer, (const unsigned char *)point->data, point->len) > 0)
        return peer;
    EVP_PKEY_free(peer);
    return NULL;
}

/* The context owns a copy of the shared info afterwards. */
static bool set_info(EVP_PKEY_CTX *ctx, const struct buf *info)
{
    unsigned char *copy =
        info->len > 0 && info->len <= INFO_MAX ? OPENSSL_memdup(info->data, info->len) : NULL;

    if (copy != NULL && EVP_PKEY_CTX_set0_ecdh_kdf_ukm(ctx, copy, (int)info->len) > 0)
        return true;
    OPENSSL_free(copy);
    return false;
}

static bool derive(EVP_PKEY *key, const struct opening *opening, const EVP_MD *md, unsigned char *kek,
                   size_t kek_len)
{
    EVP_PKEY *peer = peer_key(key, &opening->originator);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    size_t len = kek_len;
    bool ok = peer != NULL && ctx != NULL && EVP_PKEY_derive_init(ctx) > 0 &&
              EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
              EVP_PKEY_CTX_set_ecdh_kdf_type(ctx, EVP_PKEY_ECDH_KDF_X9_63) > 0 &&
              EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, md) > 0 &&
              EVP_PKEY_CTX_set_ecdh_kdf_outlen(ctx, (int)kek_len) > 0 &&
              set_info(ctx, &opening->shared_info) && EVP_PKEY_derive(ctx, kek, &len) > 0 && len == kek_len;

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return ok;
}

static bool unwrap(const struct wrap *wrap, const unsigned char *kek, const struct opening *opening,
                   unsigned char *content_key)
{
    unsigned char plain[OPENING_KEY_MAX + 16];
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, wrap->cipher, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    bool ok = cipher != NULL && ctx != NULL && opening->encrypted.len == opening->length + 8 &&
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
    const EVP_MD *md = find_md(opening->scheme);
    const struct wrap *wrap = find_wrap(opening->wrap);
    unsigned char kek[KEK_MAX];
    bool ok;

    if (EVP_PKEY_is_a(key, "EC") != 1 || md == NULL || wrap == NULL)
        return OPENING_WRONG_SCHEME;
    ok = derive(key, opening, md, kek, wrap->kek_len) && unwrap(wrap, kek, opening, content_key);
    OPENSSL_cleanse(kek, sizeof(kek));
    ERR_clear_error();
    return ok ? OPENING_OK : OPENING_FAILED;
}
