/* Writes an incoming message as it is delivered. */
#ifndef JULIA_ASSEMBLE_H
#define JULIA_ASSEMBLE_H

#include "incoming/protected.h"
#include "incoming/unwrap.h"

struct assemble {
    const struct message *message;
    const struct unwrap_node *node; /* the entity that is delivered; the message itself: as it came */
    const struct protected *protected;
    const struct buf *fields; /* what julia says, goes on top */
    const char *subject;      /* instead of Subject (UTF-8); NULL: as it is */
    const struct buf *report; /* a MIME part for the end (reportpart.h); NULL: none */
};

/* Octets that came stay as they are, apart from forged fields (forged.h), and header fields that were
   protected and stand outside otherwise (protected.h). For an inner entity: all outer fields except
   MIME-Version, Content-* and those; the restored ones; MIME-Version and Content-* of the entity; its body,
   with the message's line ends. What would not survive a relay in it (NUL, bare CR, lines over 998 octets,
   labelled binary) is re-encoded. 0, or -1 with errno. */
int assemble_write(const struct assemble *assemble, int out, struct outcome *outcome);

#endif
