/* Whatever look-up fails in the middle of a judgement, and whatever OpenSSL cannot allocate: there is no
   judgement then, least of all "valid". Linked with --wrap, so that each call can be made to fail in turn. */
#include <openssl/x509_vfy.h>
#include <stdio.h>

#include "modules/areas/areas.h"
#include "tests/unit/trust_bench.h"
#include "tests/unit/unit.h"

static unsigned int calls, fail_at; /* 0: never */

static bool fails(char *error, size_t size)
{
    if (++calls != fail_at)
        return false;
    snprintf(error, size, "the disk is on fire");
    return true;
}

/* ---- what the linker puts in front of the areas and OpenSSL ---- */

int __real_areas_find_serial(struct areas *areas, unsigned int mask, const struct buf *issuer,
                             const struct buf *serial, struct areas_list *list, char *error, size_t size);
int __wrap_areas_find_serial(struct areas *areas, unsigned int mask, const struct buf *issuer,
                             const struct buf *serial, struct areas_list *list, char *error, size_t size);
int __wrap_areas_find_serial(struct areas *areas, unsigned int mask, const struct buf *issuer,
                             const struct buf *serial, struct areas_list *list, char *error, size_t size)
{
    return fails(error, size) ? -1 : __real_areas_find_serial(areas, mask, issuer, serial, list, error, size);
}

int __real_areas_find_fingerprint(struct areas *areas, unsigned int mask, const char *fingerprint,
                                  struct areas_list *list, char *error, size_t size);
int __wrap_areas_find_fingerprint(struct areas *areas, unsigned int mask, const char *fingerprint,
                                  struct areas_list *list, char *error, size_t size);
int __wrap_areas_find_fingerprint(struct areas *areas, unsigned int mask, const char *fingerprint,
                                  struct areas_list *list, char *error, size_t size)
{
    return fails(error, size) ? -1
                              : __real_areas_find_fingerprint(areas, mask, fingerprint, list, error, size);
}

int __real_areas_find_subject(struct areas *areas, unsigned int mask, const X509_NAME *subject,
                              struct areas_list *list, char *error, size_t size);
int __wrap_areas_find_subject(struct areas *areas, unsigned int mask, const X509_NAME *subject,
                              struct areas_list *list, char *error, size_t size);
int __wrap_areas_find_subject(struct areas *areas, unsigned int mask, const X509_NAME *subject,
                              struct areas_list *list, char *error, size_t size)
{
    return fails(error, size) ? -1 : __real_areas_find_subject(areas, mask, subject, list, error, size);
}

int __real_areas_find_crls(struct areas *areas, enum area area, const X509_NAME *issuer,
                           struct areas_crl_list *list, char *error, size_t size);
int __wrap_areas_find_crls(struct areas *areas, enum area area, const X509_NAME *issuer,
                           struct areas_crl_list *list, char *error, size_t size);
int __wrap_areas_find_crls(struct areas *areas, enum area area, const X509_NAME *issuer,
                           struct areas_crl_list *list, char *error, size_t size)
{
    return fails(error, size) ? -1 : __real_areas_find_crls(areas, area, issuer, list, error, size);
}

X509_STORE_CTX *__real_X509_STORE_CTX_new(void);
X509_STORE_CTX *__wrap_X509_STORE_CTX_new(void);
X509_STORE_CTX *__wrap_X509_STORE_CTX_new(void)
{
    char ignored[40];

    return fails(ignored, sizeof(ignored)) ? NULL : __real_X509_STORE_CTX_new();
}

/* ---- the test ---- */

/* Every failure in turn, until one run meets none. Returns the number of calls. */
static unsigned int fail_in_turn(struct bench *bench, X509 *certificate, enum verdict without_failure)
{
    struct judgement judgement;

    for (unsigned int i = 1;; i++) {
        ck_assert(store_begin(bench->store));
        calls = 0;
        fail_at = i;
        if (judge(&bench->terms, certificate, USE_SIGN, NULL, &judgement)) {
            ck_assert_msg(calls < i, "call %u failed, and yet: %s", i, verdict_name(judgement.verdict));
            ck_assert_verdict(judgement.verdict, without_failure);
            judgement_free(&judgement);
            return calls;
        }
        ck_assert_uint_ge(calls, i);
        ck_assert_uint_eq(judgement.path_count, 0);
        ck_assert_uint_lt(i, 1000);
    }
}

START_TEST(test_failures)
{
    static const enum verdict verdicts[] = {VERDICT_VALID, VERDICT_REVOKED, VERDICT_DISTRUSTED};

    for (size_t i = 0; i < ROWS(verdicts); i++) {
        struct bench bench;
        struct pki *root, *sub, *leaf;
        bench_start(&bench, "RESCAN = 0s\n"); /* nothing is remembered between the runs */
        root = pki_issue(NULL, &(struct pki_spec){.name = "Root", .ca = true});
        sub = pki_issue(root, &(struct pki_spec){.name = "Sub", .ca = true});
        leaf = pki_issue(sub, &(struct pki_spec){.name = "Alice"});
        bench_put(&bench, "ca", root->certificate);
        bench_put(&bench, "ca", sub->certificate);
        bench_put_crl(&bench, pki_crl(root, &(struct pki_crl_spec){.number = 1}));
        bench_put_crl(&bench,
                      pki_crl(sub, &(struct pki_crl_spec){.revoked = {i == 1 ? leaf->certificate : NULL}}));
        if (i == 2)
            bench_put(&bench, "untrusted", sub->certificate);
        bench.terms.revocation = REVOCATION_PREFER;
        ck_assert_uint_ge(fail_in_turn(&bench, leaf->certificate, verdicts[i]), 10);
        bench_end(&bench);
    }
}
END_TEST

UNIT_MAIN("trust-failure", test_failures)
