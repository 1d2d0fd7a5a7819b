/* One EnvelopedData or AuthEnvelopedData while it is read. */
#ifndef SMIME_ENVELOPED_H
#define SMIME_ENVELOPED_H

#include <stdbool.h>

#include "modules/smime/content_cipher.h"
#include "modules/smime/recipient_reader.h"
#include "modules/smime/unwrapping.h"

struct enveloped {
    struct unwrapping *u;
    bool authenticated;
    struct candidates candidates;
    bool too_many; /* RecipientInfos */
    struct content_cipher cipher;
    /* authAttrs stand behind the content but go first into the tag: found in one pass, used in a second */
    struct buf auth_attributes;
    uint64_t content_len; /* only where the cipher has to know it first */
};

/* Enters the structure up to its recipientInfos. False: damaged. */
bool enveloped_enter(const struct enveloped *e);
/* Gives each RecipientInfo as it came to `take`. False: damaged, or too many of them. */
typedef void enveloped_take(void *context, const void *recipient_info, size_t len);
bool enveloped_recipients(struct enveloped *e, enveloped_take *take, void *context);
/* Then encryptedContentInfo up to its algorithm (to be freed, NULL if there is none). False: damaged. */
bool enveloped_algorithm(const struct enveloped *e, int *type_r, X509_ALGOR **algorithm_r);
/* Fills in `answer` after one of these three was false. */
void enveloped_fail(const struct enveloped *e, struct serve_answer *answer);

enum decryption {
    DECRYPTION_DONE,
    DECRYPTION_AGAIN, /* authAttrs were met: once more, with them */
    DECRYPTION_UNDECRYPTABLE,
    DECRYPTION_FAILED /* `answer` is filled in: damaged, too large, unreadable, unwritable */
};
/* Decrypts everything with one content key, from the beginning, into an output that is empty before. Never
   returns DECRYPTION_AGAIN. */
enum decryption enveloped_decrypt(struct enveloped *e, const unsigned char *key, struct serve_answer *answer);

#endif
