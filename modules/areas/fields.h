/* What the index keeps of a certificate besides its DER. */
#ifndef JULIA_AREAS_FIELDS_H
#define JULIA_AREAS_FIELDS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/sha256.h"
#include "util/strlist.h"

/* Normalised addresses, each once: SAN rfc822Name and SmtpUTF8Mailbox; subject emailAddress only without
 * either. */
void areas_fields_addresses(const X509 *certificate, struct strlist *addresses);
/* subjectKeyIdentifier, or SHA-1 of the public key's bits where the extension is missing. */
void areas_fields_ski(X509 *certificate, struct buf *ski);
/* Contents octets of an INTEGER in their shortest form, so that BER and DER compare equal. */
void areas_fields_serial(const void *octets, size_t len, struct buf *serial);
void areas_fields_certificate_serial(const X509 *certificate, struct buf *serial);
/* A 32-bit hash of the canonical name (case, blanks and string types do not matter); compare names
 * afterwards. */
int64_t areas_fields_name_hash(const X509_NAME *name);
/* SHA-256 of a certificate's DER in hexadecimal. By libcrypto, which these programs have anyway: a second
   library for it is another 300 KB of every process. False, and an empty text, when OpenSSL cannot. */
bool areas_fields_fingerprint(const void *der, size_t len, char fingerprint_r[SHA256_HEX_LEN + 1]);
/* SHA-256 over the SubjectPublicKeyInfo. False when the key cannot be encoded. */
bool areas_fields_key_digest(const EVP_PKEY *key, unsigned char digest[SHA256_LEN]);
bool areas_fields_certificate_key_digest(X509 *certificate, unsigned char digest[SHA256_LEN]);
/* DER of SMIMECapabilities from the extension of RFC 4262; nothing is added if it is missing. */
void areas_fields_capabilities(const X509 *certificate, struct buf *capabilities);
/* The whole certificate. */
void areas_fields_der(const X509 *certificate, struct buf *der);

#endif
