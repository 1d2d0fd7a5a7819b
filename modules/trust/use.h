/* May this certificate be used for that (RFC 8550 section 4.4, RFC 5280 4.2.1.3 and 4.2.1.12)? */
#ifndef JULIA_TRUST_USE_H
#define JULIA_TRUST_USE_H

#include "modules/trust/path.h"

/* Adds wrong-use faults: of the certificate, and of CAs on the path that vouch for no mail. */
void use_check(enum use use, const struct path *path, struct faults *faults);

#endif
