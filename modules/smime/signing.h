/* What one sign request asks for, and the two forms of its result. */
#ifndef SMIME_SIGNING_H
#define SMIME_SIGNING_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "modules/smime/asn1_types.h"
#include "modules/smime/keychannel.h"
#include "modules/smime/output.h"
#include "modules/smime/pieces.h"
#include "modules/smime/signature.h"
#include "modules/smime/signed_writer.h"

struct signing {
    struct pieces content;
    struct output output;
    x509_list *certificates;
    struct signature_scheme scheme;
    struct keychannel channel;
    const char *key;
    struct signed_writer *writer;
};

/* multipart/signed: the content's octets as they are, digested in canonical form. False: `answer` is filled
 * in. */
bool signing_write_clear(struct signing *signing, struct serve_answer *answer);
/* application/pkcs7-mime: the content in canonical form inside. */
bool signing_write_opaque(struct signing *signing, struct serve_answer *answer);

#endif
