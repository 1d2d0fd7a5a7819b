/* Grants: only first, only once, only from the core's user; afterwards exactly what they name, as often as
 * they say. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/keys_file_client.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

#define DIGEST "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SIGN   "<sign key=\"keys-file:%s\" scheme=\"ecdsa-sha256\" digest=\"" DIGEST "\"/>"
#define OPEN                                                                                                 \
    "<open key=\"keys-file:%s\" length=\"32\" scheme=\"rsa-pkcs1\"><encrypted>AAAA</encrypted></open>"
#define GRANT "<grant><allow key=\"keys-file:%s\" operation=\"%s\" count=\"%d\"/></grant>"

static struct client client;
static char ec[65], rsa[65];
static X509 *ec_certificate;

static void put_own(const char *name, const char *address, EVP_PKEY *key, char fingerprint[65])
{
    X509 *certificate = make_certificate(&(struct maker){.address = address, .key = key});
    struct buf pem = {0};

    add_pem(&pem, certificate);
    add_key_pem(&pem, key, NULL, false);
    put_file(&client.fixture, name, pem.data, pem.len, 0600);
    fingerprint_of(certificate, fingerprint);
    if (key == shared_key())
        ec_certificate = certificate;
    else
        X509_free(certificate);
    buf_wipe(&pem);
}

static void set_up(void)
{
    EVP_PKEY *key = make_key("RSA", 2048);

    client_start(&client);
    put_own("private/ec.pem", "ec@x.example", shared_key(), ec);
    put_own("private/rsa.pem", "rsa@x.example", key, rsa);
    EVP_PKEY_free(key);
}

static void tear_down(void)
{
    client_end(&client);
    X509_free(ec_certificate);
}

START_TEST(counts)
{
    set_up();
    client_connect(&client);
    client_expect(&client, "ok", "", GRANT, ec, "sign", 2);
    client_expect(&client, "ok", "", SIGN, ec);
    client_expect(&client, "permanent", "wrong-scheme", /* a failure counts as a use */
                  "<sign key=\"keys-file:%s\" scheme=\"rsa-pkcs1-sha256\" digest=\"" DIGEST "\"/>", ec);
    client_expect(&client, "permanent", "grant-used-up", SIGN, ec);
    client_connect(&client);
    client_expect(&client, "ok", "", GRANT, ec, "sign", 0);
    client_expect(&client, "permanent", "grant-used-up", SIGN, ec);
    tear_down();
}
END_TEST

START_TEST(only_what_is_named)
{
    set_up();
    client_connect(&client);
    client_expect(&client, "ok", "", GRANT, ec, "sign", 5);
    client_expect(&client, "permanent", "not-granted", SIGN, rsa);
    client_expect(&client, "permanent", "not-granted", OPEN, ec);
    client_expect(&client, "permanent", "not-granted", OPEN, rsa);
    client_expect(&client, "permanent", "not-granted",
                  "<find><query n=\"1\" use=\"sign\" address=\"ec@x.example\"/></find>");
    client_expect(&client, "permanent", "not-granted", "<list area=\"private\"/>");
    client_expect(&client, "permanent", "not-granted", "<hello version=\"1\"/>");
    client_expect(&client, "permanent", "not-granted",
                  "<store area=\"public\"><certificate>AAAA</certificate></store>");
    client_expect(&client, "ok", "", SIGN, ec);
    tear_down();
}
END_TEST

START_TEST(only_first_and_once)
{
    set_up();
    client_connect(&client);
    client_expect(&client, "permanent", "no-grant", SIGN, ec);
    client_expect(&client, "permanent", "grant-not-first", GRANT, ec, "sign", 1);
    client_expect(&client, "permanent", "no-grant", OPEN, rsa);
    client_connect(&client);
    client_expect(&client, "ok", "", "<hello version=\"1\"/>");
    client_expect(&client, "permanent", "grant-not-first", GRANT, ec, "sign", 1);
    client_connect(&client);
    client_expect(&client, "ok", "", GRANT, ec, "sign", 1);
    client_expect(&client, "permanent", "grant-not-first", GRANT, rsa, "open", 1);
    client_expect(&client, "permanent", "not-granted", OPEN, rsa);
    client_connect(&client); /* one that fails is the only try, too */
    client_expect(&client, "permanent", "unknown-key",
                  "<grant><allow key=\"other:x\" operation=\"sign\" count=\"1\"/></grant>");
    client_expect(&client, "permanent", "grant-not-first", GRANT, ec, "sign", 1);
    client_expect(&client, "permanent", "not-granted", SIGN, ec);
    tear_down();
}
END_TEST

