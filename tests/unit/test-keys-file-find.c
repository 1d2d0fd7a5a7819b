/* find and list: which certificates are offered for what, with their area, key, scope, chain and
 * capabilities. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/areas/fields.h"
#include "tests/unit/keys_file_client.h"
#include "util/base64.h"
#include "util/mem.h"

static struct client client;

/* The result for one query by address. */
static struct xml_node *find(const char *use, const char *address, const struct xml_node **result_r)
{
    struct xml_node *root =
        client_ask(&client, "<find><query n=\"7\" use=\"%s\" address=\"%s\"/></find>", use, address);

    ck_assert_str_eq(xml_attribute(root, "status"), "ok");
    *result_r = xml_child(xml_child(root, "find"), "result");
    ck_assert_str_eq(xml_attribute(*result_r, "n"), "7");
    return root;
}

static void check_found(const char *use, const char *address, const char *expected)
{
    const struct xml_node *result;
    struct xml_node *root = find(use, address, &result);
    struct buf shown = {0};

    buf_add_text(&shown, xml_attribute(result, "status"));
    for (const struct xml_node *e = xml_child(result, "entry"); e != NULL; e = xml_next(e, "entry"))
        buf_printf(&shown, " %s%s%s%s", xml_attribute(e, "area"),
                   xml_attribute(e, "key") != NULL ? "+key" : "",
                   xml_attribute(e, "scope") != NULL ? ":" : "",
                   xml_attribute(e, "scope") != NULL ? xml_attribute(e, "scope") : "");
    ck_assert_msg(strcmp(shown.data, expected) == 0, "%s %s: %s", use, address, shown.data);
    buf_free(&shown);
    xml_free(root);
}

static void put_own(const char *name, X509 *certificate, EVP_PKEY *key)
{
    struct buf pem = {0};

    add_pem(&pem, certificate);
    add_key_pem(&pem, key, NULL, false);
    put_file(&client.fixture, name, pem.data, pem.len, 0600);
    buf_wipe(&pem);
}

START_TEST(areas_decide)
{
    X509 *p = make_certificate(&(struct maker){.address = "p@x.example"});
    X509 *t = make_certificate(&(struct maker){.address = "t@x.example"});
    X509 *u = make_certificate(&(struct maker){.address = "u@x.example"});
    X509 *only = make_certificate(&(struct maker){.address = "only@x.example"});
    X509 *own = make_certificate(&(struct maker){.address = "own@x.example"});
    X509 *gateway = make_certificate(&(struct maker){.address = "gate@x.example"});

    client_start(&client);
    put_certificate(&client.fixture, "public/p.pem", p);
    put_certificate(&client.fixture, "public/t.pem", t);
    put_certificate(&client.fixture, "trusted/t.pem", t);
    put_certificate(&client.fixture, "public/u.pem", u);
    put_certificate(&client.fixture, "trusted/u.pem", u);
    put_certificate(&client.fixture, "untrusted/u.pem", u);
    put_certificate(&client.fixture, "untrusted/only.pem", only);
    put_own("private/own.pem", own, shared_key());
    put_own("private/gate.pem", gateway, shared_key());
    buf_add_text(&client.conf, "GATEWAY = GATE@X.example\n");
    client_connect(&client);
    check_found("encrypt", "p@x.example", "ok public");
    check_found("encrypt", "P@X.EXAMPLE", "ok public");
    check_found("encrypt", "t@x.example", "ok trusted");
    check_found("encrypt", "u@x.example", "ok untrusted");
    check_found("encrypt", "only@x.example", "ok untrusted");
    check_found("encrypt", "own@x.example", "ok private+key:personal");
    check_found("encrypt", "nobody@x.example", "none");
    check_found("encrypt", "&lt;&gt;", "none");
    check_found("sign", "own@x.example", "ok private+key:personal");
    check_found("sign", "gate@x.example", "ok private+key:gateway");
    check_found("sign", "p@x.example", "none");
    check_found("signer", "p@x.example", "ok public");
    client_end(&client);
    X509_free(p);
    X509_free(t);
    X509_free(u);
    X509_free(only);
    X509_free(own);
    X509_free(gateway);
}
END_TEST

