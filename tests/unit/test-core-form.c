/* Which forms a profile takes, and how they are called. */
#include "core/form.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"

static struct core core;

static const struct config_profile *profile(const char *name)
{
    const struct config_profile *found = config_profile_find(&core.config, name);
    ck_assert_ptr_nonnull(found);
    return found;
}

static void set_up(void)
{
    core_set_up(&core,
                "PROFILE_curves = cipher=aes-256-cbc keytrans=rsa-oaep-sha256 sign=rsa-pss\n"
                "PROFILE_old = cipher=aes-128-cbc keytrans=rsa-pkcs1 strict=yes\n"
                "PROFILE_long = keytrans=rsa-oaep-sha512 sign=rsa-pss digest=sha512 strict=yes\n",
                NULL);
}

START_TEST(key_transport)
{
    static const struct {
        const char *profile, *word;
        bool fits;
        const char *text;
    } rows[] = {
        {"bdew", "rsa-oaep-sha256", true, "RSAES-OAEP (SHA-256, MGF1-SHA-256)"},
        {"bdew", "rsa-pkcs1", false, "RSAES-PKCS1-v1_5"},
        {"bdew", "rsa-oaep-sha1", false, "RSAES-OAEP (SHA-1, MGF1-SHA-1)"},
        {"bdew", "rsa-oaep-sha256-mgf1-sha1", false, "RSAES-OAEP (SHA-256, MGF1-SHA-1)"},
        {"bdew", "rsa-oaep-sha512", false, "RSAES-OAEP (SHA-512, MGF1-SHA-512)"},
        {"bdew", "rsa-oaep-other", false, "RSAES-OAEP (other)"},
        {"bdew", "ecdh-sha256-aes256", false, "ECDH"},
        {"curves", "ecdh-sha256-aes256", true, "ECDH"},
        {"curves", "rsa-pkcs1", false, "RSAES-PKCS1-v1_5"},
        {"curves", "rsa-oaep-sha256", true, "RSAES-OAEP (SHA-256, MGF1-SHA-256)"},
        {"old", "rsa-pkcs1", true, "RSAES-PKCS1-v1_5"},
        {"old", "rsa-oaep-sha256", false, "RSAES-OAEP (SHA-256, MGF1-SHA-256)"},
        {"default", "rsa-pkcs1", true, "RSAES-PKCS1-v1_5"},
        {"default", "rsa-oaep-sha512", true, "RSAES-OAEP (SHA-512, MGF1-SHA-512)"},
        {"default", "kek", false, "kek"},
        {"curves", "kek", false, "kek"},
        {"curves", "rsaEncryption", false, "rsaEncryption"},
        {"curves", "", false, ""},
    };
    set_up();
    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text = form_keytrans_text(rows[i].word);
        ck_assert_msg(form_keytrans_fits(profile(rows[i].profile), rows[i].word) == rows[i].fits, "row %zu",
                      i);
        ck_assert_msg(strcmp(text, rows[i].text) == 0, "row %zu: %s", i, text);
        free(text);
    }
    ck_assert(!form_keytrans_fits(profile("bdew"), NULL));
    core_tear_down(&core);
}
END_TEST

START_TEST(content_cipher)
{
    static const struct {
        const char *profile, *word;
        bool fits;
    } rows[] = {
        {"bdew", "aes-128-cbc", true},    {"bdew", "aes-192-cbc", true},
        {"bdew", "aes-256-cbc", true},    {"bdew", "aes-256-gcm", false},
        {"bdew", "des-ede3-cbc", false},  {"bdew", "camellia-256-cbc", false},
        {"modern", "aes-128-gcm", true},  {"modern", "aes-256-cbc", false},
        {"default", "aes-128-gcm", true}, {"default", "aes-256-cbc", true},
        {"default", "rc2-cbc", false},    {"default", "aes-256-ofb", false},
        {"bdew", "aes-512-cbc", false},
    };
    char *text = form_cipher_text("des-ede3-cbc");
    set_up();
    for (size_t i = 0; i < ROWS(rows); i++)
        ck_assert_msg(form_cipher_fits(profile(rows[i].profile), rows[i].word) == rows[i].fits, "row %zu", i);
    ck_assert(!form_cipher_fits(profile("default"), NULL));
    ck_assert_str_eq(text, "DES-EDE3-CBC");
    free(text);
    core_tear_down(&core);
}
END_TEST

