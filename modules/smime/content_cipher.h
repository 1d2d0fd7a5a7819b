/* The cipher of one encrypted content: algorithm, IV or nonce, tag length; its AlgorithmIdentifier, read and
 * written. */
#ifndef SMIME_CONTENT_CIPHER_H
#define SMIME_CONTENT_CIPHER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "module/serve.h"
#include "modules/smime/algorithm.h"

#define CONTENT_IV_MAX 16

struct content_cipher {
    const struct cipher_algorithm *algorithm;
    size_t key_len;
    unsigned char iv[CONTENT_IV_MAX];
    size_t iv_len;
    size_t tag_len;        /* authenticated ones: 12 to 16 octets (RFC 5084); 0: CBC */
    unsigned int rc2_bits; /* RC2: effective key bits */
};

/* Reads it from an EnvelopedData, or with `authenticated` from an AuthEnvelopedData. Weak ones only with
   `weak`. False: `answer` says unsupported. */
bool content_cipher_read(struct content_cipher *cipher, const X509_ALGOR *algorithm, bool authenticated,
                         bool weak, struct serve_answer *answer);
/* A fresh one to write with, GCM or CBC: random IV or nonce. */
bool content_cipher_new(struct content_cipher *cipher, const struct cipher_algorithm *algorithm);
bool content_cipher_set_algorithm(const struct content_cipher *cipher, X509_ALGOR *algorithm);

/* A context ready for EVP_CipherUpdate(), not for CCM. NULL when OpenSSL does not have the cipher (RC2
   without its legacy provider). */
EVP_CIPHER_CTX *content_cipher_start(const struct content_cipher *cipher, const unsigned char *key,
                                     bool encrypt);

#endif
