/* One file: PEM with text around, several objects, DER, PKCS#12, keys under a pass phrase, and everything
 * broken. */
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <string.h>

#include "modules/areas/fields.h"
#include "modules/areas/file.h"
#include "tests/unit/areas_fixture.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

static struct fixture fixture;

static const char *phrase(void *context)
{
    return context;
}

static void set_up(void)
{
    fixture_start(&fixture);
}

static void tear_down(void)
{
    fixture_end(&fixture);
}

static struct file_content read_file(unsigned int want, const char *pass_phrase, const char *name)
{
    char secret[40] = "";
    struct file_reader reader = {
        .want = want, .pass_phrase = pass_phrase != NULL ? phrase : NULL, .context = secret};
    struct file_content content;
    char *path = mem_printf("%s/%s", fixture.root, name);

    if (pass_phrase != NULL)
        snprintf(secret, sizeof(secret), "%s", pass_phrase);
    areas_file_read(&reader, AT_FDCWD, path, &content);
    free(path);
    return content;
}

static void expect(const struct file_content *content, size_t certificates, size_t keys, size_t crls,
                   const char *fault)
{
    ck_assert_uint_eq(content->certificate_count, certificates);
    ck_assert_uint_eq(content->key_count, keys);
    ck_assert_uint_eq(content->crl_count, crls);
    if (fault == NULL)
        ck_assert_str_eq(buf_text(&content->faults), "");
    else
        ck_assert_msg(strstr(buf_text(&content->faults), fault) != NULL, "%s", buf_text(&content->faults));
}

#define CERT FILE_WANT_CERTIFICATES
#define KEY  (FILE_WANT_CERTIFICATES | FILE_WANT_KEYS)
#define CRL  (FILE_WANT_CERTIFICATES | FILE_WANT_CRLS)

START_TEST(pem_with_text)
{
    struct buf text = {0};
    struct file_content content;
    X509 *a = make_certificate(&(struct maker){.address = "a@x.example"});
    X509 *b = make_certificate(&(struct maker){.address = "b@x.example", .serial = 2});

    set_up();
    buf_add_text(&text, "\xef\xbb\xbfWith a byte order mark,\r\na comment\n");
    add_pem(&text, a);
    buf_add_text(&text, "text between -----BEGIN something\n");
    add_pem(&text, b);
    buf_add_text(&text, "text behind");
    put_file(&fixture, "f", text.data, text.len, 0);
    content = read_file(CERT, NULL, "f");
    expect(&content, 2, 0, 0, NULL);
    ck_assert_int_eq(X509_cmp(content.certificates[1].certificate, b), 0);
    areas_file_content_free(&content);
    buf_free(&text);
    X509_free(a);
    X509_free(b);
    tear_down();
}
END_TEST

START_TEST(capabilities_block)
{
    static const unsigned char der[] = {0x30, 0x0d, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86,
                                        0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};
    struct buf text = {0};
    struct file_content content;
    X509 *a = make_certificate(&(struct maker){.address = "a@x.example"});
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long len;

    set_up();
    add_pem(&text, a);
    ck_assert_int_gt(PEM_write_bio(bio, FILE_PEM_CAPABILITIES, "", der, sizeof(der)), 0);
    len = BIO_get_mem_data(bio, &data);
    buf_add(&text, data, (size_t)len);
    put_file(&fixture, "f", text.data, text.len, 0);
    content = read_file(CERT, NULL, "f");
    expect(&content, 1, 0, 0, NULL);
    ck_assert_mem_eq(content.certificates[0].capabilities.data, der, sizeof(der));
    areas_file_content_free(&content);
    put_file(&fixture, "g", data, (size_t)len, 0);
    content = read_file(CERT, NULL, "g");
    expect(&content, 0, 0, 0, "without a certificate in front");
    areas_file_content_free(&content);
    BIO_free(bio);
    buf_free(&text);
    X509_free(a);
    tear_down();
}
END_TEST

