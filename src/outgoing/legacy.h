/* Legacy Display Elements (RFC 9788 5.2): what is hidden outside, as the first lines of the text, for readers
   whose programs decrypt and know nothing of protected header fields. Programs that know do not show them. */
#ifndef JULIA_LEGACY_H
#define JULIA_LEGACY_H

#include "outgoing/entity.h"

/* Writes the message with elements in the main parts of its text to a new file: text/plain and text/html, the
   first part of a multipart, all parts of a multipart/alternative (RFC 9787 7.1). Nothing in an attachment,
   in a part that has an element already, or behind a signature. Everything else stays octet for octet.
   *fd_r is -1 when there is nothing to add. False: outcome filled in. */
bool legacy_write(const struct entity_header *how, int *fd_r, struct outcome *outcome);

#endif
