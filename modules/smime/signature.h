/* Signature algorithms: their AlgorithmIdentifiers, and checking a signature over a digest. */
#ifndef SMIME_SIGNATURE_H
#define SMIME_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "modules/smime/algorithm.h"

struct signature_scheme {
    enum signature_family family;
    const struct digest_algorithm *digest;
    const struct digest_algorithm *mgf1; /* PSS */
    int salt_len;                        /* PSS */
};

/* "rsa-pss-sha256", as key modules name it. */
void signature_scheme_name(const struct signature_scheme *scheme, char *name_r, size_t size);

/* The scheme for a certificate's key: `pss` is a wish for RSA keys; RSASSA-PSS keys and their parameters have
   the last word. False: the key cannot sign in a way this module writes. */
bool signature_scheme_choose(X509 *certificate, bool pss, const struct digest_algorithm *digest,
                             struct signature_scheme *scheme_r);

/* Writes the AlgorithmIdentifier of a SignerInfo: PSS parameters whole, with NULL inside (RFC 4055). */
bool signature_set_algorithm(X509_ALGOR *algorithm, const struct signature_scheme *scheme);

enum signature_read { SIGNATURE_READ, SIGNATURE_UNSUPPORTED, SIGNATURE_MISMATCH };
/* Reads a SignerInfo's algorithm. SIGNATURE_MISMATCH: damaged, or it names another digest than `digest`. */
enum signature_read signature_read_algorithm(const X509_ALGOR *algorithm,
                                             const struct digest_algorithm *digest,
                                             struct signature_scheme *scheme_r);

enum signature_result { SIGNATURE_BAD, SIGNATURE_KEY_UNSUPPORTED, SIGNATURE_GOOD };
/* Does the signature over this digest fit the key? */
enum signature_result signature_verify(const struct signature_scheme *scheme, EVP_PKEY *key,
                                       const void *digest, size_t digest_len, const void *signature,
                                       size_t signature_len);
/* Ed25519 and Ed448 sign the message itself (RFC 8419). */
bool signature_is_of_message(const struct signature_scheme *scheme);
enum signature_result signature_verify_message(const struct signature_scheme *scheme, EVP_PKEY *key,
                                               const void *message, size_t message_len, const void *signature,
                                               size_t signature_len);

#endif