START_TEST(several)
{
    set_up();
    client_connect(&client);
    client_expect(&client, "ok", "",
                  "<grant><allow key=\"keys-file:%s\" operation=\"sign\" count=\"1\"/>"
                  "<allow key=\"keys-file:%s\" operation=\"open\" count=\"1\"/></grant>",
                  ec, rsa);
    client_expect(&client, "ok", "", OPEN, rsa);
    client_expect(&client, "ok", "", SIGN, ec);
    client_expect(&client, "permanent", "grant-used-up", OPEN, rsa);
    tear_down();
}
END_TEST

START_TEST(unknown_keys)
{
    static const char *const references[] = {
        "keys-file:", "keys-file:xyz",
        "keys-sql:0000000000000000000000000000000000000000000000000000000000000000",
        "keys-file:../../etc/private/ec.pem", ""};

    set_up();
    for (size_t i = 0; i < ROWS(references); i++) {
        client_connect(&client);
        client_expect(&client, "permanent", "unknown-key",
                      "<grant><allow key=\"%s\" operation=\"sign\" count=\"1\"/></grant>", references[i]);
    }
    client_connect(&client);
    client_expect(&client, "none", "unknown-key", GRANT,
                  "0000000000000000000000000000000000000000000000000000000000000000", "sign", 1);
    tear_down();
}
END_TEST

/* The kernel says who the other side is, so this needs root to play somebody else. */
START_TEST(only_from_the_core)
{
    if (geteuid() != 0)
        return;
    set_up();
    client_connect_as(&client, 65534);
    client_expect(&client, "permanent", "not-allowed", GRANT, ec, "sign", 1);
    client_expect(&client, "permanent", "no-grant", SIGN, ec);
    client_expect(&client, "permanent", "not-allowed",
                  "<store area=\"public\"><certificate>AAAA</certificate></store>");
    client_expect(&client, "ok", "", "<find><query n=\"1\" use=\"sign\" address=\"ec@x.example\"/></find>");
    buf_add_text(&client.conf, "CORE_USER = 65534\n");
    client_connect_as(&client, 65534);
    client_expect(&client, "ok", "", GRANT, ec, "sign", 1);
    client_expect(&client, "ok", "", SIGN, ec);
    client_connect_as(&client, 65533);
    client_expect(&client, "permanent", "not-allowed", GRANT, ec, "sign", 1);
    tear_down();
}
END_TEST

START_TEST(signature_verifies)
{
    struct xml_node *root;
    struct buf signature = {0}, digest = {0};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, shared_key(), NULL);

    set_up();
    client_connect(&client);
    client_expect(&client, "ok", "", GRANT, ec, "sign", 1);
    root = client_ask(&client, SIGN, ec);
    ck_assert(xml_base64(xml_child(xml_child(root, "sign"), "signature"), &signature));
    hex_decode_buf(&digest, DIGEST);
    ck_assert_int_eq(EVP_PKEY_verify_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_verify(ctx, (unsigned char *)signature.data, signature.len,
                                     (unsigned char *)digest.data, digest.len),
                     1);
    xml_free(root);
    EVP_PKEY_CTX_free(ctx);
    buf_free(&signature);
    buf_free(&digest);
    tear_down();
}
END_TEST

