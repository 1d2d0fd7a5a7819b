/* The verdicts of the protocol, in order of seriousness, and the faults that lead to them. */
#ifndef JULIA_TRUST_VERDICT_H
#define JULIA_TRUST_VERDICT_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

/* The most serious one is what is answered. wrong-address is the least of all faults, because readers see it
   as "valid, of another address": nothing else may be wrong then. Faults that only time or a CRL can heal
   stand next to it. */
enum verdict {
    VERDICT_VALID,
    VERDICT_WRONG_ADDRESS,
    VERDICT_STATUS_UNKNOWN,
    VERDICT_EXPIRED,
    VERDICT_NOT_YET_VALID,
    VERDICT_WEAK,
    VERDICT_WRONG_USE,
    VERDICT_NO_PATH,
    VERDICT_UNTRUSTED_ROOT,
    VERDICT_BAD_SIGNATURE,
    VERDICT_REVOKED,
    VERDICT_DISTRUSTED
};
const char *verdict_name(enum verdict verdict);

#define FINGERPRINT_SIZE 65 /* SHA-256 in hexadecimal, with its NUL */

/* Whether a fault concerns the certificate itself, or only how it is vouched for (path, dates, missing CRLs):
   area trusted overrules the latter. */
enum fault_kind { FAULT_OF_CERTIFICATE, FAULT_OF_PATH };

struct fault {
    enum verdict verdict;
    enum fault_kind kind;
    char *reason;                    /* one line, for people */
    char deciding[FINGERPRINT_SIZE]; /* the certificate at fault; "" if none */
};
struct faults {
    struct fault *items;
    size_t count;
};

/* Adds a fault of `certificate` (NULL: of none in particular). */
void faults_add(struct faults *faults, enum verdict verdict, enum fault_kind kind, const X509 *certificate,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The most serious fault, the first of equals; faults of the path are passed over when the certificate is
 * trusted. NULL: none. */
const struct fault *faults_worst(const struct faults *faults, bool trusted);
void faults_free(struct faults *faults);

#endif
