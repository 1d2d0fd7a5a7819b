/* The judgement of one certificate: finds paths, weighs what is wrong with each, keeps the best. */
#ifndef JULIA_TRUST_JUDGE_H
#define JULIA_TRUST_JUDGE_H

#include "modules/trust/evidence.h"
#include "modules/trust/terms.h"
#include "modules/trust/verdict.h"
#include "util/strlist.h"

struct judgement {
    enum verdict verdict;
    char *reason;                    /* NULL when valid */
    char deciding[FINGERPRINT_SIZE]; /* "" when valid */
    const char *area;                /* "trusted", "untrusted", "ca" or NULL */
    X509 **path;                     /* the certificate first */
    size_t path_count;
    struct evidence_list evidence;
    struct strlist addresses;
};

/* `address` NULL: any. False when there is no judgement at all (a look-up failed, time is up): `judgement_r`
 * is empty then. */
bool judge(const struct terms *terms, X509 *certificate, enum use use, const char *address,
           struct judgement *judgement_r);
void judgement_free(struct judgement *judgement);

#endif
