/* Signature schemes of the module protocol: digest in, or for ed25519 the message itself; signature out. */
#ifndef JULIA_KEYS_FILE_SIGNING_H
#define JULIA_KEYS_FILE_SIGNING_H

#include <openssl/evp.h>

#include "util/buf.h"

/* Octets of a message. What S/MIME signs this way are the attributes of a signature, some hundred octets. */
#define SIGNING_MESSAGE_MAX 65536

enum signing_result {
    SIGNING_OK,
    SIGNING_WRONG_SCHEME, /* unknown, or not for this kind of key */
    SIGNING_WRONG_DIGEST, /* its length is not the scheme's */
    SIGNING_FAILED
};
/* `input` is the digest, or the message. */
enum signing_result signing_run(EVP_PKEY *key, const char *scheme, const struct buf *input,
                                struct buf *signature);

#endif
