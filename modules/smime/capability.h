/* SMIMECapabilities (RFC 8551 2.5.2, RFC 4262): what this gateway can read, and what a partner said of
 * himself. */
#ifndef SMIME_CAPABILITY_H
#define SMIME_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>

#include "modules/smime/algorithm.h"
#include "modules/smime/asn1_types.h"
#include "util/buf.h"

/* The list this gateway writes into its signatures: everything it reads, the strongest first of each kind.
   NULL when out of memory; free with sk_X509_ALGOR_pop_free(). */
algorithm_list *capability_own(void);

/* What a partner said last: the DER of his list, or where there is none, the list in his certificate. A
   damaged list offers nothing. */
struct capabilities {
    algorithm_list *list; /* NULL: nothing known */
};
void capabilities_read(struct capabilities *capabilities, const struct buf *der, X509 *certificate);
void capabilities_free(struct capabilities *capabilities);

bool capabilities_offer_gcm(const struct capabilities *capabilities); /* AES-256-GCM */
/* The first OAEP in the list that this module writes and that leaves room for a content key under this RSA
   key; PKCS #1 v1.5 where there is none. */
const struct keytrans_scheme *capabilities_keytrans(const struct capabilities *capabilities,
                                                    const EVP_PKEY *key);

#endif
