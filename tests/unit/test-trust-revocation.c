/* CRLs: which one counts, what the three ways to ask make of it, and what a sender's CRLs can and cannot do.
 */
#include <string.h>

#include "tests/unit/trust_bench.h"
#include "tests/unit/unit.h"
#include "util/buf.h"

static struct bench bench;
static struct pki *root, *sub, *leaf;

static void start_with(const char *conf, const struct pki_spec *leaf_spec)
{
    bench_start(&bench, conf);
    root = pki_issue(NULL, &(struct pki_spec){.name = "Root", .ca = true});
    sub = pki_issue(root, &(struct pki_spec){.name = "Sub", .ca = true});
    leaf = pki_issue(sub, leaf_spec);
    bench_put(&bench, "ca", root->certificate);
    bench_put(&bench, "ca", sub->certificate);
    bench_put_crl(&bench, pki_crl(root, &(struct pki_crl_spec){.number = 1}));
}

static void start(void)
{
    start_with("", &(struct pki_spec){.name = "Alice"});
}

static enum verdict ask(enum revocation_mode mode, X509_CRL *const *crls)
{
    bench.terms.revocation = mode;
    return bench_judge(&bench, leaf->certificate, USE_SIGN, NULL, NULL, crls);
}

/* What require, prefer and off answer with these CRLs from the request. */
static void ck_assert_answers(X509_CRL *const *crls, enum verdict require, enum verdict prefer)
{
    ck_assert_verdict(ask(REVOCATION_REQUIRE, crls), require);
    ck_assert_verdict(ask(REVOCATION_PREFER, crls), prefer);
    ck_assert_verdict(ask(REVOCATION_OFF, crls), VERDICT_VALID);
}

static X509_CRL *sub_crl(const struct pki_crl_spec *spec)
{
    return pki_crl(sub, spec);
}

#define CRLS(...) ((X509_CRL *const[]){__VA_ARGS__, NULL})
#define REVOKE    .revoked = {leaf->certificate}, .reason = {2}

START_TEST(test_fresh)
{
    start();
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.number = 1})), VERDICT_VALID, VERDICT_VALID);
    ck_assert_int_eq(ask(REVOCATION_REQUIRE, CRLS(sub_crl(&(struct pki_crl_spec){.number = 1}))),
                     VERDICT_VALID);
    ck_assert_uint_eq(bench.judgement.evidence.count, 2);
    ck_assert_int_eq(bench.judgement.evidence.items[0].kind, EVIDENCE_CRL);
    ck_assert_int_eq(bench.judgement.evidence.items[0].when, PKI_NOW - 86400);
    ck_assert_str_eq(bench.judgement.evidence.items[0].text,
                     "CN=Alice: not listed by the CRL of CN=Sub (next update 2026-06-02)");
    bench_end(&bench);
}
END_TEST

START_TEST(test_missing)
{
    start();
    ck_assert_answers(NULL, VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    ck_assert_verdict(ask(REVOCATION_PREFER, NULL), VERDICT_VALID);
    ck_assert_int_eq(bench.judgement.evidence.items[0].kind, EVIDENCE_NONE);
    ck_assert_str_eq(bench.judgement.evidence.items[0].text, "CN=Alice: no CRL of CN=Sub");
    bench_end(&bench);
}
END_TEST

START_TEST(test_revoked)
{
    start();
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){REVOKE})), VERDICT_REVOKED, VERDICT_REVOKED);
    ck_assert_verdict(ask(REVOCATION_PREFER, CRLS(sub_crl(&(struct pki_crl_spec){REVOKE}))), VERDICT_REVOKED);
    ck_assert_str_eq(bench.judgement.reason, "revoked on 2026-05-02 (keyCompromise)");
    /* by the area's own list as well, and nothing makes up for it */
    bench_put_crl(&bench, sub_crl(&(struct pki_crl_spec){.revoked = {leaf->certificate}, .number = 7}));
    bench_put(&bench, "trusted", leaf->certificate);
    ck_assert_verdict(ask(REVOCATION_PREFER, NULL), VERDICT_REVOKED);
    ck_assert_str_eq(bench.judgement.reason, "revoked on 2026-05-02");
    bench_end(&bench);
}
END_TEST

