/* Building paths: every path that exists is found, none that must not be; limits hold. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/trust_bench.h"
#include "tests/unit/unit.h"

static struct bench bench;
static struct pki *root;

static void start(const char *conf)
{
    bench_start(&bench, conf);
    root = pki_issue(NULL, &(struct pki_spec){.name = "Root", .ca = true});
    bench_put(&bench, "ca", root->certificate);
}

static struct pki *ca(const struct pki *issuer, const char *name)
{
    return pki_issue(issuer, &(struct pki_spec){.name = name, .ca = true});
}

static struct pki *user(const struct pki *issuer)
{
    return pki_issue(issuer, &(struct pki_spec){.name = "User", .addresses = {"user@a.example"}});
}

static enum verdict judge_with(const struct pki *leaf, const X509 *const *extras)
{
    return bench_judge(&bench, leaf->certificate, USE_SIGN, NULL, extras, NULL);
}

/* An intermediate from the request is enough; without it there is no path. */
START_TEST(test_extra)
{
    struct pki *sub, *leaf;

    start("");
    sub = ca(root, "Sub");
    leaf = user(sub);
    ck_assert_verdict(judge_with(leaf, NULL), VERDICT_NO_PATH);
    ck_assert_verdict(judge_with(leaf, (const X509 *[]){sub->certificate, NULL}), VERDICT_VALID);
    ck_assert_uint_eq(bench.judgement.path_count, 3);
    bench_end(&bench);
}
END_TEST

/* In area ca too only self-signed certificates are anchors. */
START_TEST(test_intermediate_is_no_anchor)
{
    struct pki *other = NULL, *sub, *leaf;

    start("");
    other = ca(NULL, "Other root");
    sub = ca(other, "Sub");
    leaf = user(sub);
    bench_put(&bench, "ca", sub->certificate);
    ck_assert_verdict(judge_with(leaf, NULL), VERDICT_NO_PATH);
    ck_assert_verdict(judge_with(leaf, (const X509 *[]){other->certificate, NULL}), VERDICT_UNTRUSTED_ROOT);
    bench_end(&bench);
}
END_TEST

