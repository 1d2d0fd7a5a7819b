/* Schemes that open an encrypted content key. */
#ifndef JULIA_KEYS_FILE_OPENING_H
#define JULIA_KEYS_FILE_OPENING_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "util/buf.h"

#define OPENING_KEY_MAX 64 /* octets of a content key; AES-256 has 32 */

enum opening_result {
    OPENING_OK,
    OPENING_WRONG_SCHEME, /* unknown, or not for this kind of key */
    OPENING_FAILED        /* whatever the cause: callers must not tell more */
};

struct opening {
    const char *scheme;
    const char *mgf1;       /* OAEP: hash of the mask; NULL: the scheme's */
    struct buf label;       /* OAEP: mostly empty */
    const char *wrap;       /* ECDH: aes128, aes192, aes256, des-ede3 */
    struct buf encrypted;   /* encrypted or wrapped content key */
    struct buf originator;  /* ECDH: the other side's public key */
    struct buf shared_info; /* ECDH: DER of ECC-CMS-SharedInfo */
    struct buf salt;        /* ECDH with HKDF: ukm, mostly empty */
    size_t length;          /* of the content key, at most OPENING_KEY_MAX */
};

/* `content_key` has room for OPENING_KEY_MAX octets, of which `opening->length` are filled. For rsa-pkcs1 a
   wrong padding or length gives OPENING_OK and a random key, in the same time (RFC 3218). */
enum opening_result opening_rsa(EVP_PKEY *key, const struct opening *opening, unsigned char *content_key);
enum opening_result opening_ecdh(EVP_PKEY *key, const struct opening *opening, unsigned char *content_key);

#endif