START_TEST(test_revoked_issuer)
{
    start();
    bench_put_crl(&bench, pki_crl(root, &(struct pki_crl_spec){
                                            .revoked = {sub->certificate}, .reason = {3}, .number = 2}));
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.number = 1})), VERDICT_REVOKED, VERDICT_REVOKED);
    ck_assert_verdict(ask(REVOCATION_PREFER, NULL), VERDICT_REVOKED);
    ck_assert_str_eq(bench.judgement.reason, "issuer CN=Sub revoked on 2026-05-02 (cACompromise)");
    bench_end(&bench);
}
END_TEST

/* What is listed in an old list stays revoked; an old list proves nobody good. */
START_TEST(test_expired_crl)
{
    start();
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){REVOKE, .from = -30, .until = -20})),
                      VERDICT_REVOKED, VERDICT_REVOKED);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.from = -30, .until = -20})),
                      VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    ck_assert_verdict(
        ask(REVOCATION_REQUIRE, CRLS(sub_crl(&(struct pki_crl_spec){.from = -30, .until = -20}))),
        VERDICT_STATUS_UNKNOWN);
    ck_assert_str_eq(bench.judgement.reason, "the CRL of CN=Sub expired on 2026-05-12");
    bench_end(&bench);
}
END_TEST

START_TEST(test_future_crl)
{
    start();
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.from = 2, .until = 20})), VERDICT_STATUS_UNKNOWN,
                      VERDICT_VALID);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){REVOKE, .from = 2, .until = 20})), VERDICT_REVOKED,
                      VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

START_TEST(test_newest_wins)
{
    X509_CRL *held, *released, *clean;

    start();
    held = sub_crl(&(struct pki_crl_spec){
        .revoked = {leaf->certificate}, .reason = {7}, .from = -5, .until = 5, .number = 1});
    released = sub_crl(&(struct pki_crl_spec){.from = -4, .until = 5, .number = 2});
    ck_assert_answers(CRLS(held, released), VERDICT_VALID, VERDICT_VALID);
    ck_assert_answers(CRLS(released, held), VERDICT_VALID, VERDICT_VALID);
    ck_assert_answers(CRLS(held), VERDICT_REVOKED, VERDICT_REVOKED);
    /* an old clean list from the sender does not hide the area's newer one */
    clean = sub_crl(&(struct pki_crl_spec){.from = -9, .until = 5, .number = 1});
    bench_put_crl(&bench, held);
    ck_assert_answers(CRLS(clean), VERDICT_REVOKED, VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

/* Same second, told apart by number. */
START_TEST(test_same_time)
{
    start();
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.number = 5}),
                           sub_crl(&(struct pki_crl_spec){REVOKE, .number = 6})),
                      VERDICT_REVOKED, VERDICT_REVOKED);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.number = 7}),
                           sub_crl(&(struct pki_crl_spec){REVOKE, .number = 6})),
                      VERDICT_VALID, VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* A forged list counts neither way, and hides no genuine one however new it claims to be. */