START_TEST(signatures)
{
    static const struct {
        const char *profile;
        struct form_signature found;
        bool fits;
        const char *text;
    } rows[] = {
        {"bdew", {"rsa-pss-sha256", "sha256", 32}, true, "RSASSA-PSS (SHA-256, MGF1-SHA-256, saltLength 32)"},
        {"bdew", {"rsa-pss-sha256", "sha1", 32}, false, "RSASSA-PSS (SHA-256, MGF1-SHA-1, saltLength 32)"},
        {"bdew",
         {"rsa-pss-sha256", "sha256", 20},
         false,
         "RSASSA-PSS (SHA-256, MGF1-SHA-256, saltLength 20)"},
        {"bdew", {"rsa-pss-sha256", NULL, 32}, false, "RSASSA-PSS (SHA-256, MGF1-?, saltLength 32)"},
        {"bdew",
         {"rsa-pss-sha512", "sha512", 64},
         false,
         "RSASSA-PSS (SHA-512, MGF1-SHA-512, saltLength 64)"},
        {"long", {"rsa-pss-sha512", "sha512", 64}, true, "RSASSA-PSS (SHA-512, MGF1-SHA-512, saltLength 64)"},
        {"long",
         {"rsa-pss-sha512", "sha512", 32},
         false,
         "RSASSA-PSS (SHA-512, MGF1-SHA-512, saltLength 32)"},
        {"bdew", {"rsa-pkcs1-sha256", NULL, 0}, false, "RSASSA-PKCS1-v1_5 (SHA-256)"},
        {"old", {"rsa-pkcs1-sha256", NULL, 0}, true, "RSASSA-PKCS1-v1_5 (SHA-256)"},
        {"old", {"rsa-pkcs1-md5", NULL, 0}, false, "RSASSA-PKCS1-v1_5 (MD5)"},
        {"old", {"rsa-pss-sha256", "sha256", 32}, false, "RSASSA-PSS (SHA-256, MGF1-SHA-256, saltLength 32)"},
        {"bdew", {"ecdsa-sha256", NULL, 0}, false, "ECDSA (SHA-256)"},
        {"curves", {"ecdsa-sha256", NULL, 0}, true, "ECDSA (SHA-256)"},
        {"curves", {"ecdsa-sha384", NULL, 0}, false, "ECDSA (SHA-384)"},
        {"curves", {"ed25519", NULL, 0}, false, "ed25519"},
        {"curves", {NULL, NULL, 0}, false, "?"},
    };
    set_up();
    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text = form_signature_text(&rows[i].found);
        ck_assert_msg(form_signature_fits(profile(rows[i].profile), &rows[i].found) == rows[i].fits,
                      "row %zu", i);
        ck_assert_msg(strcmp(text, rows[i].text) == 0, "row %zu: %s", i, text);
        free(text);
    }
    core_tear_down(&core);
}
END_TEST

START_TEST(wanted)
{
    static const struct {
        const char *profile, *keytrans, *cipher, *signature;
    } rows[] = {
        {"bdew", "RSAES-OAEP (SHA-256, MGF1-SHA-256)", "AES-128/192/256-CBC",
         "RSASSA-PSS (SHA-256, MGF1-SHA-256, saltLength 32)"},
        {"modern", "RSAES-OAEP (SHA-256, MGF1-SHA-256), ECDH", "AES-128/192/256-GCM",
         "RSASSA-PSS (SHA-256, MGF1-SHA-256, saltLength 32), ECDSA (SHA-256)"},
        {"default", "RSAES-PKCS1-v1_5, RSAES-OAEP, ECDH", "AES-128/192/256-CBC, AES-128/192/256-GCM",
         "RSASSA-PKCS1-v1_5 (SHA-256), ECDSA (SHA-256)"},
    };
    set_up();
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct form_text text;
        form_wanted(profile(rows[i].profile), &text);
        ck_assert_str_eq(text.keytrans, rows[i].keytrans);
        ck_assert_str_eq(text.cipher, rows[i].cipher);
        ck_assert_str_eq(text.signature, rows[i].signature);
        form_text_free(&text);
    }
    core_tear_down(&core);
}
END_TEST

UNIT_MAIN("core-form", key_transport, content_cipher, signatures, wanted)
