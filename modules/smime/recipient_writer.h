/* Encrypts a content key for the holders of certificates: the RecipientInfos of an object that is written. */
#ifndef SMIME_RECIPIENT_WRITER_H
#define SMIME_RECIPIENT_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include "module/serve.h"
#include "modules/smime/algorithm.h"
#include "util/buf.h"

struct recipient_writer;

struct recipient_writer *recipient_writer_new(void);
void recipient_writer_free(struct recipient_writer *writer);

/* Adds the holder of `certificate`: RSA keys by `keytrans`, EC keys by ephemeral-static ECDH with SHA-256
   (RFC 5753), X25519 and X448 the same with HKDF (RFC 8418), and AES-256 key wrap. False: `answer` is filled
   in; permanent when this key can never be encrypted to. */
bool recipient_writer_add(struct recipient_writer *writer, X509 *certificate,
                          const struct keytrans_scheme *keytrans, const unsigned char *key, size_t key_len,
                          struct serve_answer *answer);

/* Appends the DER of the SET OF RecipientInfo. */
bool recipient_writer_encode(const struct recipient_writer *writer, struct buf *der);
/* The version of the EnvelopedData around it (RFC 5652 6.1). */
unsigned char recipient_writer_version(const struct recipient_writer *writer);

#endif
