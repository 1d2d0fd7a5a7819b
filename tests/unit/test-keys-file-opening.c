/* Content keys that OpenSSL wrapped are opened; damaged ones give nothing away. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "modules/keys-file/opening.h"
#include "tests/unit/areas_fixture.h"
#include "tests/unit/unit.h"

static const unsigned char secret[32] = "0123456789abcdefghijklmnopqrstu";

static void encrypt_labelled(EVP_PKEY *key, int padding, const char *hash, const char *mgf1,
                             const char *label, const void *plain, size_t len, struct buf *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    unsigned char octets[1024];
    size_t size = sizeof(octets);

    ck_assert_int_eq(EVP_PKEY_encrypt_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    if (hash != NULL) {
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, hash, NULL), 1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, mgf1, NULL), 1);
    }
    if (label[0] != '\0')
        ck_assert_int_eq(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_strdup(label), (int)strlen(label)), 1);
    ck_assert_int_eq(EVP_PKEY_encrypt(ctx, octets, &size, plain, len), 1);
    buf_clear(out);
    buf_add(out, octets, size);
    EVP_PKEY_CTX_free(ctx);
}

static void encrypt(EVP_PKEY *key, int padding, const char *hash, const char *mgf1, const void *plain,
                    size_t len, struct buf *out)
{
    encrypt_labelled(key, padding, hash, mgf1, "", plain, len, out);
}

static void check_another(EVP_PKEY *key, struct opening *opening, const char *what)
{
    unsigned char plain[OPENING_KEY_MAX] = {0};

    opening_rsa(key, opening, plain);
    ck_assert_msg(memcmp(plain, secret, 32) != 0, "%s", what);
}

START_TEST(pkcs1)
{
    EVP_PKEY *key = make_key("RSA", 2048);
    struct opening opening = {.scheme = "rsa-pkcs1", .length = 32};
    unsigned char plain[OPENING_KEY_MAX];

    encrypt(key, RSA_PKCS1_PADDING, NULL, NULL, secret, 32, &opening.encrypted);
    ck_assert_int_eq(opening_rsa(key, &opening, plain), OPENING_OK);
    ck_assert_mem_eq(plain, secret, 32);
    opening.scheme = "rsa-oaep-sha1";
    check_another(key, &opening, "OAEP");
    buf_free(&opening.encrypted);
    EVP_PKEY_free(key);
}
END_TEST

/* Every hash with every hash of the mask, with a label and without; nothing else opens it. */
START_TEST(oaep)
{
    static const char *const names[] = {"sha1", "sha224", "sha256", "sha384", "sha512"};
    static const char *const labels[] = {"", "L"};
    EVP_PKEY *key = make_key("RSA", 2048);

    for (size_t i = 0; i < ROWS(names) * ROWS(names) * ROWS(labels); i++) {
        const char *hash = names[i % ROWS(names)], *mgf1 = names[i / ROWS(names) % ROWS(names)];
        const char *label = labels[i / ROWS(names) / ROWS(names)];
        unsigned char plain[OPENING_KEY_MAX] = {0};
        struct opening opening = {.mgf1 = mgf1, .length = 32};
        char scheme[32], row[80];

        snprintf(row, sizeof(row), "%s, %s, \"%s\"", hash, mgf1, label);
        snprintf(scheme, sizeof(scheme), "rsa-oaep-%s", hash);
        opening.scheme = scheme;
        buf_add_text(&opening.label, label);
        encrypt_labelled(key, RSA_PKCS1_OAEP_PADDING, hash, mgf1, label, secret, 32, &opening.encrypted);
        if (strcmp(hash, mgf1) == 0)
            opening.mgf1 = NULL;
        ck_assert_msg(opening_rsa(key, &opening, plain) == OPENING_OK, "%s", row);
        ck_assert_mem_eq(plain, secret, 32);
        buf_add_text(&opening.label, "x");
        check_another(key, &opening, row);
        buf_clear(&opening.label);
        buf_add_text(&opening.label, label);
        opening.mgf1 = names[(i / ROWS(names) + 1) % ROWS(names)];
        check_another(key, &opening, row);
        opening.mgf1 = mgf1;
        snprintf(scheme, sizeof(scheme), "rsa-oaep-%s", names[(i + 1) % ROWS(names)]);
        check_another(key, &opening, row);
        buf_free(&opening.label);
        buf_free(&opening.encrypted);
    }
    EVP_PKEY_free(key);
}
END_TEST

