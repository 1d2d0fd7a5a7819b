/* UTF-8 (RFC 3629): strict decoding, encoding, simple lower case. */
#ifndef JULIA_UTF8_H
#define JULIA_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* Decodes the character at `text`: the octets it takes (1 to 4), or 0 when they are no UTF-8 (overlong forms,
   surrogates, cut off) or len is 0. */
size_t utf8_decode(const char *text, size_t len, uint32_t *code_r);
bool utf8_valid(const char *text, size_t len);
void utf8_encode(struct buf *out, uint32_t code); /* what is no Unicode scalar value becomes U+FFFD */

/* One-to-one lower case for Latin, Greek, Cyrillic and Armenian letters, fullwidth Latin too; others
 * unchanged. */
uint32_t utf8_lower(uint32_t code);
/* Controls, soft hyphen, zero-width and directional characters: text with one of them inside may look like
 * other text. */
bool utf8_invisible(uint32_t code);

#endif
