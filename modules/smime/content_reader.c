#include "modules/smime/content_reader.h"

#include <limits.h>
#include <stdlib.h>

#include "modules/smime/ccm.h"
#include "util/mem.h"

struct content_reader {
    EVP_CIPHER_CTX *ctx; /* or: */
    struct ccm *ccm;
    size_t tag_len; /* 0: not authenticated */
};

bool content_reader_needs_length(const struct content_cipher *cipher)
{
    return cipher->algorithm->mode == CIPHER_CCM;
}

static struct ccm *start_ccm(const struct content_cipher *cipher, const unsigned char *key,
                             const struct buf *aad, uint64_t content_len)
{
    const struct ccm_settings settings = {.key = key,
                                          .key_len = cipher->key_len,
                                          .nonce = cipher->iv,
                                          .nonce_len = cipher->iv_len,
                                          .tag_len = cipher->tag_len,
                                          .aad = (const unsigned char *)buf_text(aad),
                                          .aad_len = aad->len,
                                          .content_len = content_len};

    return ccm_new(&settings);
}

static EVP_CIPHER_CTX *start_evp(const struct content_cipher *cipher, const unsigned char *key,
                                 const struct buf *aad)
{
    EVP_CIPHER_CTX *ctx = content_cipher_start(cipher, key, false);
    int n = 0;

    if (ctx != NULL && aad->len > 0 &&
        (aad->len > INT_MAX ||
         EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)aad->data, (int)aad->len) <= 0)) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

struct content_reader *content_reader_new(const struct content_cipher *cipher, const unsigned char *key,
                                          const struct buf *aad, uint64_t content_len)
{
    struct content_reader *reader = mem_alloc(sizeof(*reader));

    reader->tag_len = cipher->tag_len;
    if (cipher->algorithm->mode == CIPHER_CCM)
        reader->ccm = start_ccm(cipher, key, aad, content_len);
    else
        reader->ctx = start_evp(cipher, key, aad);
    if (reader->ccm != NULL || reader->ctx != NULL)
        return reader;
    free(reader);
    return NULL;
}

void content_reader_free(struct content_reader *reader)
{
    if (reader == NULL)
        return;
    EVP_CIPHER_CTX_free(reader->ctx);
    ccm_free(reader->ccm);
    free(reader);
}

bool content_reader_decrypt(struct content_reader *reader, const unsigned char *in, size_t len,
                            unsigned char *out, int *out_len_r)
{
    if (len > INT_MAX)
        return false;
    *out_len_r = (int)len;
    return reader->ccm != NULL ? ccm_decrypt(reader->ccm, in, len, out)
                               : EVP_DecryptUpdate(reader->ctx, out, out_len_r, in, (int)len) > 0;
}

bool content_reader_end(struct content_reader *reader, const struct buf *tag, unsigned char *out,
                        int *out_len_r)
{
    *out_len_r = 0;
    if (reader->tag_len > 0 && tag->len != reader->tag_len)
        return false;
    if (reader->ccm != NULL)
        return ccm_tag_fits(reader->ccm, (const unsigned char *)tag->data);
    if (reader->tag_len > 0 &&
        EVP_CIPHER_CTX_ctrl(reader->ctx, EVP_CTRL_AEAD_SET_TAG, (int)tag->len, tag->data) <= 0)
        return false;
    return EVP_DecryptFinal_ex(reader->ctx, out, out_len_r) > 0;
}