/* What a Bleichenbacher attacker sends: always answered, always another random key, never the plain text. */
static void check_random(EVP_PKEY *key, struct opening *opening, const unsigned char *block, const char *what)
{
    unsigned char first[OPENING_KEY_MAX] = {0}, second[OPENING_KEY_MAX] = {0};

    ck_assert_msg(opening_rsa(key, opening, first) == OPENING_OK, "%s", what);
    ck_assert_msg(opening_rsa(key, opening, second) == OPENING_OK, "%s", what);
    ck_assert_msg(memcmp(first, second, opening->length) != 0, "%s", what);
    if (block != NULL)
        ck_assert_msg(memcmp(first, block + 256 - opening->length, opening->length) != 0, "%s", what);
}

START_TEST(pkcs1_faults)
{
    static const struct {
        size_t at;
        unsigned char value;
        const char *what;
    } rows[] = {
        {0, 1, "first octet"},    {1, 1, "block type"},    {2, 0, "zero begins the padding"},
        {9, 0, "short padding"},  {100, 0, "zero inside"}, {222, 0, "zero at its end"},
        {223, 5, "no separator"},
    };
    EVP_PKEY *key = make_key("RSA", 2048);
    struct opening opening = {.scheme = "rsa-pkcs1", .length = 32};
    unsigned char good[256], bad[256], plain[OPENING_KEY_MAX];

    memset(good, 0xaa, sizeof(good));
    good[0] = 0;
    good[1] = 2;
    good[223] = 0;
    memcpy(good + 224, secret, 32);
    encrypt(key, RSA_NO_PADDING, NULL, NULL, good, 256, &opening.encrypted);
    ck_assert_int_eq(opening_rsa(key, &opening, plain), OPENING_OK);
    ck_assert_mem_eq(plain, secret, 32);
    for (size_t i = 0; i < ROWS(rows); i++) {
        memcpy(bad, good, sizeof(bad));
        bad[rows[i].at] = rows[i].value;
        bad[0] = bad[0] != 0 ? 1 : 0;
        encrypt(key, RSA_NO_PADDING, NULL, NULL, bad, 256, &opening.encrypted);
        check_random(key, &opening, bad, rows[i].what);
    }
    encrypt(key, RSA_PKCS1_PADDING, NULL, NULL, secret, 24, &opening.encrypted);
    check_random(key, &opening, NULL, "shorter key");
    encrypt(key, RSA_PKCS1_PADDING, NULL, NULL, secret, 31, &opening.encrypted);
    check_random(key, &opening, NULL, "one octet short");
    opening.encrypted.len = 255;
    check_random(key, &opening, NULL, "short ciphertext");
    buf_clear(&opening.encrypted);
    check_random(key, &opening, NULL, "empty ciphertext");
    for (int i = 0; i < 256; i++)
        buf_add_char(&opening.encrypted, '\xff');
    check_random(key, &opening, NULL, "beyond the modulus");
    buf_add_char(&opening.encrypted, 'x');
    check_random(key, &opening, NULL, "long ciphertext");
    buf_free(&opening.encrypted);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(oaep_faults)
{
    EVP_PKEY *key = make_key("RSA", 2048);
    struct opening opening = {.scheme = "rsa-oaep-sha256", .length = 32};
    unsigned char plain[OPENING_KEY_MAX];

    encrypt(key, RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", secret, 24, &opening.encrypted);
    ck_assert_int_eq(opening_rsa(key, &opening, plain), OPENING_FAILED);
    encrypt(key, RSA_PKCS1_OAEP_PADDING, "SHA256", "SHA256", secret, 32, &opening.encrypted);
    opening.encrypted.data[7] ^= 1;
    ck_assert_int_eq(opening_rsa(key, &opening, plain), OPENING_FAILED);
    opening.encrypted.len = 10;
    ck_assert_int_eq(opening_rsa(key, &opening, plain), OPENING_FAILED);
    opening.scheme = "ecdh-sha256";
    ck_assert_int_eq(opening_rsa(key, &opening, plain), OPENING_WRONG_SCHEME);
    opening.scheme = "rsa-oaep-md5";
    ck_assert_int_eq(opening_rsa(key, &opening, plain), OPENING_WRONG_SCHEME);
    opening.scheme = "rsa-oaep-sha256";
    opening.mgf1 = "md5";
    ck_assert_int_eq(opening_rsa(key, &opening, plain), OPENING_WRONG_SCHEME);
    opening.scheme = "rsa-pkcs1";
    ck_assert_int_eq(opening_rsa(shared_key(), &opening, plain), OPENING_WRONG_SCHEME);
    opening.wrap = "aes256";
    opening.scheme = "ecdh-sha256";
    ck_assert_int_eq(opening_ecdh(key, &opening, plain), OPENING_WRONG_SCHEME);
    buf_free(&opening.encrypted);
    EVP_PKEY_free(key);
}
END_TEST

/* X9.63 KDF by hand (RFC 5753): the hash of secret, counter, info. */
static void x963(const EVP_MD *md, const unsigned char *z, size_t z_len, const struct buf *info,
                 unsigned char *kek, size_t kek_len)
{
    static const unsigned char counters[2][4] = {{0, 0, 0, 1}, {0, 0, 0, 2}};
    size_t made = 0;

    for (int i = 0; made < kek_len; i++) {
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int len = 0;

        EVP_DigestInit_ex(hash, md, NULL);
        EVP_DigestUpdate(hash, z, z_len);
        EVP_DigestUpdate(hash, counters[i], 4);
        EVP_DigestUpdate(hash, info->data, info->len);
        EVP_DigestFinal_ex(hash, digest, &len);
        len = len > kek_len - made ? (unsigned int)(kek_len - made) : len;
        memcpy(kek + made, digest, len);
        made += len;
        EVP_MD_CTX_free(hash);
    }
}

/* HKDF by hand (RFC 5869), one block: HMAC under the salt of the secret, under that of info and 1. */
static void hkdf(const EVP_MD *md, const struct buf *salt, const unsigned char *z, size_t z_len,
                 const struct buf *info, unsigned char *kek, size_t kek_len)
{
    static const unsigned char zeros[EVP_MAX_MD_SIZE];
    unsigned char key[EVP_MAX_MD_SIZE], block[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    struct buf text = {0};

    HMAC(md, salt->len > 0 ? salt->data : (const char *)zeros,
         salt->len > 0 ? (int)salt->len : EVP_MD_get_size(md), z, z_len, key, &len);
    buf_add(&text, info->data, info->len);
    buf_add_char(&text, 1);
    HMAC(md, key, (int)len, (const unsigned char *)text.data, text.len, block, &len);
    memcpy(kek, block, kek_len);
    buf_free(&text);
}

struct agreement {
    const char *scheme, *wrap;
    const EVP_MD *md;
    const EVP_CIPHER *cipher;
    size_t kek_len, length;
    const char *kind, *curve, *salt;
};

static EVP_PKEY *make_agreeing_key(const struct agreement *row)
{
    return row->curve != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, row->kind, row->curve)
                              : EVP_PKEY_Q_keygen(NULL, NULL, row->kind);
}

/* The sender's side, from an ephemeral key. */
static void agree(EVP_PKEY *recipient, const struct agreement *row, struct opening *opening)
{
    EVP_PKEY *ephemeral = make_agreeing_key(row);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ephemeral, NULL);
    EVP_CIPHER_CTX *wrap = EVP_CIPHER_CTX_new();
    unsigned char z[72], kek[64], wrapped[64], *point = NULL;
    size_t z_len = sizeof(z), point_len;
    int n = 0;

    ck_assert_int_eq(EVP_PKEY_derive_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_derive_set_peer(ctx, recipient), 1);
    ck_assert_int_eq(EVP_PKEY_derive(ctx, z, &z_len), 1);
    if (strstr(row->scheme, "hkdf") != NULL)
        hkdf(row->md, &opening->salt, z, z_len, &opening->shared_info, kek, row->kek_len);
    else
        x963(row->md, z, z_len, &opening->shared_info, kek, row->kek_len);
    EVP_CIPHER_CTX_set_flags(wrap, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    ck_assert_int_eq(EVP_EncryptInit_ex(wrap, row->cipher, NULL, kek, NULL), 1);
    ck_assert_int_eq(EVP_EncryptUpdate(wrap, wrapped, &n, secret, (int)opening->length), 1);
    point_len = EVP_PKEY_get1_encoded_public_key(ephemeral, &point);
    buf_clear(&opening->originator);
    buf_clear(&opening->encrypted);
    buf_add(&opening->originator, point, point_len);
    buf_add(&opening->encrypted, wrapped, (size_t)n);
    OPENSSL_free(point);
    EVP_CIPHER_CTX_free(wrap);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(ephemeral);
}

START_TEST(ecdh)
{
    const struct agreement rows[] = {
        {"ecdh-sha1", "aes128", EVP_sha1(), EVP_aes_128_wrap(), 16, 16, "EC", "P-256", ""},
        {"ecdh-sha1", "aes256", EVP_sha1(), EVP_aes_256_wrap(), 32, 32, "EC", "P-256", ""},
        {"ecdh-sha224", "aes192", EVP_sha224(), EVP_aes_192_wrap(), 24, 24, "EC", "P-256", ""},
        {"ecdh-sha256", "aes128", EVP_sha256(), EVP_aes_128_wrap(), 16, 32, "EC", "brainpoolP256r1", ""},
        {"ecdh-sha256", "aes256", EVP_sha256(), EVP_aes_256_wrap(), 32, 32, "EC", "P-384", ""},
        {"ecdh-sha384", "aes256", EVP_sha384(), EVP_aes_256_wrap(), 32, 32, "EC", "brainpoolP384r1", ""},
        {"ecdh-sha512", "aes256", EVP_sha512(), EVP_aes_256_wrap(), 32, 32, "EC", "P-521", ""},
        {"ecdh-sha512", "aes256", EVP_sha512(), EVP_aes_256_wrap(), 32, 32, "EC", "brainpoolP512r1", ""},
        {"ecdh-sha1", "des-ede3", EVP_sha1(), EVP_des_ede3_wrap(), 24, 24, "EC", "P-256", ""},
        {"ecdh-sha256", "des-ede3", EVP_sha256(), EVP_des_ede3_wrap(), 24, 32, "EC", "P-256", ""},
        {"ecdh-sha256", "aes256", EVP_sha256(), EVP_aes_256_wrap(), 32, 32, "X25519", NULL, ""},
        {"ecdh-hkdf-sha256", "aes256", EVP_sha256(), EVP_aes_256_wrap(), 32, 32, "X25519", NULL, ""},
        {"ecdh-hkdf-sha256", "aes128", EVP_sha256(), EVP_aes_128_wrap(), 16, 16, "X25519", NULL, "ukm"},
        {"ecdh-hkdf-sha384", "aes192", EVP_sha384(), EVP_aes_192_wrap(), 24, 24, "X25519", NULL, "ukm"},
        {"ecdh-hkdf-sha512", "aes256", EVP_sha512(), EVP_aes_256_wrap(), 32, 32, "X448", NULL, ""},
        {"ecdh-sha512", "aes256", EVP_sha512(), EVP_aes_256_wrap(), 32, 32, "X448", NULL, ""},
        {"ecdh-hkdf-sha256", "aes256", EVP_sha256(), EVP_aes_256_wrap(), 32, 32, "EC", "P-256", "ukm"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        EVP_PKEY *key = make_agreeing_key(&rows[i]);
        struct opening opening = {.scheme = rows[i].scheme, .wrap = rows[i].wrap, .length = rows[i].length};
        unsigned char plain[OPENING_KEY_MAX] = {0};

        buf_add_text(&opening.shared_info, "shared information");
        buf_add_text(&opening.salt, rows[i].salt);
        agree(key, &rows[i], &opening);
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_OK, "row %zu", i);
        ck_assert_mem_eq(plain, secret, opening.length);
        opening.shared_info.data[0] ^= 1;
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_FAILED, "row %zu: info", i);
        opening.shared_info.data[0] ^= 1;
        if (opening.salt.len > 0) {
            opening.salt.data[0] ^= 1;
            ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_FAILED, "row %zu: salt", i);
            opening.salt.data[0] ^= 1;
        }
        opening.length--;
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_FAILED, "row %zu: length", i);
        opening.length++;
        opening.originator.data[9] ^= 1; /* not on the curve any more, or another key */
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_FAILED, "row %zu: point", i);
        opening.originator.len = 0;
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_FAILED, "row %zu: no point", i);
        buf_free(&opening.shared_info);
        buf_free(&opening.salt);
        buf_free(&opening.originator);
        buf_free(&opening.encrypted);
        EVP_PKEY_free(key);
    }
}
END_TEST

/* Points of small order make the secret zero, whatever the key is: anybody could know it. */
START_TEST(zero_secret)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    struct opening opening = {.scheme = "ecdh-hkdf-sha256", .wrap = "aes256", .length = 32};
    unsigned char plain[OPENING_KEY_MAX];

    buf_add_text(&opening.shared_info, "shared information");
    for (int i = 0; i < 40; i++)
        buf_add_char(&opening.encrypted, 'x');
    for (int i = 0; i < 32; i++)
        buf_add_char(&opening.originator, '\0');
    ck_assert_int_eq(opening_ecdh(key, &opening, plain), OPENING_FAILED);
    opening.originator.data[0] = 1;
    ck_assert_int_eq(opening_ecdh(key, &opening, plain), OPENING_FAILED);
    opening.scheme = "ecdh-hkdf-sha1";
    ck_assert_int_eq(opening_ecdh(key, &opening, plain), OPENING_WRONG_SCHEME);
    buf_free(&opening.shared_info);
    buf_free(&opening.originator);
    buf_free(&opening.encrypted);
    EVP_PKEY_free(key);
}
END_TEST

UNIT_MAIN("keys-file-opening", pkcs1, oaep, pkcs1_faults, oaep_faults, ecdh, zero_secret)