START_TEST(der)
{
    struct buf two = {0}, key = {0};
    struct file_content content;
    X509 *a = make_certificate(&(struct maker){.address = "a@x.example"});
    X509_CRL *crl = make_crl(a, shared_key());
    unsigned char *data = NULL;
    int len;

    set_up();
    areas_fields_der(a, &two);
    areas_fields_der(a, &two);
    put_file(&fixture, "two", two.data, two.len, 0);
    content = read_file(CERT, NULL, "two");
    expect(&content, 2, 0, 0, NULL);
    areas_file_content_free(&content);
    put_file(&fixture, "cut", two.data, two.len - 5, 0);
    content = read_file(CERT, NULL, "cut");
    expect(&content, 1, 0, 0, "octets behind the certificate");
    areas_file_content_free(&content);
    put_file(&fixture, "short", two.data, two.len / 2 - 5, 0);
    content = read_file(CERT, NULL, "short");
    expect(&content, 0, 0, 0, "damaged, incomplete");
    areas_file_content_free(&content);
    len = i2d_X509_CRL(crl, &data);
    put_file(&fixture, "crl", data, (size_t)len, 0);
    content = read_file(CRL, NULL, "crl");
    expect(&content, 0, 0, 1, NULL);
    areas_file_content_free(&content);
    content = read_file(CERT, NULL, "crl");
    expect(&content, 0, 0, 0, "belongs into the ca area");
    areas_file_content_free(&content);
    OPENSSL_free(data);
    data = NULL;
    len = i2d_PrivateKey(shared_key(), &data);
    put_file(&fixture, "key", data, (size_t)len, 0600);
    content = read_file(KEY, NULL, "key");
    expect(&content, 0, 1, 0, NULL);
    areas_file_content_free(&content);
    OPENSSL_free(data);
    X509_CRL_free(crl);
    buf_free(&two);
    buf_free(&key);
    X509_free(a);
    tear_down();
}
END_TEST

START_TEST(key_modes)
{
    struct buf text = {0};
    struct file_content content;
    X509 *a = make_certificate(&(struct maker){.address = "a@x.example"});
    static const struct {
        unsigned int want, mode;
        size_t keys;
        const char *fault;
    } rows[] = {
        {KEY, 0600, 1, NULL},
        {KEY, 0400, 1, NULL},
        {KEY, 0640, 0, "mode 0640"},
        {KEY, 0604, 0, "chmod 600"},
        {CERT, 0600, 0, "into the private area only"},
    };

    set_up();
    add_pem(&text, a);
    add_key_pem(&text, shared_key(), NULL, false);
    for (size_t i = 0; i < ROWS(rows); i++) {
        put_file(&fixture, "f", text.data, text.len, rows[i].mode);
        content = read_file(rows[i].want, NULL, "f");
        expect(&content, 1, rows[i].keys, 0, rows[i].fault);
        areas_file_content_free(&content);
        remove_file(&fixture, "f");
    }
    buf_free(&text);
    X509_free(a);
    tear_down();
}
END_TEST

START_TEST(key_pass_phrases)
{
    struct buf modern = {0}, old = {0};
    struct file_content content;
    static const struct {
        const char *name, *phrase;
        size_t keys;
        const char *fault;
    } rows[] = {
        {"modern", "right", 1, NULL},
        {"modern", "wrong", 0, "cannot be decrypted"},
        {"modern", NULL, 0, "no pass phrase is configured"},
        {"old", "right", 1, NULL},
        {"old", "wrong", 0, "cannot be decrypted"},
        {"old", NULL, 0, "cannot be decrypted"},
        {"der", "right", 1, NULL},
        {"der", "wrong", 0, "cannot be decrypted"},
        {"der", NULL, 0, "no pass phrase is configured"},
    };
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long len;

    set_up();
    add_key_pem(&modern, shared_key(), "right", false);
    add_key_pem(&old, shared_key(), "right", true);
    put_file(&fixture, "modern", modern.data, modern.len, 0600);
    put_file(&fixture, "old", old.data, old.len, 0600);
    ck_assert_int_eq(i2d_PKCS8PrivateKey_bio(bio, shared_key(), EVP_aes_128_cbc(), "right", 5, NULL, NULL),
                     1);
    len = BIO_get_mem_data(bio, &data);
    put_file(&fixture, "der", data, (size_t)len, 0600);
    for (size_t i = 0; i < ROWS(rows); i++) {
        content = read_file(KEY, rows[i].phrase, rows[i].name);
        expect(&content, 0, rows[i].keys, 0, rows[i].fault);
        ck_assert_msg(content.pass_phrase == (rows[i].keys == 0), "row %zu", i);
        areas_file_content_free(&content);
    }
    BIO_free(bio);
    buf_free(&modern);
    buf_free(&old);
    tear_down();
}
END_TEST

