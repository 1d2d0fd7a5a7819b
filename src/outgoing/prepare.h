/* What relays would change is re-encoded before signing (DESIGN section 4, outgoing 7): leaves with 8-bit
   data, NUL, lines over 998 octets, bare CR or LF become base64 or quoted-printable; 8-bit octets in header
   fields become encoded words or RFC 2231 parameters; parts around them become 7bit; text outside of all
   parts is made harmless. Parts inside a signature of somebody else are never touched. */
#ifndef JULIA_PREPARE_H
#define JULIA_PREPARE_H

#include <stdbool.h>

#include "mail/mime.h"

/* `inner` is the header section that the entity shall have instead of the message's (without the empty line).
 */
bool prepare_needed(const struct mime_part *root, const struct buf *inner, int fd);
/* Writes the entity to `out`. `fragile_r`: something could not be made safe. 0, or -1 with errno. */
int prepare_write(const struct mime_part *root, const struct buf *inner, int fd, int out, bool *fragile_r);

#endif
