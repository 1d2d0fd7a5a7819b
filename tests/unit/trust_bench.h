/* A BASE of areas in a temporary directory, and judgements on it. */
#ifndef JULIA_TRUST_BENCH_H
#define JULIA_TRUST_BENCH_H

#include "modules/trust/judge.h"
#include "tests/unit/trust_pki.h"

struct bench {
    char root[64];
    struct settings settings;
    struct store *store;
    struct terms terms; /* at PKI_NOW, revocation off; tests change them */
    struct judgement judgement;
};
void bench_start(struct bench *bench, const char *conf); /* further lines of trust.conf, or "" */
void bench_end(struct bench *bench);                     /* and pki_end() */
void bench_put(struct bench *bench, const char *area, const X509 *certificate);
void bench_put_crl(struct bench *bench, const X509_CRL *crl);
void bench_remove(struct bench *bench, const char *area); /* everything in it */

/* One request: begins it with these helpers (ending with NULL), and judges. */
enum verdict bench_judge(struct bench *bench, const X509 *certificate, enum use use, const char *address,
                         const X509 *const *extras, X509_CRL *const *crls);
/* The simplest kind: use sign, no address, no helpers. */
enum verdict bench_sign(struct bench *bench, const X509 *certificate);

#define ck_assert_verdict(got, wanted)                                                                       \
    do {                                                                                                     \
        enum verdict got_ = (got);                                                                           \
        ck_assert_msg(got_ == (wanted), "%s instead of %s", verdict_name(got_), verdict_name(wanted));       \
    } while (0)

#endif
