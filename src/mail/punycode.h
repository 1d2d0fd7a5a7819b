/* Punycode (RFC 3492), the encoding half: enough to compare domain names as A-labels. */
#ifndef JULIA_PUNYCODE_H
#define JULIA_PUNYCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

#define PUNYCODE_LABEL_MAX 63 /* octets of a label in the DNS (RFC 1035 2.3.4) */

/* Appends the Punycode of `codes` (without "xn--"). False when there are more code points than a label can
 * hold. */
bool punycode_encode(const uint32_t *codes, size_t count, struct buf *out);

#endif
