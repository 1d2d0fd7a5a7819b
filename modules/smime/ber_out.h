/* Writing BER into armour. */
#ifndef SMIME_BER_OUT_H
#define SMIME_BER_OUT_H

#include "modules/smime/output.h"

/* One primitive OCTET STRING, a segment of a constructed one; nothing for no octets. At most 16 MiB - 1. */
bool ber_out_segment(struct armour *armour, const void *data, size_t len);

#endif
