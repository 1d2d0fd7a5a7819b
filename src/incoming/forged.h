/* Header fields that only this gateway may write (DESIGN section 4, incoming 1): X-JULIA-* and
   Authentication-Results with our AUTHSERV_ID (RFC 8601 5). */
#ifndef JULIA_FORGED_H
#define JULIA_FORGED_H

#include <stdbool.h>
#include <stddef.h>

/* Is this field, octets as they came with its line ends, one of them? Also when such a field hides behind a
   bare CR, which some readers take for a line end. A long field may be given in part. */
bool forged_field(const char *field, size_t len, const char *authserv_id);

#endif
