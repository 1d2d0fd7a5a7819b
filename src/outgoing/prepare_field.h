/* Header fields of parts that are to be signed. */
#ifndef JULIA_PREPARE_FIELD_H
#define JULIA_PREPARE_FIELD_H

#include "mail/header.h"

/* Would a relay change these octets: 8-bit, NUL, bare CR, bare LF (where line ends are CRLF), a line over
 * 998? */
bool prepare_text_unsafe(const char *data, size_t len, bool crlf);
bool prepare_field_unsafe(const struct header *header, size_t index, bool crlf);
/* Appends field `index`, rewritten to safe ASCII: parameters as RFC 2231, everything else as encoded words.
 */
void prepare_field(const struct header *header, size_t index, struct buf *out);

#endif