START_TEST(test_forged)
{
    struct pki *evil;
    X509_CRL *forged, *broken, *broken_clean;

    start();
    evil = pki_issue(NULL, &(struct pki_spec){.name = "Sub", .ca = true});
    forged = pki_crl(evil, &(struct pki_crl_spec){.from = 0, .until = 99, .number = 999});
    broken = sub_crl(&(struct pki_crl_spec){REVOKE, .break_signature = true});
    broken_clean =
        sub_crl(&(struct pki_crl_spec){.from = 0, .until = 99, .number = 999, .break_signature = true});
    ck_assert_answers(CRLS(forged), VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    ck_assert_answers(CRLS(broken), VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    bench_put_crl(&bench, sub_crl(&(struct pki_crl_spec){REVOKE, .number = 1}));
    ck_assert_answers(CRLS(forged, broken_clean), VERDICT_REVOKED, VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

/* A forger cannot bring his own certificate of the CA's name: it would need the anchor's signature. */
START_TEST(test_forged_with_certificate)
{
    struct pki *evil, *elsewhere;
    X509_CRL *forged;

    start();
    evil = pki_issue(NULL, &(struct pki_spec){.name = "Sub", .ca = true});
    forged = pki_crl(evil, &(struct pki_crl_spec){.number = 999});
    bench.terms.revocation = REVOCATION_REQUIRE;
    ck_assert_verdict(bench_judge(&bench, leaf->certificate, USE_SIGN, NULL,
                                  (const X509 *[]){evil->certificate, NULL}, CRLS(forged)),
                      VERDICT_STATUS_UNKNOWN);
    /* nor may another customer of the same root speak for a CA of that name below another CA */
    elsewhere = pki_issue(root, &(struct pki_spec){.name = "Elsewhere", .ca = true});
    bench_put(&bench, "ca", elsewhere->certificate);
    bench_put_crl(&bench, pki_crl(elsewhere, &(struct pki_crl_spec){.number = 1}));
    evil = pki_issue(elsewhere, &(struct pki_spec){.name = "Sub", .ca = true});
    forged = pki_crl(evil, &(struct pki_crl_spec){.number = 999});
    ck_assert_verdict(bench_judge(&bench, leaf->certificate, USE_SIGN, NULL,
                                  (const X509 *[]){evil->certificate, NULL}, CRLS(forged)),
                      VERDICT_STATUS_UNKNOWN);
    bench_end(&bench);
}
END_TEST

/* A CA with a second key for its CRLs. */
START_TEST(test_separate_keys)
{
    struct pki *signer, *wrong;
    X509_CRL *crl;

    start();
    signer = pki_issue(root, &(struct pki_spec){.name = "Sub", .usage = "cRLSign"});
    crl = pki_crl(signer, &(struct pki_crl_spec){REVOKE});
    ck_assert_answers(CRLS(crl), VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    bench_put(&bench, "ca", signer->certificate);
    ck_assert_answers(CRLS(crl), VERDICT_REVOKED, VERDICT_REVOKED);
    crl = pki_crl(signer, &(struct pki_crl_spec){.number = 1});
    ck_assert_answers(CRLS(crl), VERDICT_VALID, VERDICT_VALID);
    /* the second certificate revoked, distrusted, or not for CRLs */
    bench_put_crl(&bench,
                  pki_crl(root, &(struct pki_crl_spec){.revoked = {signer->certificate}, .number = 2}));
    ck_assert_answers(CRLS(crl), VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    wrong = pki_issue(root, &(struct pki_spec){.name = "Sub", .usage = "digitalSignature"});
    bench_put(&bench, "ca", wrong->certificate);
    ck_assert_answers(CRLS(pki_crl(wrong, &(struct pki_crl_spec){.number = 1})), VERDICT_STATUS_UNKNOWN,
                      VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* The CA may not sign CRLs. */
START_TEST(test_no_crl_sign)
{
    start();
    sub = pki_issue(root, &(struct pki_spec){.name = "Mute", .ca = true, .usage = "keyCertSign"});
    leaf = pki_issue(sub, &(struct pki_spec){.name = "Alice"});
    bench_put(&bench, "ca", sub->certificate);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.number = 1})), VERDICT_STATUS_UNKNOWN,
                      VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

START_TEST(test_no_next_update)
{
    start_with("CRL_MAX_AGE = 3d\n", &(struct pki_spec){.name = "Alice"});
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.from = -2, .until = -9999})), VERDICT_VALID,
                      VERDICT_VALID);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.from = -4, .until = -9999})),
                      VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){REVOKE, .from = -4, .until = -9999})),
                      VERDICT_REVOKED, VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

