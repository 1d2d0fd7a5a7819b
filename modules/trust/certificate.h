/* What one certificate says about itself, in the words of the protocol. */
#ifndef JULIA_TRUST_CERTIFICATE_H
#define JULIA_TRUST_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#include "modules/trust/verdict.h"
#include "util/buf.h"

#define CERTIFICATE_MAX                                                                                      \
    (64u << 10) /* octets of DER; certificates of people have below 3 KB, with a hundred addresses 8 KB */
#define NAME_TEXT_MAX 1000 /* octets of a name in an answer; longer ones are cut, they only inform people */
#define ISO_TIME_SIZE 21   /* 2026-11-21T12:00:00Z and its NUL */

/* One certificate from DER without a single octet behind it; NULL when it is none, or larger than
 * CERTIFICATE_MAX. */
X509 *certificate_parse(const struct buf *der);

void certificate_fingerprint(const X509 *certificate, char fingerprint_r[FINGERPRINT_SIZE]);
char *certificate_name(const X509_NAME *name); /* RFC 2253 with UTF-8; newly allocated */
char *
certificate_subject(const X509 *certificate); /* its subject, or its serial number where that is empty */
void certificate_issuer_der(const X509 *certificate, struct buf *der);
bool certificate_ski(const X509 *certificate,
                     struct buf *octets); /* the extension; false where there is none */

/* "rsa", "rsa-pss", "ec" or "other", as the protocol names keys. */
const char *certificate_key(const X509 *certificate);
unsigned int certificate_bits(const X509 *certificate); /* 0 when the key cannot be read */

/* False when the time cannot be read. */
bool certificate_time(const ASN1_TIME *when, time_t *time_r);
void certificate_iso_time(time_t when, char text_r[ISO_TIME_SIZE]);
void certificate_day(time_t when, char text_r[ISO_TIME_SIZE]); /* 2026-11-21 */
/* As certificate_iso_time(); 1970 when it cannot be read (the certificate is not valid then, whatever it is
 * asked for). */
void certificate_asn1_iso(const ASN1_TIME *when, char text_r[ISO_TIME_SIZE]);

bool certificate_is_ca(const X509 *certificate); /* basicConstraints cA */
/* Its value can be decoded to the very end (RFC 5280 4.1); true for extensions of kinds unknown to OpenSSL,
   which itself passes over what stands behind the value. */
bool certificate_extension_whole(X509_EXTENSION *extension);

#endif
