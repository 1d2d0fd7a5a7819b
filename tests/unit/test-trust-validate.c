/* The operation as the protocol sees it: every answer fits the schema, batches keep their numbers, failures
 * are "temporary". */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "modules/areas/fields.h"
#include "modules/trust/certificate.h"
#include "modules/trust/validate.h"
#include "tests/unit/module_rng.h"
#include "tests/unit/trust_bench.h"
#include "tests/unit/unit.h"
#include "util/base64.h"
#include "util/mem.h"

static struct bench bench;
static struct pki *root, *leaf;
static struct buf request; /* inner elements, written by add_*() */
static struct xml_writer writer;
static struct xml_node *document; /* the answer's <validate>, NULL if none */
static struct serve_answer answer;

static void start(void)
{
    bench_start(&bench, "");
    root = pki_issue(NULL, &(struct pki_spec){.name = "Root", .ca = true});
    leaf = pki_issue(root, &(struct pki_spec){.name = "Zoë <&\">",
                                              .addresses = {"alice@a.example", "a.lias@a.example"},
                                              .serial = 0x0badcafe});
    bench_put(&bench, "ca", root->certificate);
}

static void begin_request(const char *revocation, const char *time)
{
    buf_clear(&request);
    xml_begin(&writer, &request);
    xml_open(&writer, "validate");
    xml_put(&writer, "revocation", revocation);
    xml_put(&writer, "time", time);
}

static void add_certificate(uint64_t n, const char *use, const char *address, const void *der, size_t len)
{
    xml_open(&writer, "certificate");
    xml_put_number(&writer, "n", n);
    xml_put(&writer, "use", use);
    xml_put(&writer, "address", address);
    xml_put_base64(&writer, der, len);
    xml_close(&writer);
}

static void add_x509(uint64_t n, const char *use, const char *address, const X509 *certificate)
{
    struct buf der = {0};

    areas_fields_der(certificate, &der);
    add_certificate(n, use, address, der.data, der.len);
    buf_free(&der);
}

static void add_help(const char *name, const char *octets)
{
    xml_open(&writer, name);
    xml_put_base64(&writer, octets, strlen(octets));
    xml_close(&writer);
}

static void check_answer(void)
{
    struct buf whole = {0};
    char error[200];

    buf_add_text(&whole, "<answer xmlns=\"urn:julia:module:1\" id=\"1\" status=\"ok\">");
    buf_add(&whole, answer.body.data, answer.body.len);
    buf_add_text(&whole, "</answer>");
    ck_assert_msg(module_rng_valid(whole.data, whole.len), "%s", whole.data);
    buf_free(&whole);
    document = xml_parse(answer.body.data, answer.body.len, error, sizeof(error));
    ck_assert_msg(document != NULL, "%s", error);
}

static void run(int64_t milliseconds)
{
    struct validate_module module = {.settings = &bench.settings, .store = bench.store};
    struct serve_request serve = {.until = deadline_in(milliseconds)};
    struct xml_node *body;
    char error[200];

    xml_close(&writer);
    body = xml_parse(request.data, request.len, error, sizeof(error));
    ck_assert_msg(body != NULL, "%s", error);
    serve.body = body;
    memset(&answer, 0, sizeof(answer));
    xml_begin(&answer.writer, &answer.body);
    validate_run(&serve, &answer, &module);
    document = NULL;
    if (answer.status == ANSWER_OK)
        check_answer();
    xml_free(body);
}

static void finish(void)
{
    xml_free(document);
    document = NULL;
    buf_free(&answer.body);
    buf_free(&answer.text);
}

static const struct xml_node *verdict(uint64_t n)
{
    const struct xml_node *node = xml_child(document, "verdict");
    uint64_t number;

    for (; node != NULL; node = xml_next(node, "verdict"))
        if (xml_attribute_number(node, "n", 1000, &number) && number == n)
            return node;
    ck_abort_msg("no verdict %llu", (unsigned long long)n);
    return NULL;
}

