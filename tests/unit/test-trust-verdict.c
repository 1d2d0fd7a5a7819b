/* Every verdict once, with its reason, deciding certificate and path; what area trusted overrules; distrust.
 */
#include <string.h>

#include "modules/trust/certificate.h"
#include "tests/unit/trust_bench.h"
#include "tests/unit/unit.h"

static struct bench bench;
static struct pki *root, *sub, *leaf;

static void start(const char *conf)
{
    bench_start(&bench, conf);
    root = pki_issue(NULL, &(struct pki_spec){.name = "Root", .ca = true});
    sub = pki_issue(root, &(struct pki_spec){.name = "Sub CA", .ca = true});
    leaf = pki_issue(sub, &(struct pki_spec){.name = "Alice", .addresses = {"alice@a.example"}});
    bench_put(&bench, "ca", root->certificate);
    bench_put(&bench, "ca", sub->certificate);
}

static void ck_assert_deciding(const X509 *certificate)
{
    char fingerprint[FINGERPRINT_SIZE];

    certificate_fingerprint(certificate, fingerprint);
    ck_assert_str_eq(bench.judgement.deciding, fingerprint);
}

#define ck_assert_reason(text)                                                                               \
    ck_assert_msg(bench.judgement.reason != NULL && strstr(bench.judgement.reason, text) != NULL, "%s",      \
                  bench.judgement.reason != NULL ? bench.judgement.reason : "no reason")

START_TEST(test_valid)
{
    start("");
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_VALID);
    ck_assert_ptr_null(bench.judgement.reason);
    ck_assert_uint_eq(bench.judgement.path_count, 3);
    ck_assert_int_eq(X509_cmp(bench.judgement.path[2], root->certificate), 0);
    ck_assert_verdict(bench_judge(&bench, leaf->certificate, USE_ENCRYPT, "ALICE@a.example", NULL, NULL),
                      VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

START_TEST(test_dates)
{
    struct pki *late, *early;

    start("");
    late = pki_issue(sub, &(struct pki_spec){.name = "Late", .from = -400, .until = -92});
    ck_assert_verdict(bench_sign(&bench, late->certificate), VERDICT_EXPIRED);
    ck_assert_str_eq(bench.judgement.reason, "expired on 2026-03-01");
    ck_assert_deciding(late->certificate);
    early = pki_issue(sub, &(struct pki_spec){.name = "Early", .from = 30, .until = 400});
    ck_assert_verdict(bench_sign(&bench, early->certificate), VERDICT_NOT_YET_VALID);
    ck_assert_str_eq(bench.judgement.reason, "not valid before 2026-07-01");
    bench_end(&bench);
}
END_TEST

START_TEST(test_expired_issuer)
{
    struct pki *old, *below;

    start("");
    old = pki_issue(root, &(struct pki_spec){.name = "Old CA", .ca = true, .from = -400, .until = -92});
    below = pki_issue(old, &(struct pki_spec){.name = "Bob"});
    bench_put(&bench, "ca", old->certificate);
    ck_assert_verdict(bench_sign(&bench, below->certificate), VERDICT_EXPIRED);
    ck_assert_str_eq(bench.judgement.reason, "issuer CN=Old CA expired on 2026-03-01");
    ck_assert_deciding(old->certificate);
    bench_end(&bench);
}
END_TEST

START_TEST(test_no_path)
{
    struct pki *other;

    start("");
    other = pki_issue(pki_issue(NULL, &(struct pki_spec){.name = "Nobody", .ca = true}),
                      &(struct pki_spec){.name = "Bob"});
    ck_assert_verdict(bench_sign(&bench, other->certificate), VERDICT_NO_PATH);
    ck_assert_reason("no certificate of issuer CN=Nobody");
    bench_end(&bench);
}
END_TEST

/* A root that came along stays foreign, also in front of its own leaf; a self-signed leaf is one. */
START_TEST(test_untrusted_root)
{
    struct pki *evil, *leaf_of_evil;

    start("");
    evil = pki_issue(NULL, &(struct pki_spec){.name = "Evil", .ca = true});
    leaf_of_evil = pki_issue(evil, &(struct pki_spec){.name = "Mallory"});
    ck_assert_verdict(bench_judge(&bench, leaf_of_evil->certificate, USE_ANY, NULL,
                                  (const X509 *[]){evil->certificate, NULL}, NULL),
                      VERDICT_UNTRUSTED_ROOT);
    ck_assert_reason("root CN=Evil does not lie in area ca");
    ck_assert_deciding(evil->certificate);
    ck_assert_verdict(bench_sign(&bench, evil->certificate), VERDICT_UNTRUSTED_ROOT);
    bench_end(&bench);
}
END_TEST

START_TEST(test_bad_signature)
{
    X509 *broken;

    start("");
    broken = pki_break_signature(leaf->certificate);
    ck_assert_verdict(bench_sign(&bench, broken), VERDICT_BAD_SIGNATURE);
    ck_assert_deciding(broken);
    bench_end(&bench);
}
END_TEST

START_TEST(test_bad_signature_above)
{
    struct pki *own;
    X509 *broken;

    start("");
    own = pki_issue(root, &(struct pki_spec){.name = "Third CA", .ca = true});
    broken = pki_break_signature(own->certificate);
    bench_put(&bench, "ca", broken);
    leaf = pki_issue(own, &(struct pki_spec){.name = "Bob"});
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_BAD_SIGNATURE);
    ck_assert_deciding(broken);
    bench_end(&bench);
}
END_TEST

