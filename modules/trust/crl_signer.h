/* Whose signature is on a CRL, and does it count for this path (RFC 5280, 6.3.3 (f) and (g))? */
#ifndef JULIA_TRUST_CRL_SIGNER_H
#define JULIA_TRUST_CRL_SIGNER_H

#include "modules/trust/path.h"

#define CRL_DELEGATES_MAX                                                                                    \
    2 /* certificates tried for one CRL; a CA has one key for CRLs, and its next one                         \
       */

#define CRL_KEYS_MAX 10 /* certificates of its issuer's name whose keys are tried on one CRL */

enum crl_signer {
    CRL_SIGNER_NONE,    /* nobody who may: the CRL says nothing */
    CRL_SIGNER_ON_PATH, /* the issuer of the certificate, by the very key that signed the certificate, or a CA
                           above it */
    CRL_SIGNER_DELEGATED /* somebody else whom the same anchor vouches for */
};

/* For a CRL about the certificate at `index`. Delegated signers are looked for only if `may_delegate`. */
enum crl_signer crl_signer_find(const struct terms *terms, const struct path *path, size_t index,
                                struct crl *crl, bool may_delegate);

#endif