static void put_pkcs12(const char *name, const char *pass_phrase, int key_nid, int certificate_nid,
                       X509 *certificate, X509 *ca)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    PKCS12 *p12;
    unsigned char *data = NULL;
    int len;

    sk_X509_push(chain, ca);
    p12 =
        PKCS12_create(pass_phrase, "me", shared_key(), certificate, chain, key_nid, certificate_nid, 0, 0, 0);
    ck_assert_ptr_nonnull(p12);
    len = i2d_PKCS12(p12, &data);
    put_file(&fixture, name, data, (size_t)len, 0600);
    OPENSSL_free(data);
    PKCS12_free(p12);
    sk_X509_free(chain);
}

START_TEST(pkcs12)
{
    X509 *ca = make_certificate(&(struct maker){.subject = "CA", .ca = true});
    X509 *a = make_certificate(&(struct maker){.address = "a@x.example", .issuer = ca});
    struct file_content content;
    static const struct {
        const char *name, *phrase;
        size_t keys;
        const char *fault;
    } rows[] = {
        {"right", "right", 1, NULL},
        {"right", "wrong", 0, "PKCS#12 cannot be opened"},
        {"right", NULL, 0, "no other is configured"},
        {"empty", "right", 1, NULL},
        {"empty", NULL, 1, NULL},
        {"none", "right", 1, NULL},
    };

    set_up();
    put_pkcs12("right", "right", 0, 0, a, ca);
    put_pkcs12("empty", "", 0, 0, a, ca);
    put_pkcs12("none", NULL, 0, 0, a, ca);
    for (size_t i = 0; i < ROWS(rows); i++) {
        content = read_file(KEY, rows[i].phrase, rows[i].name);
        expect(&content, rows[i].keys * 2, rows[i].keys, 0, rows[i].fault);
        areas_file_content_free(&content);
    }
    content = read_file(CERT, NULL, "empty");
    expect(&content, 0, 0, 0, "belongs into the private area only");
    areas_file_content_free(&content);
    X509_free(a);
    X509_free(ca);
    tear_down();
}
END_TEST

/* RC2-40 and 3DES, as files of older programs have them. Made with the legacy provider in the default
   context, which the reader must leave without it. */
static void put_legacy_pkcs12(X509 *ca, X509 *certificate)
{
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default"),
                  *legacy = OSSL_PROVIDER_load(NULL, "legacy");

    ck_assert_ptr_nonnull(legacy);
    put_pkcs12("old", "right", NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And40BitRC2_CBC,
               certificate, ca);
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(standard);
    ck_assert_ptr_null(EVP_CIPHER_fetch(NULL, "RC2-40-CBC", NULL));
}

static void check_legacy(size_t certificates, size_t keys, const char *fault)
{
    X509 *ca = make_certificate(&(struct maker){.subject = "CA", .ca = true});
    X509 *a = make_certificate(&(struct maker){.address = "a@x.example", .issuer = ca});
    struct file_content content;

    set_up();
    put_legacy_pkcs12(ca, a);
    if (fault != NULL)
        setenv("OPENSSL_MODULES", "/nonexistent", 1);
    content = read_file(KEY, "right", "old");
    expect(&content, certificates, keys, 0, fault);
    if (keys > 0)
        ck_assert_int_eq(EVP_PKEY_eq(content.keys[0], shared_key()), 1);
    ck_assert_ptr_null(EVP_CIPHER_fetch(NULL, "RC2-40-CBC", NULL));
    areas_file_content_free(&content);
    X509_free(a);
    X509_free(ca);
    tear_down();
}

