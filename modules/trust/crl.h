/* One certificate revocation list, read once: what it covers, from when to when, and what it says of a
   certificate (RFC 5280, sections 5 and 6.3). Whether its signature is good is for the caller to find out. */
#ifndef JULIA_TRUST_CRL_H
#define JULIA_TRUST_CRL_H

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <time.h>

#include "modules/areas/crl.h"
#include "modules/trust/verdict.h"
#include "util/buf.h"

#define CRL_ALL_REASONS 0x1feu /* ReasonFlags bits 1 (keyCompromise) to 8 (aACompromise) */

struct crl {
    struct areas_crl *list;
    ISSUING_DIST_POINT *scope; /* NULL: everything its issuer issued */
    struct buf scope_der;      /* CRLs of one issuer with equal scope supersede each other */
    ASN1_INTEGER *number;      /* NULL if absent */
    ASN1_INTEGER *base;        /* not NULL: a delta CRL to this base */
    time_t this_update;
    time_t next_update; /* 0 if absent */
    bool ours;          /* lies in area ca; otherwise it came with the request */
    bool damaged;       /* a time or extension cannot be read: says nothing of anybody */
    bool unknown;       /* critical extensions that nobody here understands: never a proof of being good */
    char verified_by[FINGERPRINT_SIZE]; /* the certificate whose key verified it last, to ask once only */
};

struct crl *crl_new(struct areas_crl *take);
struct crl *crl_parse(const struct buf *der); /* NULL: no CRL, or octets behind it */
void crl_free(struct crl *crl);

const X509_NAME *crl_issuer(const struct crl *crl);
/* True when the key of `certificate` made the signature. */
bool crl_verify(struct crl *crl, X509 *certificate, const char *fingerprint);

/* The reasons for which this CRL speaks about the certificate by the distribution point (NULL: by its issuer
 * alone); 0: none. */
unsigned int crl_reasons(const struct crl *crl, DIST_POINT *point, const X509 *certificate);
bool crl_same_scope(const struct crl *a, const struct crl *b); /* and same issuer */
bool crl_is_delta_to(const struct crl *delta, const struct crl *complete);

/* What the list says. `reason` is a CRLReason or -1, `when` the revocation date. */
enum crl_listing { CRL_NOT_LISTED, CRL_LISTED, CRL_REMOVED };
struct crl_entry {
    int reason;
    time_t when;
};
enum crl_listing crl_look_up(const struct crl *crl, X509 *certificate, struct crl_entry *entry_r);
const char *crl_reason_name(int reason); /* "keyCompromise"; NULL when there is nothing to say */
#define CRL_REASON_HOLD   6
#define CRL_REASON_REMOVE 8

#endif
