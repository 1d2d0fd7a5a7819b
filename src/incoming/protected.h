/* Header fields that came protected inside a message (RFC 9788, and the older protected-headers="v1"). They
   replace the outer ones when the message was encrypted: then the outer ones are what everybody on the way
   could read, and may be hidden ("[...]"). A message that was only signed keeps its header octet for octet.
   From is special: an outer From that differs is never silently replaced. The inner one is shown only if a
   valid signature's certificate carries it; the outer one is then told beside it (X-JULIA-Outer-From).
   Otherwise the outer one stays and the inner one is told (X-JULIA-Inner-From). */
#ifndef JULIA_PROTECTED_H
#define JULIA_PROTECTED_H

#include "incoming/unwrap.h"

struct protected
{
    bool active;          /* there are protected fields to restore */
    struct mime mime;     /* of the innermost entity */
    struct strlist names; /* the fields that are restored */
    char *outer_from,
        *inner_from; /* single addresses; NULL when there is not exactly one that all readers see */
    bool from_kept;  /* the outer From stays */
};

/* Reads the innermost entity of a strand. `sender` signature: the layer that counts, NULL if none. 0, or -1
 * with errno. */
int protected_read(struct protected *protected, const struct message *message,
                   const struct unwrap_strand *strand, const struct layer *signature);
/* The outer fields stay, as if nothing were protected inside; the single inner From is still told. */
void protected_forgo(struct protected *protected);
void protected_free(struct protected *protected);

/* The From that the reader will see, one address or NULL. */
const char *protected_from(const struct protected *protected);
/* Appends the restored fields with `eol`, Subject excepted when `skip_subject`. */
void protected_write(const struct protected *protected, bool skip_subject, const char *authserv_id,
                     const char *eol, struct buf *out);

/* Appends field `index` of `header` with its line ends as `eol`, one at its end in any case. */
void protected_put_field(const struct header *header, size_t index, const char *eol, struct buf *out);

/* Would a Subject, Comments or Keywords be restored that did not stand outside? */
bool protected_hidden(const struct protected *protected, const struct header *outer);

#endif