START_TEST(order_and_source)
{
    X509 *old = make_certificate(&(struct maker){.address = "a@x.example", .serial = 1});
    X509 *new = make_certificate(&(struct maker){.address = "a@x.example", .serial = 2});
    X509 *trusted = make_certificate(&(struct maker){.address = "a@x.example", .serial = 3});
    char fingerprints[3][65], *path;
    const struct xml_node *result;
    struct xml_node *root;

    X509_gmtime_adj(X509_getm_notBefore(old), -86400);
    X509_sign(old, shared_key(), EVP_sha256());
    X509_gmtime_adj(X509_getm_notBefore(trusted), -2 * 86400);
    X509_sign(trusted, shared_key(), EVP_sha256());
    client_start(&client);
    put_certificate(&client.fixture, "public/old.pem", old);
    put_certificate(&client.fixture, "public/new.pem", new);
    put_certificate(&client.fixture, "trusted/old.pem", trusted);
    client_connect(&client);
    root = find("encrypt", "a@x.example", &result);
    fingerprint_of(trusted, fingerprints[0]);
    fingerprint_of(new, fingerprints[1]);
    fingerprint_of(old, fingerprints[2]);
    ck_assert_uint_eq(how_many(result, "entry"), 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(xml_attribute(nth(result, "entry", i), "fingerprint"), fingerprints[i]);
    path = mem_printf("%s/public/new.pem", client.fixture.root);
    ck_assert_str_eq(xml_attribute(nth(result, "entry", 1), "source"), path);
    ck_assert_str_eq(xml_child(nth(result, "entry", 1), "address")->text, "a@x.example");
    free(path);
    xml_free(root);
    client_end(&client);
    X509_free(old);
    X509_free(new);
    X509_free(trusted);
}
END_TEST

static void check_certificate(const struct xml_node *node, const X509 *expected)
{
    struct buf given = {0}, der = {0};

    ck_assert_ptr_nonnull(node);
    ck_assert(xml_base64(node, &given));
    areas_fields_der(expected, &der);
    ck_assert_uint_eq(given.len, der.len);
    ck_assert_mem_eq(given.data, der.data, der.len);
    buf_free(&given);
    buf_free(&der);
}

START_TEST(chain)
{
    EVP_PKEY *root_key = make_key("EC", 256), *outer_key = make_key("EC", 256),
             *inner_key = make_key("EC", 256);
    X509 *root_ca = make_certificate(&(struct maker){.subject = "Root", .ca = true, .key = root_key});
    X509 *outer = make_certificate(&(struct maker){
        .subject = "Outer", .ca = true, .key = outer_key, .issuer = root_ca, .issuer_key = root_key});
    X509 *inner = make_certificate(&(struct maker){
        .subject = "Inner", .ca = true, .key = inner_key, .issuer = outer, .issuer_key = outer_key});
    X509 *fake =
        make_certificate(&(struct maker){.subject = "Inner", .ca = true, .no_ski = true}); /* same name */
    X509 *own = make_certificate(
        &(struct maker){.address = "own@x.example", .issuer = inner, .issuer_key = inner_key, .serial = 9});
    struct buf pem = {0};
    const struct xml_node *result, *entry;
    struct xml_node *answer;

    X509_gmtime_adj(X509_getm_notAfter(fake), 2 * 86400); /* looks better, but has signed nothing */
    X509_sign(fake, shared_key(), EVP_sha256());
    client_start(&client);
    add_pem(&pem, own);
    add_key_pem(&pem, shared_key(), NULL, false);
    add_pem(&pem, inner); /* in the same file; the other one in area ca */
    put_file(&client.fixture, "private/own.pem", pem.data, pem.len, 0600);
    put_certificate(&client.fixture, "ca/outer.pem", outer);
    put_certificate(&client.fixture, "ca/root.pem", root_ca);
    put_certificate(&client.fixture, "ca/fake.pem", fake);
    client_connect(&client);
    answer = find("sign", "own@x.example", &result);
    entry = xml_child(result, "entry");
    check_certificate(xml_child(entry, "certificate"), own);
    ck_assert_uint_eq(how_many(entry, "issuer-certificate"), 2);
    check_certificate(nth(entry, "issuer-certificate", 0), inner);
    check_certificate(nth(entry, "issuer-certificate", 1), outer);
    xml_free(answer);
    client_end(&client);
    buf_wipe(&pem);
    X509_free(root_ca);
    X509_free(outer);
    X509_free(inner);
    X509_free(fake);
    X509_free(own);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(outer_key);
    EVP_PKEY_free(inner_key);
}
END_TEST

START_TEST(by_identifier)
{
    X509 *ca = make_certificate(&(struct maker){.subject = "CA", .ca = true});
    X509 *own = make_certificate(&(struct maker){.address = "own@x.example", .issuer = ca, .serial = 0x1234});
    X509 *expired =
        make_certificate(&(struct maker){.address = "own@x.example", .issuer = ca, .serial = 0x1235});
    X509 *partner =
        make_certificate(&(struct maker){.address = "p@y.example", .issuer = ca, .serial = 0x1236});
    struct buf issuer = {0}, ski = {0}, hex = {0}, name = {0};
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(ca), &der);
    const struct xml_node *find_node;
    struct xml_node *root;

    X509_gmtime_adj(X509_getm_notAfter(expired), -60);
    X509_sign(expired, shared_key(), EVP_sha256());
    buf_add(&name, der, (size_t)len);
    base64_encode_buf(&issuer, name.data, name.len);
    areas_fields_ski(own, &ski);
    hex_encode_buf(&hex, ski.data, ski.len);
    client_start(&client);
    put_own("private/own.pem", own, shared_key());
    put_certificate(&client.fixture, "private/expired.pem", expired); /* its key is in the other file */
    put_certificate(&client.fixture, "public/p.pem", partner);
    client_connect(&client);
    root = client_ask(
        &client,
        "<find><query n=\"0\" use=\"decrypt\"><identifier issuer=\"%s\" serial=\"1235\"/></query>"
        "<query n=\"1\" use=\"decrypt\"><identifier ski=\"%s\"/></query>"
        "<query n=\"2\" use=\"decrypt\"><identifier issuer=\"%s\" serial=\"1236\"/></query>"
        "<query n=\"3\" use=\"signer\"><identifier issuer=\"%s\" serial=\"1236\"/></query>"
        "<query n=\"4\" use=\"decrypt\"><identifier issuer=\"AAAA\" serial=\"\"/><identifier ski=\"\"/>"
        "<identifier issuer=\"%s\" serial=\"1234\"/></query></find>",
        issuer.data, hex.data, issuer.data, issuer.data, issuer.data);
    find_node = xml_child(root, "find");
    ck_assert_uint_eq(how_many(nth(find_node, "result", 0), "entry"), 1);
    check_certificate(xml_child(xml_child(nth(find_node, "result", 0), "entry"), "certificate"), expired);
    ck_assert_uint_eq(how_many(nth(find_node, "result", 1), "entry"), 2); /* one key, two certificates */
    ck_assert_str_eq(xml_attribute(nth(find_node, "result", 2), "status"), "none");
    ck_assert_uint_eq(how_many(nth(find_node, "result", 3), "entry"), 1);
    ck_assert_ptr_null(xml_attribute(xml_child(nth(find_node, "result", 3), "entry"), "key"));
    ck_assert_uint_eq(how_many(nth(find_node, "result", 4), "entry"), 1);
    xml_free(root);
    client_end(&client);
    OPENSSL_free(der);
    buf_free(&issuer);
    buf_free(&ski);
    buf_free(&hex);
    buf_free(&name);
    X509_free(ca);
    X509_free(own);
    X509_free(expired);
    X509_free(partner);
}
END_TEST

