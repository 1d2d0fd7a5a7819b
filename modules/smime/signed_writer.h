/* Builds a SignedData around a signature that another process makes: OpenSSL's CMS interface wants the
   private key itself, and sorts the certificates. */
#ifndef SMIME_SIGNED_WRITER_H
#define SMIME_SIGNED_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include "modules/smime/asn1_types.h"
#include "modules/smime/keychannel.h"
#include "modules/smime/signature.h"

struct signed_writer;

/* `certificates`: the signer's first, then what else goes along. NULL: `answer` is filled in. */
struct signed_writer *signed_writer_new(x509_list *certificates, const struct signature_scheme *scheme,
                                        struct serve_answer *answer);
void signed_writer_free(struct signed_writer *writer);

/* Adds the signed attributes for a content with this digest, has them signed by `key` through `channel`, and
   checks that the signature fits the certificate. False: `answer` is filled in. */
bool signed_writer_sign(struct signed_writer *writer, const void *digest, size_t len,
                        struct keychannel *channel, const char *key, struct serve_answer *answer);

/* The DER of the ContentInfo, without content. */
bool signed_writer_encode(const struct signed_writer *writer, struct buf *der);

/* Where encapContentInfo stands inside that DER: what lies before it inside SignedData, and what lies behind
   it. The content of an opaque signature is put in between. */
struct signed_parts {
    const unsigned char *before, *after;
    size_t before_len, after_len;
};
bool signed_writer_parts(const struct buf *der, struct signed_parts *parts_r);

#endif
