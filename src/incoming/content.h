/* What stands in clear in a CMS object, whoever signed it, and whether or not anybody can check that: mail
   programs show it all the same, so that a virus scanner must look at it. */
#ifndef JULIA_CONTENT_H
#define JULIA_CONTENT_H

#include "incoming/layer.h"

/* Writes the octets of the content of an opaque SignedData (RFC 5652 5.2), of DigestedData (7) or of mere
   data (4), of a damaged one as far as they can be read, to `out`, an empty file. 1; 0: there are none, or
   more than `limit`, or it is another kind of object; -1: errno. */
int content_take(const struct layer_look *look, int out, uint64_t limit);

#endif
