/* One RecipientInfo around an encrypted content key; used by recipient_writer.c only. */
#ifndef SMIME_RECIPIENT_FILL_H
#define SMIME_RECIPIENT_FILL_H

#include <stdbool.h>
#include <stddef.h>

#include "modules/smime/algorithm.h"
#include "modules/smime/asn1_types.h"

/* Key transport to an RSA key. False: the key is too small, or OpenSSL refuses. */
bool recipient_fill_trans(RecipientInfo *info, X509 *certificate, const struct keytrans_scheme *keytrans,
                          const unsigned char *key, size_t key_len);
bool recipient_can_agree(const EVP_PKEY *key);
/* Ephemeral-static ECDH and AES-256 key wrap to a key on an elliptic curve, X25519 and X448 among them. */
bool recipient_fill_agree(RecipientInfo *info, X509 *certificate, const unsigned char *key, size_t key_len);

#endif
