/* Several faults at once: for every pair that one certificate can have, the more serious word is answered;
   and what area trusted makes of each. */
#include "tests/unit/trust_bench.h"
#include "tests/unit/unit.h"

/* What can be wrong, one bit each, least serious first, with the word for it. */
enum {
    WRONG_ADDRESS = 1 << 0,
    UNKNOWN = 1 << 1, /* required, but no CRL */
    EXPIRED = 1 << 2,
    NOT_YET = 1 << 3, /* the CA: a certificate cannot be both */
    WEAK_PATH = 1 << 4,
    WEAK_KEY = 1 << 5,
    WRONG_USE_PATH = 1 << 6,
    WRONG_USE = 1 << 7,
    NO_PATH = 1 << 8,
    FOREIGN_ROOT = 1 << 9,
    BAD_SIGNATURE = 1 << 10,
    REVOKED = 1 << 11,
    DISTRUSTED = 1 << 12,
    FAULTS = 13
};
static const enum verdict words[FAULTS] = {VERDICT_WRONG_ADDRESS,  VERDICT_STATUS_UNKNOWN, VERDICT_EXPIRED,
                                           VERDICT_NOT_YET_VALID,  VERDICT_WEAK,           VERDICT_WEAK,
                                           VERDICT_WRONG_USE,      VERDICT_WRONG_USE,      VERDICT_NO_PATH,
                                           VERDICT_UNTRUSTED_ROOT, VERDICT_BAD_SIGNATURE,  VERDICT_REVOKED,
                                           VERDICT_DISTRUSTED};

/* What area trusted leaves standing. */
#define NEVER_OVERRULED (WRONG_ADDRESS | WEAK_KEY | WRONG_USE | REVOKED | DISTRUSTED)

/* Pairs that exclude each other: a CRL counts only if signature and issuer are there, a path has one end. */
static bool possible(unsigned int faults)
{
    static const unsigned int either[] = {
        UNKNOWN | REVOKED,      BAD_SIGNATURE | REVOKED, BAD_SIGNATURE | NO_PATH, BAD_SIGNATURE | UNKNOWN,
        NO_PATH | FOREIGN_ROOT, NO_PATH | REVOKED,       NO_PATH | NOT_YET,       NO_PATH | UNKNOWN,
        NO_PATH | WEAK_PATH,    NO_PATH | WRONG_USE_PATH};

    for (size_t i = 0; i < ROWS(either); i++)
        if ((faults & either[i]) == either[i])
            return false;
    return true;
}

static struct pki *make_ca(unsigned int faults, const struct pki *root)
{
    struct pki_spec spec = {.name = "Sub CA", .ca = true};

    if ((faults & NOT_YET) != 0) {
        spec.from = 10;
        spec.until = 400;
    }
    if ((faults & WRONG_USE_PATH) != 0)
        spec.purpose = "serverAuth";
    return pki_issue(root, &spec);
}

static X509 *make_leaf(unsigned int faults, const struct pki *ca, EVP_PKEY *small)
{
    struct pki_spec spec = {.name = "Alice", .addresses = {"alice@a.example"}};
    X509 *certificate;

    if ((faults & EXPIRED) != 0) {
        spec.from = -400;
        spec.until = -10;
    }
    if ((faults & WEAK_PATH) != 0)
        spec.digest = EVP_sha1();
    if ((faults & WEAK_KEY) != 0)
        spec.key = small;
    if ((faults & WRONG_USE) != 0)
        spec.purpose = "serverAuth";
    certificate = pki_issue(ca, &spec)->certificate;
    return (faults & BAD_SIGNATURE) != 0 ? pki_break_signature(certificate) : certificate;
}

static enum verdict verdict_on(unsigned int faults, bool trusted, EVP_PKEY *small)
{
    struct bench bench;
    struct pki *root = pki_issue(NULL, &(struct pki_spec){.name = "Root", .ca = true});
    struct pki *ca = make_ca(faults, root);
    X509 *leaf = make_leaf(faults, ca, small);
    const X509 *extras[] = {ca->certificate, root->certificate, NULL};
    X509_CRL *crls[] = {
        pki_crl(ca, &(struct pki_crl_spec){.revoked = {(faults & REVOKED) != 0 ? leaf : NULL}}),
        pki_crl(root, &(struct pki_crl_spec){.number = 1}), NULL};
    enum verdict verdict;

    bench_start(&bench, "");
    if ((faults & (FOREIGN_ROOT | NO_PATH)) == 0)
        bench_put(&bench, "ca", root->certificate);
    if ((faults & DISTRUSTED) != 0)
        bench_put(&bench, "untrusted", leaf);
    if (trusted)
        bench_put(&bench, "trusted", leaf);
    bench.terms.revocation = REVOCATION_REQUIRE;
    verdict = bench_judge(&bench, leaf, USE_SIGN,
                          (faults & WRONG_ADDRESS) != 0 ? "bob@a.example" : "alice@a.example",
                          (faults & NO_PATH) != 0 ? NULL : extras, (faults & UNKNOWN) != 0 ? NULL : crls);
    bench_end(&bench);
    return verdict;
}

static enum verdict expected(unsigned int faults, bool trusted)
{
    enum verdict worst = VERDICT_VALID;

    if (!trusted && (faults & FOREIGN_ROOT) != 0)
        faults &= ~(unsigned int)REVOKED; /* nobody vouches for the CRL */
    for (unsigned int i = 0; i < FAULTS; i++)
        if ((faults & (1u << i)) != 0 && (!trusted || (NEVER_OVERRULED & (1u << i)) != 0) && words[i] > worst)
            worst = words[i];
    return worst;
}

static void check(unsigned int faults, EVP_PKEY *small)
{
    for (int trusted = 0; trusted < 2; trusted++) {
        enum verdict got = verdict_on(faults, trusted == 1, small);
        ck_assert_msg(got == expected(faults, trusted == 1), "faults %#x%s: %s instead of %s", faults,
                      trusted == 1 ? " (trusted)" : "", verdict_name(got),
                      verdict_name(expected(faults, trusted == 1)));
    }
}

START_TEST(test_single)
{
    EVP_PKEY *small = EVP_RSA_gen(1024);

    check(0, small);
    for (unsigned int i = 0; i < FAULTS; i++)
        check(1u << i, small);
    EVP_PKEY_free(small);
}
END_TEST

START_TEST(test_pairs)
{
    EVP_PKEY *small = EVP_RSA_gen(1024);

    for (unsigned int i = 0; i < FAULTS; i++)
        for (unsigned int k = 0; k < i; k++)
            if (possible(1u << i | 1u << k))
                check(1u << i | 1u << k, small);
    EVP_PKEY_free(small);
}
END_TEST

START_TEST(test_many)
{
    EVP_PKEY *small = EVP_RSA_gen(1024);

    check(WRONG_ADDRESS | EXPIRED | WEAK_KEY | WRONG_USE | REVOKED | DISTRUSTED, small);
    check(WRONG_ADDRESS | EXPIRED | WEAK_KEY | WRONG_USE | REVOKED, small);
    check(WRONG_ADDRESS | EXPIRED | WEAK_PATH | FOREIGN_ROOT | BAD_SIGNATURE, small);
    check(WRONG_ADDRESS | EXPIRED | NOT_YET | UNKNOWN, small);
    EVP_PKEY_free(small);
}
END_TEST

UNIT_MAIN("trust-precedence", test_single, test_pairs, test_many)
