/* What one unwrap request asks for, and the readers of each content type. */
#ifndef SMIME_UNWRAPPING_H
#define SMIME_UNWRAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "modules/smime/cms_input.h"
#include "modules/smime/output.h"

struct unwrapping {
    const struct serve_request *request;
    struct cms_input input;
    struct output output; /* fd -1: none given */
    bool weak;            /* weak algorithms are accepted, and named */
    struct buf weak_used; /* "sha1 des-ede3-cbc" */
};

/* Each reads one layer whose ContentInfo has been entered, and writes the answer; on failure `answer` is
   filled in and the caller cuts the output back. */
void enveloped_unwrap(struct unwrapping *u, bool authenticated, struct serve_answer *answer);
void signed_unwrap(struct unwrapping *u, struct serve_answer *answer);
void compressed_unwrap(struct unwrapping *u, struct serve_answer *answer);

/* Remembers that a weak algorithm was accepted. */
void unwrapping_note_weak(struct unwrapping *u, const char *name);
/* The attribute `weak` of the answer, if anything weak was accepted. */
void unwrapping_put_weak(const struct unwrapping *u, struct serve_answer *answer);
/* An output is needed; without one `answer` says so. */
bool unwrapping_needs_output(const struct unwrapping *u, struct serve_answer *answer);

#endif
