/* The connection to a key module on which the core placed a grant (design section 9, private operations):
   this module asks there for one signature or one content key and never sees a private key. */
#ifndef SMIME_KEYCHANNEL_H
#define SMIME_KEYCHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "module/answer.h"
#include "util/buf.h"
#include "util/deadline.h"

struct serve_answer;

struct keychannel {
    int fd; /* borrowed */
    deadline until;
    unsigned int asked; /* requests so far; makes their ids */
};

/* What came back. `value` is the signature or the content key. */
struct keychannel_answer {
    enum answer_status status; /* ANSWER_TEMPORARY for whatever goes wrong in between */
    char reason[65];
    struct buf text;
    struct buf value;
};
void keychannel_answer_free(struct keychannel_answer *answer); /* overwrites the value */

/* A signature in a scheme of julia-module(7), over a digest; or, if `is_message`, over the message itself. */
void keychannel_sign(struct keychannel *channel, const char *key, const char *scheme, bool is_message,
                     const void *input, size_t len, struct keychannel_answer *answer_r);

/* One encrypted content key of a message, as its RecipientInfo carries it. */
struct keychannel_open {
    const char *scheme; /* "rsa-oaep-sha256", "ecdh-sha256" */
    const char *mgf1;   /* OAEP only: another hash for the mask, "sha1"; NULL: the same */
    struct buf label;   /* OAEP only */
    const char *wrap;   /* ECDH only: "aes256" */
    struct buf encrypted;
    struct buf originator;  /* ECDH only: the other side's public key */
    struct buf shared_info; /* ECDH only: DER */
    struct buf salt;        /* ECDH with HKDF only */
};
/* The content key, of exactly `length` octets with ANSWER_OK. */
void keychannel_open_key(struct keychannel *channel, const char *key, const struct keychannel_open *open,
                         size_t length, struct keychannel_answer *answer_r);
void keychannel_open_free(struct keychannel_open *open);

/* Passes status, reason and text of a key module's refusal on to the caller. */
void keychannel_pass_on(const struct keychannel_answer *from, struct serve_answer *to);

#endif
