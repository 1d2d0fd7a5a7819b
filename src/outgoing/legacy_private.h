/* Shared by the legacy*.c files only. */
#ifndef JULIA_LEGACY_PRIVATE_H
#define JULIA_LEGACY_PRIVATE_H

#include "core/message.h"

struct legacy { /* one run over a message */
    const struct message *message;
    const char *lines; /* "Subject: ...", one field a line, LF, UTF-8 */
    int out;
    uint64_t at; /* up to here the message is written */
    bool any;    /* there is an element */
    int error;   /* errno of the first fault; 0: none */
};

/* legacy_part.c: writes this text/plain or text/html part with an element, if its charset and encoding allow
   one. */
void legacy_part(struct legacy *l, const struct mime_part *part);

#endif