START_TEST(test_weak)
{
    struct pki *small, *sha1, *curve;

    start("");
    small = pki_issue(sub, &(struct pki_spec){.name = "Small", .key = pki_key("RSA", 1024)});
    ck_assert_verdict(bench_sign(&bench, small->certificate), VERDICT_WEAK);
    ck_assert_reason("RSA key of only 1024 bits");
    sha1 = pki_issue(sub, &(struct pki_spec){.name = "Old", .digest = EVP_sha1()});
    ck_assert_verdict(bench_sign(&bench, sha1->certificate), VERDICT_WEAK);
    ck_assert_reason("SHA1");
    curve = pki_issue(sub, &(struct pki_spec){.name = "Curve", .key = pki_key("EC", 192)});
    ck_assert_verdict(bench_sign(&bench, curve->certificate), VERDICT_WEAK);
    bench.terms.accept_weak = true;
    ck_assert_verdict(bench_sign(&bench, small->certificate), VERDICT_VALID);
    ck_assert_verdict(bench_sign(&bench, sha1->certificate), VERDICT_VALID);
    ck_assert_verdict(bench_sign(&bench, curve->certificate), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* The anchor's signature on itself says nothing: SHA-1 there is fine, its key is not exempt. */
START_TEST(test_weak_anchor)
{
    struct pki *old, *small;

    start("");
    old = pki_issue(NULL, &(struct pki_spec){.name = "SHA-1 root", .ca = true, .digest = EVP_sha1()});
    bench_put(&bench, "ca", old->certificate);
    leaf = pki_issue(old, &(struct pki_spec){.name = "Bob"});
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_VALID);
    small =
        pki_issue(NULL, &(struct pki_spec){.name = "Small root", .ca = true, .key = pki_key("RSA", 1024)});
    bench_put(&bench, "ca", small->certificate);
    leaf = pki_issue(small, &(struct pki_spec){.name = "Bob"});
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_WEAK);
    ck_assert_deciding(small->certificate);
    bench_end(&bench);
}
END_TEST

START_TEST(test_settings_of_strength)
{
    start("MIN_RSA_BITS = 1024\nDIGESTS = SHA384\nCURVES = P-384 brainpoolP256r1\n");
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_WEAK);
    sub = pki_issue(NULL, &(struct pki_spec){
                              .name = "R384", .ca = true, .key = pki_key("EC", 384), .digest = EVP_sha384()});
    bench_put(&bench, "ca", sub->certificate);
    leaf =
        pki_issue(sub, &(struct pki_spec){.name = "B", .key = pki_key("RSA", 1024), .digest = EVP_sha384()});
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

START_TEST(test_address)
{
    struct pki *both, *subject;

    start("");
    ck_assert_verdict(bench_judge(&bench, leaf->certificate, USE_SIGN, "bob@a.example", NULL, NULL),
                      VERDICT_WRONG_ADDRESS);
    ck_assert_str_eq(bench.judgement.reason, "bob@a.example is not in the certificate of alice@a.example");
    ck_assert_deciding(leaf->certificate);
    both = pki_issue(sub, &(struct pki_spec){.name = "Two",
                                             .addresses = {"one@a.example", "Two@A.example"},
                                             .mailbox = "müller@a.example"});
    ck_assert_verdict(bench_judge(&bench, both->certificate, USE_ANY, "two@a.EXAMPLE", NULL, NULL),
                      VERDICT_VALID);
    ck_assert_verdict(bench_judge(&bench, both->certificate, USE_ANY, "müller@a.example", NULL, NULL),
                      VERDICT_VALID);
    ck_assert_verdict(bench_judge(&bench, both->certificate, USE_ANY, "mueller@a.example", NULL, NULL),
                      VERDICT_WRONG_ADDRESS);
    subject = pki_issue(sub, &(struct pki_spec){.name = "No address"});
    ck_assert_verdict(bench_judge(&bench, subject->certificate, USE_ANY, "one@a.example", NULL, NULL),
                      VERDICT_WRONG_ADDRESS);
    bench_end(&bench);
}
END_TEST

