/* What one encrypt request asks for, and writing its result. */
#ifndef SMIME_ENVELOPING_H
#define SMIME_ENVELOPING_H

#include <stdbool.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "modules/smime/content_cipher.h"
#include "modules/smime/output.h"
#include "modules/smime/pieces.h"
#include "modules/smime/recipient_writer.h"

struct enveloping {
    struct pieces content;
    struct output output;
    struct recipient_writer *recipients;
    struct content_cipher cipher;
    unsigned char key[CONTENT_KEY_MAX];
};

/* An application/pkcs7-mime entity with EnvelopedData or AuthEnvelopedData in indefinite-length BER, in one
   pass. False: `answer` is filled in. */
bool enveloping_write(struct enveloping *enveloping, struct serve_answer *answer);

#endif
