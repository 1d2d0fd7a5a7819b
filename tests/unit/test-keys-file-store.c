/* store: what is harvested, where it lands, and what is refused. */
#include <dirent.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/areas/fields.h"
#include "tests/unit/keys_file_client.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

#define STORE "<store area=\"%s\"><certificate>%s</certificate></store>"

static struct client client;
static X509 *certificate;
static struct buf text; /* base64 of its DER */
static char fingerprint[65];

static void set_up(void)
{
    struct buf der = {0};

    client_start(&client);
    certificate = make_certificate(&(struct maker){.address = "p@x.example"});
    areas_fields_der(certificate, &der);
    base64_encode_buf(&text, der.data, der.len);
    fingerprint_of(certificate, fingerprint);
    buf_printf(&client.conf, "REVIEW = %s/review\nCAPABILITIES = %s/capabilities\n", client.fixture.root,
               client.fixture.root);
    buf_free(&der);
}

static void tear_down(void)
{
    client_end(&client);
    X509_free(certificate);
    buf_free(&text);
}

static size_t files_in(const char *folder)
{
    char *path = mem_printf("%s/%s", client.fixture.root, folder);
    DIR *dir = opendir(path);
    size_t count = 0;

    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        closedir(dir);
    free(path);
    return count > 2 ? count - 2 : 0;
}

static void read_stored(const char *folder, struct buf *out)
{
    char *path = mem_printf("%s/%s/%s.pem", client.fixture.root, folder, fingerprint);

    ck_assert_int_eq(fdio_read_file(path, 100000, out), 0);
    free(path);
}

START_TEST(public_area)
{
    struct buf stored = {0}, pem = {0};
    struct xml_node *root;

    set_up();
    client_connect(&client);
    root = client_ask(&client, STORE, "public", text.data);
    ck_assert_str_eq(xml_attribute(root, "status"), "ok");
    ck_assert_str_eq(xml_attribute(xml_child(root, "store"), "fingerprint"), fingerprint);
    xml_free(root);
    read_stored("public", &stored);
    add_pem(&pem, certificate);
    ck_assert_str_eq(stored.data, pem.data);
    ck_assert_uint_eq(files_in("public"), 1);
    client_expect(&client, "none", "known", STORE, "public", text.data);
    client_expect(&client, "none", "known", STORE, "review", text.data);
    ck_assert_uint_eq(files_in("review"), 0);
    client_expect(&client, "ok", "", "<find><query n=\"1\" use=\"encrypt\" address=\"p@x.example\"/></find>");
    buf_free(&stored);
    buf_free(&pem);
    tear_down();
}
END_TEST

START_TEST(capabilities_come_back)
{
    const char *capabilities = "MA0wCwYJYIZIAWUDBAEq";
    struct xml_node *root;
    const struct xml_node *entry;

    set_up();
    client_connect(&client);
    client_expect(
        &client, "ok", "",
        "<store area=\"public\"><certificate>%s</certificate><capabilities>%s</capabilities></store>",
        text.data, capabilities);
    root = client_ask(&client, "<find><query n=\"1\" use=\"encrypt\" address=\"p@x.example\"/></find>");
    entry = xml_child(xml_child(xml_child(root, "find"), "result"), "entry");
    ck_assert_str_eq(xml_child(entry, "capabilities")->text, capabilities);
    xml_free(root);
    tear_down();
}
END_TEST

#define LESSON                                                                                               \
    "<store area=\"%s\" "                                                                                    \
    "signing-time=\"%s\"><certificate>%s</certificate><capabilities>%s</capabilities></store>"

/* What is offered for p@x.example; of several certificates the first one's. */
static void expect_offer(const char *capabilities)
{
    struct xml_node *root =
        client_ask(&client, "<find><query n=\"1\" use=\"encrypt\" address=\"p@x.example\"/></find>");
    const struct xml_node *entry = xml_child(xml_child(xml_child(root, "find"), "result"), "entry");
    const struct xml_node *node = xml_child(entry, "capabilities");

    ck_assert_str_eq(node != NULL ? node->text : "", capabilities);
    xml_free(root);
}