START_TEST(test_attributes)
{
    const struct xml_node *node;
    char fingerprint[FINGERPRINT_SIZE];
    struct buf issuer = {0}, expected = {0};

    start();
    begin_request("off", "2026-06-01T12:00:00Z");
    add_x509(7, "sign", "alice@a.example", leaf->certificate);
    run(10000);
    ck_assert_int_eq(answer.status, ANSWER_OK);
    node = verdict(7);
    certificate_fingerprint(leaf->certificate, fingerprint);
    ck_assert_str_eq(xml_attribute(node, "verdict"), "valid");
    ck_assert_str_eq(xml_attribute(node, "fingerprint"), fingerprint);
    ck_assert_str_eq(xml_attribute(node, "serial"), "0badcafe");
    ck_assert_str_eq(xml_attribute(node, "issuer"), "CN=Root");
    ck_assert_ptr_nonnull(strstr(xml_attribute(node, "subject"), "Zoë"));
    ck_assert_str_eq(xml_attribute(node, "not-before"), "2025-06-01T12:00:00Z");
    ck_assert_str_eq(xml_attribute(node, "not-after"), "2027-06-01T12:00:00Z");
    ck_assert_str_eq(xml_attribute(node, "key"), "ec");
    ck_assert_str_eq(xml_attribute(node, "bits"), "256");
    ck_assert_uint_eq(strlen(xml_attribute(node, "ski")), 40);
    ck_assert(base64_decode_buf(&issuer, xml_attribute(node, "issuer-der")));
    certificate_issuer_der(leaf->certificate, &expected);
    ck_assert_uint_eq(issuer.len, expected.len);
    ck_assert_mem_eq(issuer.data, expected.data, issuer.len);
    ck_assert_str_eq(xml_child(node, "address")->text, "alice@a.example");
    ck_assert_ptr_null(xml_attribute(node, "reason"));
    ck_assert_ptr_null(xml_attribute(node, "deciding"));
    ck_assert_ptr_nonnull(xml_next(xml_child(node, "path"), "path"));
    buf_free(&issuer);
    buf_free(&expected);
    finish();
    buf_free(&request);
    bench_end(&bench);
}
END_TEST

/* One damaged certificate among others spoils only its own verdict. */
START_TEST(test_batch)
{
    struct buf der = {0};

    start();
    areas_fields_der(leaf->certificate, &der);
    begin_request("prefer", "2026-06-01T12:00:00Z");
    add_x509(3, "sign", NULL, leaf->certificate);
    add_certificate(0, "any", NULL, "rubbish", 7);
    add_certificate(1, "any", NULL, der.data, der.len - 1);
    buf_add_char(&der, '\0');
    add_certificate(2, "any", NULL, der.data, der.len);
    add_x509(4, "encrypt", "bob@a.example", leaf->certificate);
    add_certificate(5, "any", NULL, "", 0);
    add_help("extra", "rubbish");
    add_help("crl", "rubbish");
    run(10000);
    ck_assert_int_eq(answer.status, ANSWER_OK);
    ck_assert_str_eq(xml_attribute(verdict(3), "verdict"), "valid");
    ck_assert_str_eq(xml_attribute(verdict(4), "verdict"), "wrong-address");
    for (uint64_t n = 0; n < 3; n++)
        ck_assert_str_eq(xml_attribute(verdict(n), "verdict"), "no-path");
    ck_assert_str_eq(xml_attribute(verdict(5), "verdict"), "no-path");
    finish();
    buf_free(&der);
    buf_free(&request);
    bench_end(&bench);
}
END_TEST

/* Sizes are bounded: of a certificate, and of what is told of it. */
START_TEST(test_large)
{
    struct buf names = {0}, big = {0};
    const struct xml_node *node;
    unsigned int told = 0;

    start();
    for (int i = 0; i < 150; i++)
        buf_printf(&names, "%semail:user%d@a.example", i == 0 ? "" : ",", i);
    leaf = pki_issue(root, &(struct pki_spec){.name = "Many", .more = {"subjectAltName", buf_text(&names)}});
    while (big.len <= CERTIFICATE_MAX)
        buf_add_text(&big, "0123456789abcdef");
    begin_request("off", "2026-06-01T12:00:00Z");
    add_x509(0, "any", "user149@a.example", leaf->certificate);
    add_certificate(1, "any", NULL, big.data, big.len);
    run(10000);
    ck_assert_int_eq(answer.status, ANSWER_OK);
    ck_assert_str_eq(xml_attribute(verdict(0), "verdict"), "valid");
    for (node = xml_child(verdict(0), "address"); node != NULL; node = xml_next(node, "address"))
        told++;
    ck_assert_uint_eq(told, 100);
    ck_assert_str_eq(xml_attribute(verdict(1), "reason"), "too large for a certificate");
    finish();
    buf_free(&names);
    buf_free(&big);
    buf_free(&request);
    bench_end(&bench);
}
END_TEST