START_TEST(pkcs12_legacy)
{
    check_legacy(2, 1, NULL);
}
END_TEST

START_TEST(pkcs12_legacy_missing)
{
    check_legacy(0, 0, "legacy provider is missing");
}
END_TEST

START_TEST(broken)
{
    X509 *a = make_certificate(&(struct maker){.address = "a@x.example"});
    struct buf good = {0}, text = {0};
    struct file_content content;

    set_up();
    add_pem(&good, a);
    for (size_t cut = 30; cut < good.len - 3; cut += 37) { /* a file that is still being copied */
        put_file(&fixture, "f", good.data, cut, 0);
        content = read_file(CERT, NULL, "f");
        expect(&content, 0, 0, 0, "incomplete");
        areas_file_content_free(&content);
    }
    add_pem(&text, a);
    buf_add_text(&text, "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
    add_pem(&text, a);
    put_file(&fixture, "f", text.data, text.len, 0);
    content = read_file(CERT, NULL, "f");
    expect(&content, 2, 0, 0, "damaged"); /* the others count */
    areas_file_content_free(&content);
    put_file(&fixture, "empty", "", 0, 0);
    content = read_file(CERT, NULL, "empty");
    expect(&content, 0, 0, 0, "empty");
    areas_file_content_free(&content);
    put_file(&fixture, "text", "0hello", 6, 0);
    content = read_file(CERT, NULL, "text");
    expect(&content, 0, 0, 0, "damaged");
    areas_file_content_free(&content);
    content = read_file(CERT, NULL, "missing");
    expect(&content, 0, 0, 0, "cannot be opened");
    ck_assert_str_eq(content.stamp.text, "");
    areas_file_content_free(&content);
    content = read_file(CERT, NULL, "public");
    expect(&content, 0, 0, 0, "not a regular file");
    areas_file_content_free(&content);
    buf_free(&good);
    buf_free(&text);
    X509_free(a);
    tear_down();
}
END_TEST

static void check_addresses(const struct maker *maker, const char *expected)
{
    X509 *a = make_certificate(maker);
    struct strlist addresses = {0};
    struct buf all = {0};

    areas_fields_addresses(a, &addresses);
    for (size_t i = 0; i < addresses.count; i++)
        buf_printf(&all, "%s ", addresses.items[i]);
    ck_assert_str_eq(buf_text(&all), expected);
    strlist_free(&addresses);
    buf_free(&all);
    X509_free(a);
}

START_TEST(addresses)
{
    check_addresses(&(struct maker){.address = "A.User@X.Example"}, "a.user@x.example ");
    check_addresses(&(struct maker){.subject_address = "s@x.example"}, "s@x.example ");
    check_addresses(&(struct maker){.subject_address = "s@x.example", .address = "a@x.example"},
                    "a@x.example ");
    check_addresses(&(struct maker){.utf8_mailbox = "j\xc3\xb6rg@b\xc3\xbc"
                                                    "cher.example"},
                    "j\xc3\xb6rg@xn--bcher-kva.example ");
    check_addresses(&(struct maker){.utf8_mailbox = "u@x.example", .subject_address = "s@x.example"},
                    "u@x.example ");
    check_addresses(&(struct maker){.address = "not an address"}, "");
    check_addresses(&(struct maker){.address = "not an address", .subject_address = "s@x.example"}, "");
}
END_TEST

UNIT_MAIN("areas-files", pem_with_text, capabilities_block, der, key_modes, key_pass_phrases, pkcs12,
          pkcs12_legacy, pkcs12_legacy_missing, broken, addresses)
