#include "modules/keys-file/signing.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <string.h>

enum signing_kind { SIGNING_PKCS1, SIGNING_PSS, SIGNING_ECDSA, SIGNING_ED25519 };

struct scheme {
    const char *name, *md; /* md NULL: signs the message itself */
    enum signing_kind kind;
};

static const struct scheme schemes[] = {
    {"rsa-pkcs1-sha256", "SHA256", SIGNING_PKCS1}, {"rsa-pkcs1-sha384", "SHA384", SIGNING_PKCS1},
    {"rsa-pkcs1-sha512", "SHA512", SIGNING_PKCS1}, {"rsa-pss-sha256", "SHA256", SIGNING_PSS},
    {"rsa-pss-sha384", "SHA384", SIGNING_PSS},     {"rsa-pss-sha512", "SHA512", SIGNING_PSS},
    {"ecdsa-sha256", "SHA256", SIGNING_ECDSA},     {"ecdsa-sha384", "SHA384", SIGNING_ECDSA},
    {"ecdsa-sha512", "SHA512", SIGNING_ECDSA},     {"ed25519", NULL, SIGNING_ED25519},
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
    case SIGNING_ED25519:
        return EVP_PKEY_is_a(key, "ED25519") == 1;
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

static enum signing_result sign_digest(EVP_PKEY *key, const struct scheme *scheme, const struct buf *digest,
                                       struct buf *signature)
{
    const EVP_MD *md = EVP_get_digestbyname(scheme->md);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    const unsigned char *input = (const unsigned char *)digest->data;
    enum signing_result result = SIGNING_FAILED;
    unsigned char *octets = NULL;
    size_t len = 0;

    if (md == NULL || digest->len != (size_t)EVP_MD_get_size(md)) {
        result = SIGNING_WRONG_DIGEST;
    } else if (ctx != NULL && EVP_PKEY_sign_init(ctx) > 0) {
        if (!configure(ctx, scheme->kind, md)) {
            result = SIGNING_WRONG_SCHEME;
        } else if (EVP_PKEY_sign(ctx, NULL, &len, input, digest->len) > 0 &&
                   (octets = OPENSSL_malloc(len)) != NULL &&
                   EVP_PKEY_sign(ctx, octets, &len, input, digest->len) > 0) {
            buf_add(signature, octets, len);
            result = SIGNING_OK;
        }
    }
    OPENSSL_free(octets);
    EVP_PKEY_CTX_free(ctx);
    return result;
}

/* PureEdDSA (RFC 8032): no digest before it. */
static enum signing_result sign_message(EVP_PKEY *key, const struct buf *message, struct buf *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char octets[64];
    size_t len = sizeof(octets);
    bool ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) > 0 &&
              EVP_DigestSign(ctx, octets, &len, (const unsigned char *)buf_text(message), message->len) > 0;

    if (ok)
        buf_add(signature, octets, len);
    EVP_MD_CTX_free(ctx);
    return ok ? SIGNING_OK : SIGNING_FAILED;
}

enum signing_result signing_run(EVP_PKEY *key, const char *name, const struct buf *input,
                                struct buf *signature)
{
    const struct scheme *scheme = find_scheme(name);
    enum signing_result result;

    if (scheme == NULL || !fits(key, scheme->kind))
        return SIGNING_WRONG_SCHEME;
    result =
        scheme->md != NULL ? sign_digest(key, scheme, input, signature) : sign_message(key, input, signature);
    ERR_clear_error();
    return result;
}
