#include "modules/smime/digests.h"

#include <string.h>

bool digests_add(struct digests *digests, const struct digest_algorithm *algorithm)
{
    EVP_MD_CTX *ctx;

    for (size_t i = 0; i < digests->count; i++)
        if (digests->algorithms[i] == algorithm)
            return true;
    if (digests->count == DIGESTS_MAX)
        return false;
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL || EVP_DigestInit_ex(ctx, digest_md(algorithm), NULL) <= 0) {
        EVP_MD_CTX_free(ctx);
        return false;
    }
    digests->algorithms[digests->count] = algorithm;
    digests->contexts[digests->count++] = ctx;
    return true;
}

bool digests_update(struct digests *digests, const void *data, size_t len)
{
    size_t missing = sizeof(digests->first) - digests->first_len, take = len < missing ? len : missing;

    if (take > 0)
        memcpy(digests->first + digests->first_len, data, take);
    digests->first_len += take;
    for (size_t i = 0; i < digests->count; i++)
        if (EVP_DigestUpdate(digests->contexts[i], data, len) <= 0)
            return false;
    return true;
}

static size_t finish(EVP_MD_CTX *ctx, const struct digest_algorithm *algorithm,
                     unsigned char digest_r[EVP_MAX_MD_SIZE])
{
    unsigned int len = 0;

    if (algorithm->xof_len > 0)
        return EVP_DigestFinalXOF(ctx, digest_r, algorithm->xof_len) > 0 ? algorithm->xof_len : 0;
    return EVP_DigestFinal_ex(ctx, digest_r, &len) > 0 ? len : 0;
}

size_t digests_get(const struct digests *digests, const struct digest_algorithm *algorithm,
                   unsigned char digest_r[EVP_MAX_MD_SIZE])
{
    EVP_MD_CTX *copy;
    size_t len = 0;

    for (size_t i = 0; i < digests->count; i++)
        if (digests->algorithms[i] == algorithm) {
            copy = EVP_MD_CTX_new(); /* several signers may share a digest */
            if (copy != NULL && EVP_MD_CTX_copy_ex(copy, digests->contexts[i]) > 0)
                len = finish(copy, algorithm, digest_r);
            EVP_MD_CTX_free(copy);
        }
    return len;
}

/* Behind tag and length of a DER element; 0 when there is no such tag. */
static size_t behind_head(const struct digests *digests, size_t at, unsigned char tag)
{
    if (at + 2 > digests->first_len || digests->first[at] != tag)
        return 0;
    return at + 2 + ((digests->first[at + 1] & 0x80) != 0 ? digests->first[at + 1] & 0x7f : 0);
}

bool digests_of_attributes(const struct digests *digests)
{
    size_t at = behind_head(digests, 0, 0x31);

    if (at > 0)
        at = behind_head(digests, at, 0x30);
    return at > 0 && behind_head(digests, at, 0x06) > 0;
}

void digests_free(struct digests *digests)
{
    while (digests->count > 0)
        EVP_MD_CTX_free(digests->contexts[--digests->count]);
}
