/* Text in some charset to UTF-8: US-ASCII, UTF-8, ISO-8859-1, -15 and Windows-1252 by own table, a list of
   other known ones by iconv(3). Only names on that list reach iconv: the name comes from outside. */
#ifndef JULIA_CHARSET_H
#define JULIA_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* Appends; false (nothing appended) when the charset is not known or the octets are none of it. */
bool charset_to_utf8(const char *charset, const char *in, size_t len, struct buf *out);

/* The other way; false (nothing appended) also when the charset has not all of the characters. */
bool charset_from_utf8(const char *charset, const char *in, size_t len, struct buf *out);

/* Appends octets of unknown charset: as they are if they are UTF-8, else taken as Windows-1252. */
void charset_guess(const char *in, size_t len, struct buf *out);

#endif
