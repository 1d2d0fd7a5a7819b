/* Finding certification paths: from a certificate upwards by issuer names and signatures, depth first,
   through area ca and what came along. Every path that can be built is shown, until the visitor is content.
 */
#ifndef JULIA_TRUST_PATH_H
#define JULIA_TRUST_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "modules/trust/terms.h"

#define PATH_LENGTH_MAX 24 /* settings MAX_DEPTH (20) and both ends, rounded up */
#define PATH_ENDS_MAX   64 /* paths shown for one certificate; cross-certified bridges have below ten */
#define PATH_SIGNATURES_MAX                                                                                  \
    128 /* signatures checked for one certificate; bounds the work a hostile sender can ask for */

/* Keys of CAs that came along. CAs have RSA up to 4096 bits with the exponent 65537; the time of a signature
   grows with the square of the one and with the other. DSA ends at 3072 bits (FIPS 186-4). */
#define PATH_RSA_BITS_MAX      8192
#define PATH_EXPONENT_BITS_MAX 64
#define PATH_OTHER_BITS_MAX    3072

enum path_end {
    PATH_ANCHORED,       /* ends at an anchor */
    PATH_FOREIGN_ROOT,   /* ends at a self-signed certificate that is no anchor */
    PATH_NO_ISSUER,      /* nobody of the last one's issuer name is known */
    PATH_UNFIT_ISSUER,   /* one of that name is known, with another key identifier, damaged, or of a key that
                            costs too much */
    PATH_BAD_SIGNATURE,  /* one of that name (and key identifier) is known, but did not sign */
    PATH_ISSUER_MAY_NOT, /* ... but may not sign certificates by its keyUsage; it stands at the end of the
                            path */
    PATH_TOO_LONG,       /* more CA certificates than MAX_DEPTH */
    PATH_GAVE_UP         /* one of the limits above, or the deadline */
};

struct path {
    struct ca *items[PATH_LENGTH_MAX]; /* the certificate first, each followed by its issuer */
    size_t count;
    enum path_end end;
};

/* Shows each path to `visit` until it returns true. For the ends that are not PATH_ANCHORED, every
   certificate that stands on the path has verifiably been signed by the next one. */
typedef bool path_visit(void *context, const struct path *path);
void path_search(const struct terms *terms, struct ca *leaf, path_visit *visit, void *context);

/* Whether signatures may be checked with its key: ours with any, others with one that costs no more than CAs'
 * do. */
bool path_may_verify(const struct ca *ca);

#endif
