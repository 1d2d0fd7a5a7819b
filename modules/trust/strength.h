/* Are keys and signature algorithms strong enough (trust.conf: MIN_RSA_BITS, CURVES, DIGESTS)? */
#ifndef JULIA_TRUST_STRENGTH_H
#define JULIA_TRUST_STRENGTH_H

#include "modules/trust/path.h"

/* Adds weak faults for every key on the path, and every signature but that of the anchor on itself. */
void strength_check(const struct settings *settings, const struct path *path, struct faults *faults);
/* The digest of a CRL's signature is among DIGESTS. */
bool strength_of_crl(const struct settings *settings, const struct crl *crl);

#endif
