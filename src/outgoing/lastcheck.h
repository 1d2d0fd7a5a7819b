/* The last check before hand-off (DESIGN section 4, outgoing 8): the finished octets are parsed again, by
   code that had no part in writing them, and must be what was decided. */
#ifndef JULIA_LASTCHECK_H
#define JULIA_LASTCHECK_H

#include "outgoing/entity.h"
#include "outgoing/select.h"

enum lastcheck_form { LASTCHECK_CLEAR, LASTCHECK_OPAQUE, LASTCHECK_ENCRYPTED };

struct lastcheck {
    enum lastcheck_form form;
    int fd;                        /* the whole output */
    const struct buf *outer;       /* what must stand in front of the S/MIME entity, octet for octet */
    const struct entity *entity;   /* what was given to be signed; CLEAR, OPAQUE */
    const struct header *original; /* of the message; and what must be hidden of it; ENCRYPTED */
    enum config_protection protection;
    const struct select_candidate *const *recipients; /* exactly these; ENCRYPTED */
    size_t recipient_count;
    const struct mime_limits *limits; /* of the message; two more parts are allowed */
};
/* NULL: as it must be. Otherwise what is wrong (static text). Read errors count as wrong. */
const char *lastcheck_run(const struct lastcheck *check);

/* lastcheck_hidden.c: does `outer` show anything of `original` that this policy hides? */
const char *lastcheck_hidden(const struct header *outer, const struct header *original,
                             enum config_protection protection);

#endif