START_TEST(copied_in_while_running)
{
    X509 *p = make_certificate(&(struct maker){.address = "p@x.example"});

    client_start(&client);
    client_connect(&client);
    check_found("encrypt", "p@x.example", "none");
    put_certificate(&client.fixture, "public/p.pem", p);
    check_found("encrypt", "p@x.example", "ok public");
    put_certificate(&client.fixture, "untrusted/p.pem", p);
    check_found("encrypt", "p@x.example", "ok untrusted");
    remove_file(&client.fixture, "untrusted/p.pem");
    remove_file(&client.fixture, "public/p.pem");
    check_found("encrypt", "p@x.example", "none");
    client_end(&client);
    X509_free(p);
}
END_TEST

START_TEST(unreadable_store)
{
    char *path;

    client_start(&client);
    path = mem_printf("%s/untrusted", client.fixture.root);
    ck_assert_int_eq(rmdir(path), 0);
    client_connect(&client);
    /* "cannot tell" is never "none" */
    client_expect(&client, "temporary", "store-unreadable",
                  "<find><query n=\"1\" use=\"encrypt\" address=\"a@b.example\"/></find>");
    free(path);
    client_end(&client);
}
END_TEST

/* A key that is there but cannot be used is never "no key". */
START_TEST(refused_key)
{
    X509 *own = make_certificate(&(struct maker){.address = "own@x.example"});
    char *path;

    client_start(&client);
    put_own("private/own.pem", own, shared_key());
    path = mem_printf("%s/private/own.pem", client.fixture.root);
    ck_assert_int_eq(chmod(path, 0640), 0);
    client_connect(&client);
    check_found("sign", "own@x.example", "temporary");
    check_found("sign", "other@x.example", "temporary");
    check_found("encrypt", "own@x.example", "ok private");
    check_found("encrypt", "other@x.example", "none"); /* certificates were seen */
    ck_assert_int_eq(chmod(path, 0600), 0);
    check_found("sign", "own@x.example", "ok private+key:personal");
    check_found("sign", "other@x.example", "none");
    free(path);
    client_end(&client);
    X509_free(own);
}
END_TEST

