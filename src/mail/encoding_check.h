/* Is a transfer encoding what a correct encoder writes? What is not is read differently by different readers.
 */
#ifndef JULIA_ENCODING_CHECK_H
#define JULIA_ENCODING_CHECK_H

#include "mail/mime.h"

/* Octets [offset, offset+len) of `fd`, encoded as `encoding`. Quoted-printable (RFC 2045 6.7): printable
   ASCII,
   "=" followed by two hexadecimal digits or by a line end, no blank in front of a line end. Base64 (RFC 2045
   6.8): the alphabet in lines, padding where it belongs and nothing behind it. The identity encodings: always
   correct; an unknown one: never. 0, or -1 with errno. */
int encoding_check(int fd, uint64_t offset, uint64_t len, enum mime_encoding encoding, bool *correct_r);

#endif