static const char gcm[] = "MA0wCwYJYIZIAWUDBAEu", cbc[] = "MA0wCwYJYIZIAWUDBAEq",
                  gcm_cbc[] = "MBowCwYJYIZIAWUDBAEuMAsGCWCGSAFlAwQBKg==";

/* The newest signature of a certificate that the administrator has put there counts; his file stays as it is.
 */
START_TEST(newest_capabilities)
{
    struct buf pem = {0}, after = {0};
    char *path;

    set_up();
    add_pem(&pem, certificate);
    buf_add_text(&pem, "-----BEGIN SMIME CAPABILITIES-----\n");
    buf_add_text(&pem, cbc);
    buf_add_text(&pem, "\n-----END SMIME CAPABILITIES-----\n");
    put_file(&client.fixture, "public/partner.pem", pem.data, pem.len, 0644);
    client_connect(&client);
    expect_offer(cbc);
    client_expect(&client, "none", "known", LESSON, "review", "2020-05-05T10:00:00Z", text.data, gcm);
    expect_offer(gcm);
    client_expect(&client, "none", "known", LESSON, "public", "2019-05-05T10:00:00Z", text.data, gcm_cbc);
    expect_offer(gcm);
    client_expect(&client, "none", "known", LESSON, "public", "2020-05-05T10:00:00Z", text.data, gcm_cbc);
    expect_offer(gcm);
    client_expect(&client, "none", "known", LESSON, "public", "2020-05-05T10:00:01Z", text.data, gcm_cbc);
    expect_offer(gcm_cbc);
    client_expect(&client, "none", "known", STORE, "public", text.data);
    expect_offer(gcm_cbc);
    client_expect(&client, "none", "known", LESSON, "public", "2300-01-01T00:00:00Z", text.data, cbc);
    expect_offer(gcm_cbc);
    client_expect(&client, "none", "known", LESSON, "public", "2021-01-01T00:00:00Z", text.data, cbc);
    expect_offer(cbc);
    client_connect(&client);
    expect_offer(cbc);
    path = mem_printf("%s/public/partner.pem", client.fixture.root);
    ck_assert_int_eq(fdio_read_file(path, 100000, &after), 0);
    ck_assert_str_eq(after.data, pem.data);
    ck_assert_uint_eq(files_in("public"), 1);
    ck_assert_uint_eq(files_in("capabilities"), 2);
    free(path);
    buf_free(&pem);
    buf_free(&after);
    tear_down();
}
END_TEST

/* A partner signs with one certificate and is encrypted to with another: the address tells. */
START_TEST(capabilities_of_an_address)
{
    struct buf pem = {0}, der = {0}, signing = {0};
    X509 *other;

    set_up();
    add_pem(&pem, certificate);
    put_file(&client.fixture, "public/encryption.pem", pem.data, pem.len, 0644);
    other = make_certificate(&(struct maker){.address = "P@x.example", .serial = 77});
    areas_fields_der(other, &der);
    base64_encode_buf(&signing, der.data, der.len);
    client_connect(&client);
    client_expect(
        &client, "ok", "",
        "<store area=\"review\"><certificate>%s</certificate><capabilities>%s</capabilities></store>",
        signing.data, cbc);
    expect_offer(cbc);
    client_expect(&client, "none", "known", LESSON, "review", "2020-05-05T10:00:00Z", signing.data, gcm);
    expect_offer(gcm);
    client_expect(&client, "none", "known", LESSON, "review", "2019-05-05T10:00:00Z", text.data, gcm_cbc);
    expect_offer(gcm_cbc); /* which its own holder said is better known, though older */
    X509_free(other);
    buf_free(&pem);
    buf_free(&der);
    buf_free(&signing);
    tear_down();
}
END_TEST

