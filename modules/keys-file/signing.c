#include "modules/keys-file/signing.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <string.h>

enum signing_kind { SIGNING_PKCS1, SIGNING_PSS, SIGNING_ECDSA };

struct scheme {
    const char *name, *md;
    enum signing_kind kind;
};

static const struct scheme schemes[] = {
    {"rsa-pkcs1-sha256", "SHA256", SIGNING_PKCS1}, {"rsa-pkcs1-sha384", "SHA384", SIGNING_PKCS1},
    {"rsa-pkcs1-sha512", "SHA512", SIGNING_PKCS1}, {"rsa-pss-sha256", "SHA256", SIGNING_PSS},
    {"rsa-pss-sha384", "SHA384", SIGNING_PSS},     {"rsa-pss-sha512", "SHA512", SIGNING_PSS},
    {"ecdsa-sha256", "SHA256", SIGNING_ECDSA},     {"ecdsa-sha384", "SHA384", SIGNING_ECDSA},
    {"ecdsa-sha512", "SHA512", SIGNING_ECDSA},
};

static const struct scheme *find_scheme(const char *name)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strcmp(schemes[i].name, name) == 0)
            return &schemes[i];
    return NULL;
}

static bool fits(const EVP_PKEY *key, enum signing_kind kind)
{
    switch (kind) {
    case SIGNING_PKCS1:
        return EVP_PKEY_is_a(key, "RSA") == 1;
    case SIGNING_PSS:
        return EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
    case SIGNING_ECDSA:
        return EVP_PKEY_is_a(key, "EC") == 1;
    }
    return false;
}

/* A key for RSASSA-PSS only may restrict the digest: then a parameter is refused here. */
static bool configure(EVP_PKEY_CTX *ctx, enum signing_kind kind, const EVP_MD *md)
{
    if (EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0)
        return false;
    if (kind == SIGNING_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    if (kind == SIGNING_PSS)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    return true;
}

static bool sign(EVP_PKEY_CTX *ctx, const struct buf *digest, struct buf *signature)
{
    unsigned char *octets = NULL;
    const unsigned char *input = (const unsigned char *)digest->data;
    size_t len = 0;
    bool ok = EVP_PKEY_sign(ctx, NULL, &len, input, digest->len) > 0 &&
              (octets = OPENSSL_malloc(len)) != NULL &&
              EVP_PKEY_sign(ctx, octets, &len, input, digest->len) > 0;

    if (ok)
        buf_add(signature, octets, len);
    OPENSSL_free(octets);
    return ok;
}

enum signing_result signing_run(EVP_PKEY *key, const char *name, const struct buf *digest,
                                struct buf *signature)
{
    const struct scheme *scheme = find_scheme(name);
    const EVP_MD *md = scheme != NULL ? EVP_get_digestbyname(scheme->md) : NULL;
    enum signing_result result = SIGNING_FAILED;
    EVP_PKEY_CTX *ctx;

    if (md == NULL || !fits(key, scheme->kind))
        return SIGNING_WRONG_SCHEME;
    if (digest->len != (size_t)EVP_MD_get_size(md))
        return SIGNING_WRONG_DIGEST;
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (ctx != NULL && EVP_PKEY_sign_init(ctx) > 0) {
        if (!configure(ctx, scheme->kind, md))
            result = SIGNING_WRONG_SCHEME;
        else if (sign(ctx, digest, signature))
            result = SIGNING_OK;
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return result;
}
