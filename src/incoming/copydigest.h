/* The digest by which a copy that comes back from the virus scanner is known to be the one that was sent.

   It covers what a reader gets to see or to open: the tree of MIME parts with their types, parameters,
   dispositions and descriptions, the decoded content of every part, text outside of parts, and how each part
   ends. It does not cover what relays change without meaning: fields of the message's own header other than
   MIME's, line ends (CRLF or LF), transfer encodings of parts as long as they are correctly encoded, boundary
   strings, folding of fields. Whatever readers could understand in two ways is covered octet for octet, so
   that a change there is a change. */
#ifndef JULIA_COPYDIGEST_H
#define JULIA_COPYDIGEST_H

#include <stdint.h>

#include "util/sha256.h"

/* Of the message in octets [offset, offset+len) of `fd`. 0, or -1 with errno (read error). */
int copydigest(int fd, uint64_t offset, uint64_t len, unsigned char digest_r[SHA256_LEN]);

#endif