/* What cannot be read or written costs no mail. */
START_TEST(capabilities_in_trouble)
{
    struct buf pem = {0};
    char *name;

    set_up();
    add_pem(&pem, certificate);
    put_file(&client.fixture, "public/partner.pem", pem.data, pem.len, 0644);
    client_connect(&client);
    client_expect(&client, "none", "known", LESSON, "review", "2020-05-05T10:00:00Z", text.data, gcm);
    name = mem_printf("capabilities/certificate-%s", fingerprint);
    put_file(&client.fixture, name, "nonsense", 8, 0644);
    expect_offer(gcm); /* by the address */
    client_expect(&client, "none", "known", LESSON, "review", "2019-05-05T10:00:00Z", text.data, gcm_cbc);
    expect_offer(gcm_cbc);
    buf_clear(&client.conf);
    buf_add_text(&client.conf, "CAPABILITIES = /proc/nowhere\n");
    client_connect(&client);
    client_expect(&client, "none", "known", LESSON, "review", "2022-05-05T10:00:00Z", text.data, gcm);
    expect_offer("");
    free(name);
    buf_free(&pem);
    tear_down();
}
END_TEST

START_TEST(review)
{
    set_up();
    client_connect(&client);
    client_expect(&client, "ok", "", STORE, "review", text.data);
    ck_assert_uint_eq(files_in("review"), 1);
    ck_assert_uint_eq(files_in("public"), 0);
    client_expect(&client, "none", "known", STORE, "review", text.data);
    tear_down();
}
END_TEST

START_TEST(known_in_any_area)
{
    set_up();
    put_certificate(&client.fixture, "untrusted/p.pem", certificate);
    client_connect(&client);
    client_expect(&client, "none", "known", STORE, "public", text.data);
    ck_assert_uint_eq(files_in("public"), 0);
    tear_down();
}
END_TEST

START_TEST(nothing_is_overwritten)
{
    char *name;
    struct buf stored = {0};

    set_up();
    name = mem_printf("public/%s.pem", fingerprint);
    put_file(&client.fixture, name, "precious", 8, 0);
    client_connect(&client);
    client_expect(&client, "none", "known", STORE, "public", text.data);
    read_stored("public", &stored);
    ck_assert_str_eq(stored.data, "precious");
    free(name);
    buf_free(&stored);
    tear_down();
}
END_TEST

START_TEST(refused)
{
    unsigned char *der = NULL;
    int len = i2d_PrivateKey(shared_key(), &der);
    struct buf key = {0}, both = {0}, twice = {0};

    set_up();
    base64_encode_buf(&key, der, (size_t)len);
    buf_clear(&both);
    areas_fields_der(certificate, &both);
    buf_add(&both, der, (size_t)len);
    base64_encode_buf(&twice, both.data, both.len);
    client_connect(&client);
    client_expect(&client, "permanent", "not-a-certificate", STORE, "public", key.data);
    client_expect(&client, "permanent", "not-a-certificate", STORE, "public", twice.data);
    client_expect(&client, "permanent", "not-a-certificate", STORE, "public", "");
    client_expect(
        &client, "permanent", "invalid",
        "<store area=\"public\"><certificate>%s</certificate><capabilities>%s</capabilities></store>",
        text.data, key.data + 4);
    client_expect(&client, "permanent", "invalid",
                  "<store area=\"public\"><certificate>%s</certificate><capabilities/></store>", text.data);
    ck_assert_uint_eq(files_in("public"), 0);
    OPENSSL_free(der);
    buf_free(&key);
    buf_free(&both);
    buf_free(&twice);
    tear_down();
}
END_TEST

UNIT_MAIN("keys-file-store", public_area, capabilities_come_back, review, known_in_any_area,
          nothing_is_overwritten, refused, newest_capabilities, capabilities_of_an_address,
          capabilities_in_trouble)
