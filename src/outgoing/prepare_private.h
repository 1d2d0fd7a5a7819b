/* Shared by the prepare*.c files only. */
#ifndef JULIA_PREPARE_PRIVATE_H
#define JULIA_PREPARE_PRIVATE_H

#include "mail/mime.h"

struct prepare { /* one run over a message */
    int in, out;
    const char *eol;
    bool crlf; /* line ends of the message are CRLF */
    bool fragile;
    int error; /* errno of the first fault; 0: none */
};

void prepare_put(struct prepare *w, const void *data, size_t len);
void prepare_copy(struct prepare *w, uint64_t from, uint64_t to); /* octets of the message as they are */
/* The header section and its empty line; Content-Transfer-Encoding becomes `encoding` unless that is NULL. */
void prepare_header(struct prepare *w, const struct header *header, const char *encoding);

/* prepare_leaf.c */
bool prepare_leaf_unsafe(struct prepare *w, const struct mime_part *part);
/* Header and body, re-encoded where relays would change something. */
void prepare_leaf(struct prepare *w, const struct mime_part *part, const struct header *header);

/* prepare_gap.c: text outside of all parts, octets [from, to). With `write` it is written, made harmless.
   Returns whether anything had to be changed. */
bool prepare_gap(struct prepare *w, uint64_t from, uint64_t to, bool write);

#endif