/* Weakly signed or not understood lists prove nothing good, and cannot undo a better one. */
START_TEST(test_doubtful)
{
    X509_CRL *weak, *strange;

    start();
    weak = sub_crl(&(struct pki_crl_spec){.digest = EVP_sha1(), .number = 9});
    strange = sub_crl(&(struct pki_crl_spec){.unknown_critical = true, .number = 9});
    ck_assert_answers(CRLS(weak), VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    ck_assert_answers(CRLS(strange), VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    ck_assert_answers(CRLS(weak, strange, sub_crl(&(struct pki_crl_spec){REVOKE, .number = 1})),
                      VERDICT_REVOKED, VERDICT_REVOKED);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){REVOKE, .digest = EVP_sha1()})), VERDICT_REVOKED,
                      VERDICT_REVOKED);
    bench.terms.accept_weak = true;
    ck_assert_answers(CRLS(weak), VERDICT_VALID, VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

START_TEST(test_scopes)
{
    start();
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.only_users = true})), VERDICT_VALID,
                      VERDICT_VALID);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.only_cas = true})), VERDICT_STATUS_UNKNOWN,
                      VERDICT_VALID);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.point = "http://a.example/1.crl"})),
                      VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.reasons = "compromise"})), VERDICT_STATUS_UNKNOWN,
                      VERDICT_VALID);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.reasons = "compromise"}),
                           sub_crl(&(struct pki_crl_spec){.reasons = "other"})),
                      VERDICT_VALID, VERDICT_VALID);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.reasons = "compromise"}),
                           sub_crl(&(struct pki_crl_spec){REVOKE, .reasons = "other"})),
                      VERDICT_REVOKED, VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

START_TEST(test_distribution_point)
{
    X509_CRL *first, *second;

    start_with("", &(struct pki_spec){.name = "Alice",
                                      .more = {"crlDistributionPoints", "URI:http://a.example/1.crl"}});
    first = sub_crl(&(struct pki_crl_spec){.point = "http://a.example/1.crl"});
    second = sub_crl(&(struct pki_crl_spec){.point = "http://a.example/2.crl"});
    ck_assert_answers(CRLS(first), VERDICT_VALID, VERDICT_VALID);
    ck_assert_answers(CRLS(second), VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.number = 1})), VERDICT_VALID, VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

