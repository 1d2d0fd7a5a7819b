/* Each scheme signs what OpenSSL verifies; keys of another kind and digests of another length are refused. */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "modules/keys-file/signing.h"
#include "tests/unit/areas_fixture.h"
#include "tests/unit/unit.h"

static EVP_PKEY *rsa, *pss, *ec, *edwards;

static void make_keys(void)
{
    rsa = make_key("RSA", 2048);
    pss = make_key("RSA-PSS", 2048);
    ec = make_key("EC", 384);
    edwards = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static void free_keys(void)
{
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(pss);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(edwards);
}

static void verify(EVP_PKEY *key, int padding, const char *md, const struct buf *digest,
                   const struct buf *signature)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    ck_assert_int_eq(EVP_PKEY_verify_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(md)), 1);
    if (padding != 0)
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    if (padding == RSA_PKCS1_PSS_PADDING) /* RFC 4056: as long as the digest */
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST), 1);
    ck_assert_int_eq(EVP_PKEY_verify(ctx, (const unsigned char *)signature->data, signature->len,
                                     (const unsigned char *)digest->data, digest->len),
                     1);
    EVP_PKEY_CTX_free(ctx);
}

START_TEST(schemes)
{
    make_keys();
    const struct {
        const char *scheme, *md;
        size_t len;
        EVP_PKEY *key;
        int padding;
    } rows[] = {
        {"rsa-pkcs1-sha256", "SHA256", 32, rsa, RSA_PKCS1_PADDING},
        {"rsa-pkcs1-sha384", "SHA384", 48, rsa, RSA_PKCS1_PADDING},
        {"rsa-pkcs1-sha512", "SHA512", 64, rsa, RSA_PKCS1_PADDING},
        {"rsa-pss-sha256", "SHA256", 32, rsa, RSA_PKCS1_PSS_PADDING},
        {"rsa-pss-sha384", "SHA384", 48, rsa, RSA_PKCS1_PSS_PADDING},
        {"rsa-pss-sha512", "SHA512", 64, rsa, RSA_PKCS1_PSS_PADDING},
        {"rsa-pss-sha256", "SHA256", 32, pss, RSA_PKCS1_PSS_PADDING},
        {"ecdsa-sha256", "SHA256", 32, ec, 0},
        {"ecdsa-sha384", "SHA384", 48, ec, 0},
        {"ecdsa-sha512", "SHA512", 64, ec, 0},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf digest = {0}, signature = {0};

        while (digest.len < rows[i].len)
            buf_add_char(&digest, (char)(digest.len * 7 + i));
        ck_assert_msg(signing_run(rows[i].key, rows[i].scheme, &digest, &signature) == SIGNING_OK, "row %zu",
                      i);
        verify(rows[i].key, rows[i].padding, rows[i].md, &digest, &signature);
        buf_free(&signature);
        digest.len--;
        ck_assert_msg(signing_run(rows[i].key, rows[i].scheme, &digest, &signature) == SIGNING_WRONG_DIGEST,
                      "row %zu", i);
        ck_assert_uint_eq(signature.len, 0);
        buf_free(&digest);
        buf_free(&signature);
    }
    free_keys();
}
END_TEST

/* The message itself, of any length. */
START_TEST(ed25519)
{
    struct buf message = {0}, signature = {0};

    make_keys();
    while (message.len < 1000) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        buf_clear(&signature);
        ck_assert_int_eq(signing_run(edwards, "ed25519", &message, &signature), SIGNING_OK);
        ck_assert_int_eq(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, edwards), 1);
        ck_assert_int_eq(EVP_DigestVerify(ctx, (const unsigned char *)signature.data, signature.len,
                                          (const unsigned char *)buf_text(&message), message.len),
                         1);
        EVP_MD_CTX_free(ctx);
        buf_add_text(&message, "a few octets of what is signed, again and again; ");
    }
    buf_free(&message);
    buf_free(&signature);
    free_keys();
}
END_TEST

START_TEST(wrong_keys)
{
    make_keys();
    const struct {
        const char *scheme;
        EVP_PKEY *key;
    } rows[] = {
        {"rsa-pkcs1-sha256", ec}, {"rsa-pkcs1-sha256", pss},  {"rsa-pss-sha256", ec},
        {"ecdsa-sha256", rsa},    {"ecdsa-sha256", pss},      {"ecdsa-sha256", edwards},
        {"rsa-pkcs1-sha1", rsa},  {"rsa-raw", rsa},           {"", rsa},
        {"rsa-pkcs1", rsa},       {"rsa-pkcs1-sha256 ", rsa}, {"ed25519", rsa},
        {"ed25519", ec},
    };
    struct buf digest = {0}, signature = {0};

    while (digest.len < 32)
        buf_add_char(&digest, 'd');
    for (size_t i = 0; i < ROWS(rows); i++)
        ck_assert_msg(signing_run(rows[i].key, rows[i].scheme, &digest, &signature) == SIGNING_WRONG_SCHEME,
                      "row %zu", i);
    ck_assert_uint_eq(signature.len, 0);
    buf_free(&digest);
    free_keys();
}
END_TEST

/* A key for RSASSA-PSS may allow one digest only. */
START_TEST(restricted_pss)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;
    struct buf digest = {0}, signature = {0};

    ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_keygen_md(ctx, EVP_sha384()), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(ctx, EVP_sha384()), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(ctx, 48), 1);
    ck_assert_int_eq(EVP_PKEY_generate(ctx, &key), 1);
    while (digest.len < 32)
        buf_add_char(&digest, 'd');
    ck_assert_int_eq(signing_run(key, "rsa-pss-sha256", &digest, &signature), SIGNING_WRONG_SCHEME);
    while (digest.len < 48)
        buf_add_char(&digest, 'd');
    ck_assert_int_eq(signing_run(key, "rsa-pss-sha384", &digest, &signature), SIGNING_OK);
    verify(key, RSA_PKCS1_PSS_PADDING, "SHA384", &digest, &signature);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    buf_free(&digest);
    buf_free(&signature);
}
END_TEST

UNIT_MAIN("keys-file-signing", schemes, ed25519, wrong_keys, restricted_pss)
