/* What verification found of one signer. */
#ifndef SMIME_SIGNER_H
#define SMIME_SIGNER_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "modules/smime/asn1_types.h"
#include "modules/smime/digests.h"
#include "modules/smime/signature.h"
#include "modules/smime/signer_info.h"
#include "util/buf.h"

enum signer_result { SIGNER_BAD, SIGNER_UNSUPPORTED, SIGNER_GOOD }; /* what nobody judged is bad */

struct signer {
    enum signer_result result;
    const char *reason;                    /* one word */
    SignerInfo *info;                      /* NULL: not readable */
    X509 *certificate;                     /* borrowed; NULL: not found */
    const struct digest_algorithm *digest; /* NULL: unknown */
    struct signature_scheme scheme;
    bool has_scheme;
    bool has_attributes; /* signed ones, in order, told in `attributes` */
    struct signed_attributes attributes;
};

/* A SignerInfo as it came. Free with signer_free(). */
void signer_read(struct signer *signer, const void *der, size_t len);
void signer_free(struct signer *signer);

/* Looks for its certificate, if it has none yet: one that the SignerInfo's identifier names and, with
   `exact`, the signed attribute signingCertificateV2 too. Certificates may share issuer, serial or key. */
void signer_find_certificate(struct signer *signer, x509_list *certificates, bool exact);

/* Checks the signature over a content of type id-data with these digests; without `weak`, weak digests are
 * unsupported. */
void signer_verify(struct signer *signer, const struct digests *digests, bool weak);
/* Settles that the signature cannot be checked. */
void signer_refuse(struct signer *signer, const char *reason);

/* Writes the <signer> element. */
struct xml_writer;
void signer_put(const struct signer *signer, struct xml_writer *w);

#endif
