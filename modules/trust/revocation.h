/* Has a certificate on a path been revoked? RFC 5280 section 6.3 over the CRLs of area ca and those of the
 * request. */
#ifndef JULIA_TRUST_REVOCATION_H
#define JULIA_TRUST_REVOCATION_H

#include "modules/trust/evidence.h"
#include "modules/trust/path.h"

/* Adds, for each certificate on the path whose issuer stands there too, revoked or (where an answer is
   required) status-unknown faults, and the evidence. True when the first certificate of the path itself is
   revoked. A CRL counts only if its signature verifies by a key of the path, or by one that the same anchor
   vouches for. Of several CRLs with one scope the newest wins, expired ones included: what is listed there
   stays revoked; but only a fresh one, of an accepted algorithm and fully understood, proves that a
   certificate is not. */
bool revocation_check(const struct terms *terms, const struct path *path, struct faults *faults,
                      struct evidence_list *evidence);

/* The same for the path of a CRL issuer, who may rely on no further CRL issuers (no circles): true when every
   certificate of the path is known to be good, or at least not known to be revoked where no answer is
   required. */
bool revocation_clears_crl_issuer(const struct terms *terms, const struct path *path);

#endif
