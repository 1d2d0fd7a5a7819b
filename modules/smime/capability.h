/* SMIMECapabilities (RFC 8551 2.5.2, RFC 4262): what this gateway can read, and what a partner said of
 * himself. */
#ifndef SMIME_CAPABILITY_H
#define SMIME_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>

#include "modules/smime/asn1_types.h"

/* The list this gateway writes into its signatures. NULL when out of memory; free with
 * sk_X509_ALGOR_pop_free(). */
algorithm_list *capability_own(void);

/* Does the list in `der` offer AES-256-GCM? A damaged list offers nothing. */
bool capability_offers_gcm(const void *der, size_t len);
/* The same of the list in a certificate's extension. */
bool capability_certificate_offers_gcm(X509 *certificate);

#endif