START_TEST(keys_follow_their_files)
{
    char *path;

    set_up();
    path = mem_printf("%s/private/ec.pem", client.fixture.root);
    client_connect(&client);
    client_expect(&client, "ok", "", GRANT, ec, "sign", 9);
    fixture_pass(3); /* old enough to be kept between requests */
    client_expect(&client, "ok", "", SIGN, ec);
    client_expect(&client, "ok", "", SIGN, ec);
    ck_assert_int_eq(chmod(path, 0644), 0); /* others can read it now */
    client_expect(&client, "none", "unknown-key", SIGN, ec);
    ck_assert_int_eq(chmod(path, 0600), 0);
    client_expect(&client, "ok", "", SIGN, ec);
    ck_assert_int_eq(unlink(path), 0);
    client_expect(&client, "none", "unknown-key", SIGN, ec);
    free(path);
    tear_down();
}
END_TEST

START_TEST(lengths)
{
    set_up();
    client_connect(&client);
    client_expect(&client, "ok", "", GRANT, rsa, "open", 9);
    client_expect(
        &client, "permanent", "invalid",
        "<open key=\"keys-file:%s\" length=\"0\" scheme=\"rsa-pkcs1\"><encrypted>AAAA</encrypted></open>",
        rsa);
    client_expect(
        &client, "permanent", "invalid",
        "<open key=\"keys-file:%s\" length=\"65\" scheme=\"rsa-pkcs1\"><encrypted>AAAA</encrypted></open>",
        rsa);
    client_expect(&client, "ok", "",
                  "<open key=\"keys-file:%s\" length=\"64\" scheme=\"rsa-pkcs1\"><encrypted/></open>", rsa);
    client_expect(&client, "permanent", "undecryptable",
                  "<open key=\"keys-file:%s\" length=\"16\" scheme=\"rsa-oaep-sha1\"><encrypted/></open>",
                  rsa);
    client_expect(
        &client, "permanent", "wrong-scheme",
        "<open key=\"keys-file:%s\" length=\"16\" scheme=\"ecdh-sha1\" wrap=\"aes128\"><originator/>"
        "<shared-info/><encrypted/></open>",
        rsa);
    tear_down();
}
END_TEST

/* The pass phrase file: refused when others can read it, and the encrypted key then stays closed. */
START_TEST(pass_phrase_file)
{
    EVP_PKEY *key = make_key("EC", 256);
    X509 *certificate = make_certificate(&(struct maker){.address = "locked@x.example", .key = key});
    char fingerprint[65], *path;
    struct buf log = {0};

    set_up();
    fingerprint_of(certificate, fingerprint);
    put_certificate(&client.fixture, "private/cert.pem", certificate);
    put_key(&client.fixture, "private/key.pem", key, "open sesame");
    put_file(&client.fixture, "phrase", "open sesame\nsecond line\n", 24, 0640);
    buf_printf(&client.conf, "PASS_PHRASE_FILE = %s/phrase\nRESCAN = 0\n", client.fixture.root);
    client_connect(&client);
    client_expect(&client, "none", "unknown-key", GRANT, fingerprint, "sign", 1);
    path = mem_printf("%s/log", client.fixture.root);
    ck_assert_int_eq(fdio_read_file(path, 1 << 20, &log), 0);
    ck_assert_msg(strstr(log.data, "pass-phrase-refused") != NULL, "%s", log.data);
    ck_assert_ptr_null(strstr(log.data, "sesame"));
    free(path);
    path = mem_printf("%s/phrase", client.fixture.root);
    ck_assert_int_eq(chmod(path, 0600), 0);
    client_connect(&client);
    client_expect(&client, "ok", "", GRANT, fingerprint, "sign", 1);
    client_expect(&client, "ok", "", SIGN, fingerprint);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(path, 65534, 65534), 0);
        ck_assert_int_eq(chmod(path, 0600), 0);
        client_connect(&client);
        client_expect(&client, "ok", "", GRANT, fingerprint, "sign",
                      1); /* the key file itself is as it was */
        client_expect(&client, "temporary", "key-unreadable", SIGN, fingerprint);
    }
    free(path);
    buf_free(&log);
    X509_free(certificate);
    EVP_PKEY_free(key);
    tear_down();
}
END_TEST

UNIT_MAIN("keys-file-grant", counts, only_what_is_named, only_first_and_once, several, unknown_keys,
          only_from_the_core, signature_verifies, keys_follow_their_files, lengths, pass_phrase_file)
