/* Signature schemes of the module protocol: digest in, signature out. */
#ifndef JULIA_KEYS_FILE_SIGNING_H
#define JULIA_KEYS_FILE_SIGNING_H

#include <openssl/evp.h>

#include "util/buf.h"

enum signing_result {
    SIGNING_OK,
    SIGNING_WRONG_SCHEME, /* unknown, or not for this kind of key */
    SIGNING_WRONG_DIGEST, /* its length is not the scheme's */
    SIGNING_FAILED
};
enum signing_result signing_run(EVP_PKEY *key, const char *scheme, const struct buf *digest,
                                struct buf *signature);

#endif