START_TEST(test_delta)
{
    X509_CRL *base, *held, *delta;

    start();
    base = sub_crl(&(struct pki_crl_spec){.from = -3, .until = 3, .number = 5});
    delta = sub_crl(&(struct pki_crl_spec){REVOKE, .number = 6, .base = 5});
    ck_assert_answers(CRLS(base, delta), VERDICT_REVOKED, VERDICT_REVOKED);
    delta = sub_crl(&(struct pki_crl_spec){.number = 6, .base = 5});
    ck_assert_answers(CRLS(base, delta), VERDICT_VALID, VERDICT_VALID);
    ck_assert_answers(CRLS(delta), VERDICT_STATUS_UNKNOWN, VERDICT_VALID); /* no complete list */
    held = sub_crl(&(struct pki_crl_spec){
        .revoked = {leaf->certificate}, .reason = {7}, .from = -3, .until = 3, .number = 5});
    delta = sub_crl(
        &(struct pki_crl_spec){.revoked = {leaf->certificate}, .reason = {9}, .number = 6, .base = 5});
    ck_assert_answers(CRLS(held, delta), VERDICT_VALID, VERDICT_VALID); /* removed from the hold */
    /* what was compromised is not healed by a removal; nor does a removal for another base count */
    ck_assert_answers(
        CRLS(sub_crl(&(struct pki_crl_spec){REVOKE, .from = -3, .until = 3, .number = 5}), delta),
        VERDICT_REVOKED, VERDICT_REVOKED);
    delta = sub_crl(
        &(struct pki_crl_spec){.revoked = {leaf->certificate}, .reason = {9}, .number = 9, .base = 8});
    ck_assert_answers(CRLS(held, delta), VERDICT_REVOKED, VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

/* Path A has a revoked CA, path B (a cross certificate) has not. But a revoked certificate is revoked on
 * every path. */
START_TEST(test_other_path)
{
    struct pki *other, *cross;
    const X509 *extras[2] = {NULL};

    start();
    other = pki_issue(NULL, &(struct pki_spec){.name = "Other", .ca = true});
    bench_put(&bench, "ca", other->certificate);
    cross = pki_issue(other, &(struct pki_spec){.name = "Sub", .ca = true, .key = sub->key});
    extras[0] = cross->certificate;
    bench_put_crl(&bench, pki_crl(root, &(struct pki_crl_spec){.revoked = {sub->certificate}, .number = 2}));
    bench.terms.revocation = REVOCATION_PREFER;
    ck_assert_verdict(bench_judge(&bench, leaf->certificate, USE_SIGN, NULL, extras, NULL), VERDICT_VALID);
    bench_put_crl(&bench, sub_crl(&(struct pki_crl_spec){REVOKE}));
    ck_assert_verdict(bench_judge(&bench, leaf->certificate, USE_SIGN, NULL, extras, NULL), VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

/* A CRL that only one of the paths can rely on (its signer belongs to that anchor) still revokes the
 * certificate. */
START_TEST(test_other_path_delegated)
{
    struct pki *other, *cross, *signer;
    const X509 *extras[2] = {NULL};

    start();
    other = pki_issue(NULL, &(struct pki_spec){.name = "Other", .ca = true});
    bench_put(&bench, "ca", other->certificate);
    cross = pki_issue(other, &(struct pki_spec){.name = "Sub", .ca = true, .key = sub->key});
    extras[0] = cross->certificate;
    signer = pki_issue(root, &(struct pki_spec){.name = "Sub", .usage = "cRLSign"});
    bench_put(&bench, "ca", signer->certificate);
    bench_put_crl(&bench, pki_crl(signer, &(struct pki_crl_spec){REVOKE}));
    bench.terms.revocation = REVOCATION_PREFER;
    ck_assert_verdict(bench_judge(&bench, leaf->certificate, USE_SIGN, NULL, extras, NULL), VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

/* The same, told by the worse of two bad paths, after the better one. */
START_TEST(test_worse_path_revokes)
{
    struct pki *old, *good, *cross, *signer;

    start();
    bench_remove(&bench, "ca");
    old = pki_issue(NULL, &(struct pki_spec){.name = "Old", .ca = true, .from = -500, .until = -1});
    good = pki_issue(old, &(struct pki_spec){.name = "Sub", .ca = true, .key = sub->key});
    cross = pki_issue(
        root, &(struct pki_spec){.name = "Sub", .ca = true, .key = sub->key, .from = -500, .until = -1});
    signer = pki_issue(root, &(struct pki_spec){.name = "Sub", .usage = "cRLSign"});
    bench_put(&bench, "ca", old->certificate);
    bench_put(&bench, "ca", good->certificate);
    bench_put(&bench, "ca", root->certificate);
    bench_put(&bench, "ca", cross->certificate);
    bench_put(&bench, "ca", signer->certificate);
    ck_assert_verdict(ask(REVOCATION_PREFER, NULL), VERDICT_EXPIRED);
    ck_assert_int_eq(X509_cmp(bench.judgement.path[2], old->certificate), 0);
    ck_assert_verdict(ask(REVOCATION_PREFER, CRLS(pki_crl(signer, &(struct pki_crl_spec){REVOKE}))),
                      VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

/* The certificate names another issuer for its CRL: an indirect one, below the same anchor only. */
START_TEST(test_crl_issuer)
{
    static const unsigned char point[] = {/* crlDistributionPoints: cRLIssuer directoryName CN=Lists */
                                          0x30, 0x18, 0x30, 0x16, 0xa2, 0x14, 0xa4, 0x12, 0x30,
                                          0x10, 0x31, 0x0e, 0x30, 0x0c, 0x06, 0x03, 0x55, 0x04,
                                          0x03, 0x0c, 0x05, 'L',  'i',  's',  't',  's'};
    struct pki *lists, *foreign;
    X509_CRL *crl;
    struct buf der = {0};

    for (size_t i = 0; i < sizeof(point); i++)
        buf_printf(&der, "%s%02x", i == 0 ? "DER:" : ":", point[i]);
    start_with("", &(struct pki_spec){.name = "Alice", .more = {"crlDistributionPoints", buf_text(&der)}});
    lists = pki_issue(root, &(struct pki_spec){.name = "Lists", .usage = "cRLSign"});
    foreign = pki_issue(pki_issue(NULL, &(struct pki_spec){.name = "Foreign", .ca = true}),
                        &(struct pki_spec){.name = "Lists", .usage = "cRLSign"});
    bench_put(&bench, "ca", foreign->certificate);
    crl = pki_crl(foreign, &(struct pki_crl_spec){.indirect = true});
    ck_assert_answers(CRLS(crl), VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    crl = pki_crl(lists, &(struct pki_crl_spec){.indirect = true});
    ck_assert_answers(CRLS(crl), VERDICT_STATUS_UNKNOWN, VERDICT_VALID);
    bench_put(&bench, "ca", lists->certificate);
    ck_assert_answers(CRLS(crl), VERDICT_VALID, VERDICT_VALID);
    /* a list that is not indirect speaks about certificates of its own issuer only */
    ck_assert_answers(CRLS(pki_crl(lists, &(struct pki_crl_spec){.number = 1})), VERDICT_STATUS_UNKNOWN,
                      VERDICT_VALID);
    buf_free(&der);
    bench_end(&bench);
}
END_TEST

/* The same with an anchor of its own: vouched for, but not by the anchor of the certificate. */
START_TEST(test_crl_issuer_of_other_anchor)
{
    struct pki *other, *signer;

    start();
    other = pki_issue(NULL, &(struct pki_spec){.name = "Root", .ca = true});
    bench_put(&bench, "ca", other->certificate);
    signer = pki_issue(other, &(struct pki_spec){.name = "Sub", .usage = "cRLSign"});
    bench_put(&bench, "ca", signer->certificate);
    bench_put_crl(&bench, pki_crl(other, &(struct pki_crl_spec){.number = 1}));
    ck_assert_answers(CRLS(pki_crl(signer, &(struct pki_crl_spec){.number = 1})), VERDICT_STATUS_UNKNOWN,
                      VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* Trusted without any path: its issuer's list still counts where the issuer is known. */
START_TEST(test_trusted_without_root)
{
    start();
    bench_remove(&bench, "ca");
    bench_put(&bench, "ca", sub->certificate);
    bench_put(&bench, "trusted", leaf->certificate);
    ck_assert_verdict(ask(REVOCATION_REQUIRE, NULL), VERDICT_VALID);
    ck_assert_verdict(ask(REVOCATION_PREFER, CRLS(sub_crl(&(struct pki_crl_spec){REVOKE}))), VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

/* A new list in the area is noticed while the module runs. */
START_TEST(test_crl_arrives)
{
    start();
    ck_assert_verdict(ask(REVOCATION_REQUIRE, NULL), VERDICT_STATUS_UNKNOWN);
    bench_put_crl(&bench, sub_crl(&(struct pki_crl_spec){.number = 1}));
    ck_assert_verdict(ask(REVOCATION_REQUIRE, NULL), VERDICT_VALID);
    bench_put_crl(&bench, sub_crl(&(struct pki_crl_spec){REVOKE, .number = 2}));
    ck_assert_verdict(ask(REVOCATION_REQUIRE, NULL), VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

/* Of two entries for one certificate the one that revokes counts, wherever it stands. */
START_TEST(test_twice)
{
    start();
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.revoked = {leaf->certificate, leaf->certificate},
                                                          .reason = {9, 2}})),
                      VERDICT_REVOKED, VERDICT_REVOKED);
    ck_assert_answers(CRLS(sub_crl(&(struct pki_crl_spec){.revoked = {leaf->certificate, leaf->certificate},
                                                          .reason = {2, 9}})),
                      VERDICT_REVOKED, VERDICT_REVOKED);
    bench_end(&bench);
}
END_TEST

UNIT_MAIN("trust-revocation", test_fresh, test_missing, test_revoked, test_revoked_issuer, test_expired_crl,
          test_future_crl, test_newest_wins, test_same_time, test_forged, test_forged_with_certificate,
          test_separate_keys, test_no_crl_sign, test_no_next_update, test_doubtful, test_scopes,
          test_distribution_point, test_delta, test_other_path, test_other_path_delegated,
          test_worse_path_revokes, test_crl_issuer, test_crl_issuer_of_other_anchor,
          test_trusted_without_root, test_crl_arrives, test_twice)
