/* What all CRLs together say of one certificate on a path (RFC 5280 section 6.3.3). */
#ifndef JULIA_TRUST_CRL_INQUIRY_H
#define JULIA_TRUST_CRL_INQUIRY_H

#include "modules/trust/path.h"

#define INQUIRY_DELEGATED_MAX                                                                                \
    4 /* CRLs not signed by the path for which another signer is looked for, per certificate */

enum inquiry_status { INQUIRY_UNKNOWN, INQUIRY_GOOD, INQUIRY_REVOKED };

struct inquiry_result {
    enum inquiry_status status;
    const struct crl *crl;  /* that says so; NULL when unknown. Borrowed from the store */
    struct crl_entry entry; /* when revoked */
    char *why;              /* when unknown; the caller frees it */
};

/* The certificate at `index` has its issuer at `index` + 1. `may_delegate`: CRLs may come from others than
 * the path's own CAs. */
void crl_inquire(const struct terms *terms, const struct path *path, size_t index, bool may_delegate,
                 struct inquiry_result *result);

#endif
