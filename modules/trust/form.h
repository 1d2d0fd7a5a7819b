/* Rules on the form of a certificate that RFC 5280 sets and OpenSSL only asks for in its strict mode, or not
 * at all. */
#ifndef JULIA_TRUST_FORM_H
#define JULIA_TRUST_FORM_H

#include <openssl/x509.h>

#include "modules/trust/settings.h"
#include "modules/trust/verdict.h"

void form_check(const struct settings *settings, X509 *certificate, struct faults *faults);

#endif
