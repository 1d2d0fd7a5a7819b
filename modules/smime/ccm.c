/* CCM is CTR mode and a CBC-MAC over a block that says the lengths, the authenticated data and the plain
 * text. */
#include "modules/smime/ccm.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "util/mem.h"

#define BLOCK     16
#define CHUNK     4096
#define AAD_SHORT 0xff00 /* from here on the length of the authenticated data takes six octets */

struct ccm {
    EVP_CIPHER_CTX *counter, *cbc;
    size_t tag_len;
    unsigned char mask[BLOCK];  /* of the tag */
    unsigned char block[BLOCK]; /* what the CBC-MAC waits to take */
    size_t filled;
    unsigned char mac[BLOCK]; /* so far */
};

static EVP_CIPHER_CTX *start(const char *mode, const struct ccm_settings *settings, const unsigned char *iv)
{
    char name[16];
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    snprintf(name, sizeof(name), "AES-%zu-%s", settings->key_len * 8, mode);
    cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    if (ctx != NULL && (cipher == NULL || EVP_EncryptInit_ex2(ctx, cipher, settings->key, iv, NULL) <= 0 ||
                        EVP_CIPHER_CTX_set_padding(ctx, 0) <= 0)) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_CIPHER_free(cipher);
    return ctx;
}

/* Whole blocks into the CBC-MAC. */
static bool absorb(struct ccm *ccm, const unsigned char *blocks, size_t len)
{
    unsigned char out[CHUNK];
    size_t part;
    int n = 0;

    for (; len > 0; blocks += part, len -= part) {
        part = len < CHUNK ? len : CHUNK;
        if (EVP_EncryptUpdate(ccm->cbc, out, &n, blocks, (int)part) <= 0 || (size_t)n != part)
            return false;
        memcpy(ccm->mac, out + part - BLOCK, BLOCK);
    }
    return true;
}

static bool mac_update(struct ccm *ccm, const unsigned char *in, size_t len)
{
    size_t part;

    if (ccm->filled > 0) {
        part = len < BLOCK - ccm->filled ? len : BLOCK - ccm->filled;
        memcpy(ccm->block + ccm->filled, in, part);
        ccm->filled += part;
        in += part;
        len -= part;
        if (ccm->filled < BLOCK)
            return true;
        ccm->filled = 0;
        if (!absorb(ccm, ccm->block, BLOCK))
            return false;
    }
    part = len - len % BLOCK;
    if (!absorb(ccm, in, part))
        return false;
    memcpy(ccm->block, in + part, len - part);
    ccm->filled = len - part;
    return true;
}

/* Zeros up to the end of a block. */
static bool mac_pad(struct ccm *ccm)
{
    static const unsigned char zeros[BLOCK];

    return ccm->filled == 0 || mac_update(ccm, zeros, BLOCK - ccm->filled);
}

/* Big endian in the last `size` octets of the block; false if it does not fit. */
static bool put_length(unsigned char block[BLOCK], size_t size, uint64_t value)
{
    for (size_t i = 1; i <= size && i <= sizeof(value); i++, value >>= 8)
        block[BLOCK - i] = (unsigned char)value;
    return size >= sizeof(value) || value == 0;
}

/* RFC 3610 2.2: B_0 and the length of the authenticated data. */
static bool begin_mac(struct ccm *ccm, const struct ccm_settings *settings)
{
    size_t size_len = BLOCK - 1 - settings->nonce_len;
    unsigned char block[BLOCK] = {0}, prefix[6] = {0xff, 0xfe};
    size_t prefix_len = settings->aad_len < AAD_SHORT ? 2 : 6;

    block[0] = (unsigned char)((settings->aad_len > 0 ? 0x40 : 0) | (settings->tag_len - 2) / 2 << 3 |
                               (size_len - 1));
    memcpy(block + 1, settings->nonce, settings->nonce_len);
    if (!put_length(block, size_len, settings->content_len) || !mac_update(ccm, block, BLOCK))
        return false;
    if (settings->aad_len == 0)
        return true;
    for (size_t i = 1; i <= (prefix_len == 2 ? 2 : 4); i++)
        prefix[prefix_len - i] = (unsigned char)(settings->aad_len >> 8 * (i - 1));
    return mac_update(ccm, prefix, prefix_len) && mac_update(ccm, settings->aad, settings->aad_len) &&
           mac_pad(ccm);
}

/* RFC 3610 2.3: counter 0 masks the tag, the content begins with 1. */
static bool begin_counter(struct ccm *ccm, const struct ccm_settings *settings)
{
    static const unsigned char zeros[BLOCK];
    unsigned char block[BLOCK] = {(unsigned char)(BLOCK - 2 - settings->nonce_len)};
    int n = 0;

    memcpy(block + 1, settings->nonce, settings->nonce_len);
    ccm->counter = start("CTR", settings, block);
    return ccm->counter != NULL && EVP_EncryptUpdate(ccm->counter, ccm->mask, &n, zeros, BLOCK) > 0 &&
           n == BLOCK;
}

struct ccm *ccm_new(const struct ccm_settings *settings)
{
    static const unsigned char zeros[BLOCK];
    struct ccm *ccm = mem_alloc(sizeof(*ccm));

    ccm->tag_len = settings->tag_len;
    ccm->cbc = start("CBC", settings, zeros);
    if (settings->aad_len <= UINT32_MAX && ccm->cbc != NULL && begin_counter(ccm, settings) &&
        begin_mac(ccm, settings))
        return ccm;
    ccm_free(ccm);
    return NULL;
}

void ccm_free(struct ccm *ccm)
{
    if (ccm == NULL)
        return;
    EVP_CIPHER_CTX_free(ccm->counter);
    EVP_CIPHER_CTX_free(ccm->cbc);
    OPENSSL_cleanse(ccm, sizeof(*ccm));
    free(ccm);
}

bool ccm_decrypt(struct ccm *ccm, const unsigned char *in, size_t len, unsigned char *out)
{
    int n = 0;

    return len <= INT_MAX && EVP_EncryptUpdate(ccm->counter, out, &n, in, (int)len) > 0 && (size_t)n == len &&
           mac_update(ccm, out, len);
}

bool ccm_tag_fits(struct ccm *ccm, const unsigned char *tag)
{
    if (!mac_pad(ccm))
        return false;
    for (size_t i = 0; i < BLOCK; i++)
        ccm->mac[i] ^= ccm->mask[i];
    return CRYPTO_memcmp(ccm->mac, tag, ccm->tag_len) == 0;
}