/* An address with a NUL octet is no address, least of all the part in front of it. */
START_TEST(test_address_with_nul)
{
    struct pki *trick;

    start("");
    trick = pki_issue(
        sub, &(struct pki_spec){
                 .name = "Trick",
                 .more = {"subjectAltName",
                          "DER:30:20:81:1e:61:6c:69:63:65:40:61:2e:65:78:61:6d:70:6c:65:00:2e:65:76:69:6c:"
                          "2e:65:78:61:6d:70:6c:65:21"}});
    ck_assert_int_ne(bench_judge(&bench, trick->certificate, USE_ANY, "alice@a.example", NULL, NULL),
                     VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

START_TEST(test_trusted)
{
    struct pki *stranger, *late;

    start("");
    stranger = pki_issue(NULL, &(struct pki_spec){.name = "Self", .addresses = {"self@a.example"}});
    late = pki_issue(sub, &(struct pki_spec){.name = "Late", .from = -400, .until = -92});
    ck_assert_verdict(bench_sign(&bench, stranger->certificate), VERDICT_UNTRUSTED_ROOT);
    bench_put(&bench, "trusted", stranger->certificate);
    bench_put(&bench, "trusted", late->certificate);
    ck_assert_verdict(bench_sign(&bench, stranger->certificate), VERDICT_VALID);
    ck_assert_str_eq(bench.judgement.area, "trusted");
    ck_assert_verdict(bench_sign(&bench, late->certificate), VERDICT_VALID);
    ck_assert_verdict(bench_judge(&bench, stranger->certificate, USE_SIGN, "other@a.example", NULL, NULL),
                      VERDICT_WRONG_ADDRESS);
    /* that very certificate: not another one of the same key and name */
    late = pki_issue(sub, &(struct pki_spec){.name = "Late", .key = late->key, .from = -400, .until = -91});
    ck_assert_verdict(bench_sign(&bench, late->certificate), VERDICT_EXPIRED);
    bench_end(&bench);
}
END_TEST

START_TEST(test_distrusted)
{
    start("");
    bench_put(&bench, "trusted", leaf->certificate);
    bench_put(&bench, "untrusted", leaf->certificate);
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_DISTRUSTED);
    ck_assert_str_eq(bench.judgement.area, "untrusted");
    ck_assert_deciding(leaf->certificate);
    bench_end(&bench);
}
END_TEST

/* The same certificate with another (still valid or not) signature on it has another fingerprint. */
START_TEST(test_distrusted_copy)
{
    start("");
    bench_put(&bench, "untrusted", leaf->certificate);
    ck_assert_verdict(bench_sign(&bench, pki_break_signature(leaf->certificate)), VERDICT_DISTRUSTED);
    bench_end(&bench);
}
END_TEST

START_TEST(test_distrusted_ca)
{
    struct pki *again;

    start("");
    bench_put(&bench, "untrusted", sub->certificate);
    bench_put(&bench, "trusted", leaf->certificate);
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_DISTRUSTED);
    ck_assert_reason("issuer CN=Sub CA lies in area untrusted");
    ck_assert_deciding(sub->certificate);
    /* another certificate for the same CA does not help it */
    bench_remove(&bench, "ca");
    bench_remove(&bench, "trusted");
    again = pki_issue(root, &(struct pki_spec){.name = "Sub CA", .ca = true, .key = sub->key});
    bench_put(&bench, "ca", root->certificate);
    ck_assert_verdict(bench_judge(&bench, leaf->certificate, USE_SIGN, NULL,
                                  (const X509 *[]){again->certificate, NULL}, NULL),
                      VERDICT_DISTRUSTED);
    bench_end(&bench);
}
END_TEST

/* Areas are followed while the module runs. */
START_TEST(test_areas_change)
{
    start("");
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_VALID);
    bench_put(&bench, "untrusted", sub->certificate);
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_DISTRUSTED);
    bench_remove(&bench, "untrusted");
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_VALID);
    bench_remove(&bench, "ca");
    ck_assert_verdict(bench_sign(&bench, leaf->certificate), VERDICT_NO_PATH);
    bench_end(&bench);
}
END_TEST

UNIT_MAIN("trust-verdict", test_valid, test_dates, test_expired_issuer, test_no_path, test_untrusted_root,
          test_bad_signature, test_bad_signature_above, test_weak, test_weak_anchor,
          test_settings_of_strength, test_address, test_address_with_nul, test_trusted, test_distrusted,
          test_distrusted_copy, test_distrusted_ca, test_areas_change)