START_TEST(test_long_name)
{
    X509_NAME *name = X509_NAME_new();
    struct buf value = {0};
    char *text;

    for (int i = 0; i < 40; i++) { /* two octets a letter, so that the cut may fall inside of one */
        buf_clear(&value);
        for (int k = 0; k < 30; k++)
            buf_add_text(&value, "ä");
        ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (unsigned char *)value.data,
                                                    (int)value.len, -1, 0),
                         1);
        text = certificate_name(name);
        ck_assert_uint_le(strlen(text), NAME_TEXT_MAX + 3);
        for (const char *p = text; *p != '\0'; p++)
            ck_assert((unsigned char)p[0] != 0xc3 || (unsigned char)p[1] == 0xa4);
        free(text);
    }
    buf_free(&value);
    X509_NAME_free(name);
}
END_TEST

/* Whatever is cut off or flipped in a certificate: an answer by the schema, and never "valid". */
START_TEST(test_damaged)
{
    struct buf der = {0};
    char *octets;

    start();
    areas_fields_der(leaf->certificate, &der);
    octets = mem_dup(der.data, der.len);
    for (size_t i = 0; i < der.len; i++) {
        octets[i] = (char)(octets[i] ^ (i % 2 == 0 ? 0x01 : 0x80));
        begin_request("off", "2026-06-01T12:00:00Z");
        add_certificate(0, "any", NULL, octets, der.len);
        run(10000);
        ck_assert_int_eq(answer.status, ANSWER_OK);
        ck_assert_msg(strcmp(xml_attribute(verdict(0), "verdict"), "valid") != 0, "octet %zu", i);
        finish();
        octets[i] = der.data[i];
    }
    free(octets);
    buf_free(&der);
    buf_free(&request);
    bench_end(&bench);
}
END_TEST

START_TEST(test_time)
{
    static const struct {
        const char *time;
        enum answer_status status;
    } rows[] = {
        {NULL, ANSWER_OK},
        {"2026-06-01T12:00:00Z", ANSWER_OK},
        {"9999-12-31T23:59:59Z", ANSWER_OK},
        {"2026-02-30T12:00:00Z", ANSWER_PERMANENT},
        {"2026-06-01T12:00:00", ANSWER_PERMANENT},
        {"2026-06-01T12:00:00Z ", ANSWER_PERMANENT},
        {"tomorrow", ANSWER_PERMANENT},
    };

    start();
    for (size_t i = 0; i < ROWS(rows); i++) {
        begin_request("off", rows[i].time);
        add_x509(0, "any", NULL, leaf->certificate);
        run(10000);
        ck_assert_msg(answer.status == rows[i].status, "row %zu", i);
        finish();
    }
    buf_free(&request);
    bench_end(&bench);
}
END_TEST

START_TEST(test_deadline)
{
    start();
    begin_request("off", NULL);
    add_x509(0, "any", NULL, leaf->certificate);
    run(0);
    ck_assert_int_eq(answer.status, ANSWER_TEMPORARY);
    ck_assert_uint_eq(answer.body.len, 0);
    finish();
    buf_free(&request);
    bench_end(&bench);
}
END_TEST

/* An area that cannot be read is no empty area. */
START_TEST(test_unreadable_area)
{
    char *path;

    start();
    path = mem_printf("%s/etc/untrusted", bench.root);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(symlink("/proc/self/mem", path), 0);
    begin_request("off", "2026-06-01T12:00:00Z");
    add_x509(0, "any", NULL, leaf->certificate);
    run(10000);
    ck_assert_int_eq(answer.status, ANSWER_TEMPORARY);
    ck_assert_ptr_nonnull(strstr(buf_text(&answer.text), "untrusted"));
    finish();
    free(path);
    buf_free(&request);
    bench_end(&bench);
}
END_TEST

UNIT_MAIN("trust-validate", test_attributes, test_batch, test_large, test_long_name, test_damaged, test_time,
          test_deadline, test_unreadable_area)