/* A name that is its own issuer is not enough to be an anchor: the key must have signed it. */
START_TEST(test_self_issued_is_no_anchor)
{
    struct pki *fake, *leaf;

    start("");
    fake = pki_issue(ca(NULL, "Somebody"),
                     &(struct pki_spec){.name = "Fake", .ca = true, .issuer_name = "Fake", .no_akid = true});
    leaf = user(fake);
    bench_put(&bench, "ca", fake->certificate);
    ck_assert_int_ne(judge_with(leaf, NULL), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* Expired intermediate beside a valid one with the same key, in either order. */
START_TEST(test_renewed_intermediate)
{
    struct pki *old, *renewed, *leaf;

    start("");
    old = pki_issue(root, &(struct pki_spec){.name = "Sub", .ca = true, .from = -400, .until = -5});
    renewed = pki_issue(root, &(struct pki_spec){.name = "Sub", .ca = true, .key = old->key});
    leaf = user(old);
    ck_assert_verdict(judge_with(leaf, (const X509 *[]){old->certificate, NULL}), VERDICT_EXPIRED);
    ck_assert_verdict(judge_with(leaf, (const X509 *[]){old->certificate, renewed->certificate, NULL}),
                      VERDICT_VALID);
    ck_assert_verdict(judge_with(leaf, (const X509 *[]){renewed->certificate, old->certificate, NULL}),
                      VERDICT_VALID);
    bench_put(&bench, "ca", old->certificate);
    ck_assert_verdict(judge_with(leaf, (const X509 *[]){renewed->certificate, NULL}), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* Issuers of one name with different keys, without key identifiers to tell them apart. */
START_TEST(test_same_name)
{
    struct pki *first, *second, *leaf;
    X509 *const none = NULL;

    start("");
    first = ca(root, "Sub");
    second = ca(root, "Sub");
    leaf = pki_issue(second, &(struct pki_spec){.name = "User", .no_akid = true});
    bench_put(&bench, "ca", first->certificate);
    ck_assert_verdict(judge_with(leaf, (const X509 *[]){none}), VERDICT_BAD_SIGNATURE);
    ck_assert_verdict(judge_with(leaf, (const X509 *[]){second->certificate, NULL}), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* A CA certified by an unknown root, by an expired one and by a good one: OpenSSL would follow the first. */
START_TEST(test_cross_certificates)
{
    struct pki *foreign, *expired, *sub, *leaf;
    const X509 *by_foreign, *by_expired, *by_root;
    const X509 *extras[5] = {NULL};

    start("");
    foreign = ca(NULL, "Foreign");
    expired = pki_issue(NULL, &(struct pki_spec){.name = "Expired", .ca = true, .from = -400, .until = -5});
    bench_put(&bench, "ca", expired->certificate);
    sub = ca(foreign, "Bridge");
    by_foreign = sub->certificate;
    by_expired =
        pki_issue(expired, &(struct pki_spec){.name = "Bridge", .ca = true, .key = sub->key})->certificate;
    by_root = pki_issue(root, &(struct pki_spec){.name = "Bridge", .ca = true, .key = sub->key})->certificate;
    leaf = user(sub);
    extras[0] = by_foreign;
    extras[1] = foreign->certificate;
    extras[2] = by_expired;
    ck_assert_verdict(judge_with(leaf, extras), VERDICT_EXPIRED);
    extras[3] = by_root;
    ck_assert_verdict(judge_with(leaf, extras), VERDICT_VALID);
    ck_assert_int_eq(X509_cmp(bench.judgement.path[1], by_root), 0);
    bench_end(&bench);
}
END_TEST

/* The detour lies two steps above: backtracking. */
START_TEST(test_backtracking)
{
    struct pki *foreign, *upper, *lower, *leaf;
    const X509 *extras[5] = {NULL};

    start("");
    foreign = ca(NULL, "Foreign");
    upper = ca(foreign, "Upper");
    lower = ca(upper, "Lower");
    leaf = user(lower);
    extras[0] = lower->certificate;
    extras[1] = upper->certificate;
    extras[2] = foreign->certificate;
    ck_assert_verdict(judge_with(leaf, extras), VERDICT_UNTRUSTED_ROOT);
    extras[3] =
        pki_issue(root, &(struct pki_spec){.name = "Upper", .ca = true, .key = upper->key})->certificate;
    ck_assert_verdict(judge_with(leaf, extras), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* Two CAs that certify each other lead nowhere, and to an end. */
START_TEST(test_circle)
{
    struct pki *a, *b, *leaf;
    const X509 *extras[4] = {NULL};

    start("");
    a = ca(NULL, "A");
    b = ca(a, "B");
    extras[0] = b->certificate;
    extras[1] = pki_issue(b, &(struct pki_spec){.name = "A", .ca = true, .key = a->key})->certificate;
    leaf = user(b);
    ck_assert_verdict(judge_with(leaf, extras), VERDICT_NO_PATH);
    extras[2] = pki_issue(root, &(struct pki_spec){.name = "A", .ca = true, .key = a->key})->certificate;
    ck_assert_verdict(judge_with(leaf, extras), VERDICT_VALID);
    bench_end(&bench);
}
END_TEST

/* An old copy of our root came along, signed by the same key: the anchor still counts. */
START_TEST(test_embedded_root)
{
    struct pki *copy, *leaf;

    start("");
    copy = pki_issue(NULL, &(struct pki_spec){.name = "Root", .ca = true, .key = root->key});
    leaf = user(root);
    ck_assert_verdict(judge_with(leaf, (const X509 *[]){copy->certificate, NULL}), VERDICT_VALID);
    ck_assert_int_eq(X509_cmp(bench.judgement.path[1], root->certificate), 0);
    bench_end(&bench);
}
END_TEST

START_TEST(test_depth)
{
    struct pki *last;
    const X509 *extras[5] = {NULL};

    start("MAX_DEPTH = 2\n");
    last = root;
    for (int i = 0; i < 3; i++) {
        char name[24];
        snprintf(name, sizeof(name), "CA %d", i);
        last = ca(last, name);
        extras[i] = last->certificate;
        ck_assert_verdict(judge_with(user(last), extras), i < 2 ? VERDICT_VALID : VERDICT_NO_PATH);
    }
    ck_assert_ptr_nonnull(strstr(bench.judgement.reason, "MAX_DEPTH"));
    bench_end(&bench);
}
END_TEST

/* A hostile sender: many certificates of one name and key, each certified by all others. The work is bounded.
 */
START_TEST(test_flood)
{
    enum { MANY = 60 };
    static const X509 *extras[MANY + 1];
    struct pki *names[MANY / 10], *leaf;

    start("");
    for (int i = 0; i < MANY / 10; i++) {
        char name[24];
        snprintf(name, sizeof(name), "F%d", i);
        names[i] = ca(NULL, name);
    }
    for (int i = 0; i < MANY; i++) {
        const struct pki *subject = names[i % (MANY / 10)], *issuer = names[(i / 7 + i + 1) % (MANY / 10)];
        char name[24];
        snprintf(name, sizeof(name), "F%d", i % (MANY / 10));
        extras[i] =
            pki_issue(issuer, &(struct pki_spec){.name = name, .ca = true, .key = subject->key})->certificate;
    }
    leaf = user(names[0]);
    bench.terms.until = deadline_in(5000);
    ck_assert_int_ne(judge_with(leaf, extras), VERDICT_VALID);
    ck_assert(!deadline_passed(bench.terms.until));
    bench_end(&bench);
}
END_TEST

START_TEST(test_too_many_extras)
{
    struct pki *sub;

    start("");
    sub = ca(root, "Sub");
    ck_assert(store_begin(bench.store));
    for (int i = 0; i < STORE_EXTRAS_MAX; i++)
        ck_assert(store_add_extra(bench.store, X509_dup(sub->certificate)));
    ck_assert(!store_add_extra(bench.store, X509_dup(sub->certificate)));
    bench_end(&bench);
}
END_TEST

/* No judgement at all when time is up. */
START_TEST(test_deadline)
{
    struct judgement judgement;
    struct pki *leaf;

    start("");
    leaf = user(root);
    ck_assert(store_begin(bench.store));
    bench.terms.until = deadline_in(0);
    ck_assert(!judge(&bench.terms, leaf->certificate, USE_SIGN, NULL, &judgement));
    ck_assert_ptr_null(judgement.reason);
    bench_end(&bench);
}
END_TEST

UNIT_MAIN("trust-path", test_extra, test_intermediate_is_no_anchor, test_self_issued_is_no_anchor,
          test_renewed_intermediate, test_same_name, test_cross_certificates, test_backtracking, test_circle,
          test_embedded_root, test_depth, test_flood, test_too_many_extras, test_deadline)