/* Keys under a pass phrase that cannot be read are not "no key" either. */
START_TEST(refused_pass_phrase)
{
    X509 *own = make_certificate(&(struct maker){.address = "own@x.example"});
    char *path;

    client_start(&client);
    put_own("private/own.pem", own, shared_key());
    path = mem_printf("%s/phrase", client.fixture.root);
    put_file(&client.fixture, "phrase", "secret\n", 7, 0644);
    buf_printf(&client.conf, "PASS_PHRASE_FILE = %s\n", path);
    client_connect(&client);
    check_found("sign", "own@x.example", "ok private+key:personal"); /* it needs none */
    check_found("sign", "other@x.example", "temporary");
    check_found("encrypt", "other@x.example", "none");
    ck_assert_int_eq(chmod(path, 0600), 0);
    check_found("sign", "other@x.example", "none");
    free(path);
    client_end(&client);
    X509_free(own);
}
END_TEST

START_TEST(listing)
{
    char address[40], name[40], last[65] = "";
    size_t total = 0, pages = 0;
    bool more = true;

    client_start(&client);
    for (int i = 0; i < 230; i++) {
        X509 *certificate;

        snprintf(address, sizeof(address), "u%d@x.example", i);
        snprintf(name, sizeof(name), "public/%d.pem", i);
        certificate = make_certificate(&(struct maker){.address = address, .serial = i + 1});
        put_certificate(&client.fixture, name, certificate);
        X509_free(certificate);
    }
    client_connect(&client);
    while (more) {
        struct xml_node *root = total == 0
                                    ? client_ask(&client, "<list area=\"public\"/>")
                                    : client_ask(&client, "<list area=\"public\" after=\"%s\"/>", last);
        const struct xml_node *list = xml_child(root, "list");

        total += how_many(list, "entry");
        more = strcmp(xml_attribute(list, "more"), "yes") == 0;
        snprintf(last, sizeof(last), "%s", xml_attribute(list->last, "fingerprint"));
        pages++;
        xml_free(root);
    }
    ck_assert_uint_eq(total, 230);
    ck_assert_uint_eq(pages, 3);
    client_end(&client);
}
END_TEST

UNIT_MAIN("keys-file-find", areas_decide, order_and_source, chain, by_identifier, copied_in_while_running,
          unreadable_store, refused_key, refused_pass_phrase, listing)
