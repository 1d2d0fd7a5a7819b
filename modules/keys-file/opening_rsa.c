#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#include "modules/keys-file/opening.h"

#define MODULUS_MAX 2048  /* octets: RSA-16384, OpenSSL's own limit */
#define LABEL_MAX   65536 /* octets; where there is one at all it is a few words */

static const struct hash {
    const char *name, *md;
} hashes[] = {
    {"sha1", "SHA1"}, {"sha224", "SHA224"}, {"sha256", "SHA256"}, {"sha384", "SHA384"}, {"sha512", "SHA512"},
};

static const char *find_md(const char *name)
{
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
        if (strcmp(hashes[i].name, name) == 0)
            return hashes[i].md;
    return NULL;
}

struct oaep {
    const char *hash, *mgf1; /* NULL: it is none */
};

static struct oaep find_oaep(const struct opening *opening)
{
    static const char family[] = "rsa-oaep-";
    struct oaep oaep = {NULL, NULL};

    if (strncmp(opening->scheme, family, strlen(family)) != 0)
        return oaep;
    oaep.hash = find_md(opening->scheme + strlen(family));
    oaep.mgf1 = opening->mgf1 != NULL ? find_md(opening->mgf1) : oaep.hash;
    return oaep;
}

/* The context owns a copy of the label afterwards. */
static bool set_label(EVP_PKEY_CTX *ctx, const struct buf *label)
{
    unsigned char *copy;

    if (label->len == 0)
        return true;
    copy = label->len <= LABEL_MAX ? OPENSSL_memdup(label->data, label->len) : NULL;
    if (copy != NULL && EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, (int)label->len) > 0)
        return true;
    OPENSSL_free(copy);
    return false;
}

static bool decrypt_oaep(EVP_PKEY_CTX *ctx, const struct oaep *oaep, const struct opening *opening,
                         unsigned char *plain, size_t *len)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, oaep->hash, NULL) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, oaep->mgf1, NULL) > 0 && set_label(ctx, &opening->label) &&
           EVP_PKEY_decrypt(ctx, plain, len, (const unsigned char *)opening->encrypted.data,
                            opening->encrypted.len) > 0;
}

/* All ones when a == b, else 0; without a branch. */
static unsigned int equal_mask(unsigned int a, unsigned int b)
{
    unsigned int d = a ^ b;

    return ((d | (0u - d)) >> 31) - 1u;
}

/* EME-PKCS1-v1_5 (RFC 8017 7.2.2) for a content key of known length: 00 02 PS 00 key. Every octet is looked
   at, whatever the ones before say; the result is a mask. The length being known, nothing in the timing tells
   where a padding went wrong. */
static unsigned int padding_mask(const unsigned char *block, size_t size, size_t key_len)
{
    unsigned int good = equal_mask(block[0], 0) & equal_mask(block[1], 2);

    for (size_t i = 2; i < size - key_len - 1; i++)
        good &= ~equal_mask(block[i], 0);
    return good & equal_mask(block[size - key_len - 1], 0);
}

static bool decrypt_number(EVP_PKEY_CTX *ctx, const unsigned char *number, unsigned char *block, size_t size)
{
    size_t len = size;

    return EVP_PKEY_decrypt(ctx, block, &len, number, size) > 0 && len == size;
}

/* The block under the padding, `size` octets. A number beyond the modulus or of a wrong length leaves zeros,
   but costs as much as any other. */
static void decrypt_raw(EVP_PKEY_CTX *ctx, const struct buf *encrypted, unsigned char *block, size_t size)
{
    unsigned char two[MODULUS_MAX] = {0};

    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0 && encrypted->len == size &&
        decrypt_number(ctx, (const unsigned char *)encrypted->data, block, size))
        return;
    two[size - 1] = 2;
    decrypt_number(ctx, two, block, size);
    memset(block, 0, size);
}

/* OpenSSL 3.0 has no implicit rejection, so it is done here. Fails only for want of random numbers. */
static bool open_pkcs1(EVP_PKEY_CTX *ctx, const struct opening *opening, size_t size,
                       unsigned char *content_key)
{
    unsigned char block[MODULUS_MAX], fallback[OPENING_KEY_MAX];
    unsigned int good;

    if (RAND_priv_bytes(fallback, (int)opening->length) <= 0)
        return false;
    decrypt_raw(ctx, &opening->encrypted, block, size);
    good = padding_mask(block, size, opening->length);
    for (size_t i = 0; i < opening->length; i++)
        content_key[i] = (unsigned char)((block[size - opening->length + i] & good) | (fallback[i] & ~good));
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(fallback, sizeof(fallback));
    return true;
}

static bool open_oaep(EVP_PKEY_CTX *ctx, const struct oaep *oaep, const struct opening *opening,
                      unsigned char *content_key)
{
    unsigned char plain[MODULUS_MAX];
    size_t len = sizeof(plain);
    bool ok = decrypt_oaep(ctx, oaep, opening, plain, &len) && len == opening->length;

    if (ok)
        memcpy(content_key, plain, len);
    OPENSSL_cleanse(plain, sizeof(plain));
    return ok;
}

enum opening_result opening_rsa(EVP_PKEY *key, const struct opening *opening, unsigned char *content_key)
{
    const struct oaep oaep = find_oaep(opening);
    bool pkcs1 = strcmp(opening->scheme, "rsa-pkcs1") == 0, ok = false;
    size_t size = (size_t)EVP_PKEY_get_size(key);
    EVP_PKEY_CTX *ctx;

    if (EVP_PKEY_is_a(key, "RSA") != 1 || (!pkcs1 && (oaep.hash == NULL || oaep.mgf1 == NULL)) ||
        size > MODULUS_MAX || size < opening->length + 11)
        return OPENING_WRONG_SCHEME;
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (ctx != NULL && EVP_PKEY_decrypt_init(ctx) > 0)
        ok =
            pkcs1 ? open_pkcs1(ctx, opening, size, content_key) : open_oaep(ctx, &oaep, opening, content_key);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return ok ? OPENING_OK : OPENING_FAILED;
}
