/* Content keys that OpenSSL wrapped are opened; damaged ones give nothing away. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "modules/keys-file/opening.h"
#include "tests/unit/areas_fixture.h"
#include "tests/unit/unit.h"

static const unsigned char secret[32] = "0123456789abcdefghijklmnopqrstu";

static void encrypt(EVP_PKEY *key, int padding, const char *hash, const char *mgf1, const void *plain,
                    size_t len, struct buf *out)
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
    ck_assert_int_eq(EVP_PKEY_encrypt(ctx, octets, &size, plain, len), 1);
    buf_clear(out);
    buf_add(out, octets, size);
    EVP_PKEY_CTX_free(ctx);
}

START_TEST(rsa)
{
    static const struct {
        const char *scheme, *hash, *mgf1;
    } rows[] = {
        {"rsa-pkcs1", NULL, NULL},
        {"rsa-oaep-sha1", "SHA1", "SHA1"},
        {"rsa-oaep-sha256", "SHA256", "SHA256"},
        {"rsa-oaep-sha384", "SHA384", "SHA384"},
        {"rsa-oaep-sha512", "SHA512", "SHA512"},
        {"rsa-oaep-sha256-mgf1-sha1", "SHA256", "SHA1"},
        {"rsa-oaep-sha384-mgf1-sha1", "SHA384", "SHA1"},
        {"rsa-oaep-sha512-mgf1-sha1", "SHA512", "SHA1"},
    };
    EVP_PKEY *key = make_key("RSA", 2048);

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct opening opening = {.scheme = rows[i].scheme, .length = 32};
        unsigned char plain[OPENING_KEY_MAX];

        encrypt(key, rows[i].hash != NULL ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING, rows[i].hash,
                rows[i].mgf1, secret, 32, &opening.encrypted);
        ck_assert_msg(opening_rsa(key, &opening, plain) == OPENING_OK, "row %zu", i);
        ck_assert_mem_eq(plain, secret, 32);
        opening.scheme = rows[(i + 1) % ROWS(rows)].scheme; /* another one must not open it */
        memset(plain, 0, sizeof(plain));
        opening_rsa(key, &opening, plain);
        ck_assert_msg(memcmp(plain, secret, 32) != 0, "row %zu", i);
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
    opening.scheme = "rsa-pkcs1";
    ck_assert_int_eq(opening_rsa(shared_key(), &opening, plain), OPENING_WRONG_SCHEME);
    opening.wrap = "aes256";
    opening.scheme = "ecdh-sha256";
    ck_assert_int_eq(opening_ecdh(key, &opening, plain), OPENING_WRONG_SCHEME);
    buf_free(&opening.encrypted);
    EVP_PKEY_free(key);
}
END_TEST

/* The sender's side, from an ephemeral key: KDF by hand (RFC 5753 with X9.63: SHA over Z, counter, info),
 * then AES key wrap. */
static void agree(EVP_PKEY *recipient, const EVP_MD *md, const EVP_CIPHER *cipher, size_t kek_len,
                  struct opening *opening)
{
    EVP_PKEY *ephemeral =
        EVP_PKEY_Q_keygen(NULL, NULL, "EC", EVP_PKEY_get_size(recipient) > 80 ? "P-384" : "P-256");
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ephemeral, NULL);
    EVP_CIPHER_CTX *wrap = EVP_CIPHER_CTX_new();
    unsigned char z[66], kek[64], wrapped[48], *point = NULL;
    static const unsigned char counters[2][4] = {{0, 0, 0, 1}, {0, 0, 0, 2}};
    size_t z_len = sizeof(z), point_len, made = 0;
    int n = 0;

    ck_assert_int_eq(EVP_PKEY_derive_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_derive_set_peer(ctx, recipient), 1);
    ck_assert_int_eq(EVP_PKEY_derive(ctx, z, &z_len), 1);
    for (int i = 0; made < kek_len; i++) {
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int len = 0;

        EVP_DigestInit_ex(hash, md, NULL);
        EVP_DigestUpdate(hash, z, z_len);
        EVP_DigestUpdate(hash, counters[i], 4);
        EVP_DigestUpdate(hash, opening->shared_info.data, opening->shared_info.len);
        EVP_DigestFinal_ex(hash, digest, &len);
        len = len > kek_len - made ? (unsigned int)(kek_len - made) : len;
        memcpy(kek + made, digest, len);
        made += len;
        EVP_MD_CTX_free(hash);
    }
    EVP_CIPHER_CTX_set_flags(wrap, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    ck_assert_int_eq(EVP_EncryptInit_ex(wrap, cipher, NULL, kek, NULL), 1);
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
    const struct {
        const char *scheme, *wrap;
        const EVP_MD *md;
        const EVP_CIPHER *cipher;
        size_t kek_len, length;
        unsigned int curve;
    } rows[] = {
        {"ecdh-sha1", "aes128", EVP_sha1(), EVP_aes_128_wrap(), 16, 16, 256},
        {"ecdh-sha1", "aes256", EVP_sha1(), EVP_aes_256_wrap(), 32, 32, 256},
        {"ecdh-sha224", "aes192", EVP_sha224(), EVP_aes_192_wrap(), 24, 24, 256},
        {"ecdh-sha256", "aes128", EVP_sha256(), EVP_aes_128_wrap(), 16, 32, 256},
        {"ecdh-sha256", "aes256", EVP_sha256(), EVP_aes_256_wrap(), 32, 32, 384},
        {"ecdh-sha384", "aes256", EVP_sha384(), EVP_aes_256_wrap(), 32, 32, 384},
        {"ecdh-sha512", "aes256", EVP_sha512(), EVP_aes_256_wrap(), 32, 32, 384},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        EVP_PKEY *key = make_key("EC", rows[i].curve);
        struct opening opening = {.scheme = rows[i].scheme, .wrap = rows[i].wrap, .length = rows[i].length};
        unsigned char plain[OPENING_KEY_MAX] = {0};

        buf_add_text(&opening.shared_info, "shared information");
        agree(key, rows[i].md, rows[i].cipher, rows[i].kek_len, &opening);
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_OK, "row %zu", i);
        ck_assert_mem_eq(plain, secret, opening.length);
        opening.shared_info.data[0] ^= 1;
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_FAILED, "row %zu: info", i);
        opening.shared_info.data[0] ^= 1;
        opening.length--;
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_FAILED, "row %zu: length", i);
        opening.length++;
        opening.originator.data[9] ^= 1; /* not on the curve any more */
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_FAILED, "row %zu: point", i);
        opening.originator.len = 0;
        ck_assert_msg(opening_ecdh(key, &opening, plain) == OPENING_FAILED, "row %zu: no point", i);
        buf_free(&opening.shared_info);
        buf_free(&opening.originator);
        buf_free(&opening.encrypted);
        EVP_PKEY_free(key);
    }
}
END_TEST

UNIT_MAIN("keys-file-opening", rsa, pkcs1_faults, oaep_faults, ecdh)
