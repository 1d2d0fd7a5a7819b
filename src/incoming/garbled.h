/* Octets that no letter has. Whoever cuts and pastes blocks of a CBC cipher text (the "EFAIL" gadgets)
   chooses half of them; the other half come out as random octets, which he hides in a header field or in the
   text. */
#ifndef JULIA_GARBLED_H
#define JULIA_GARBLED_H

#include "mail/mime.h"

/* A header section with control characters, or a field with octets beyond ASCII that are neither UTF-8 nor
   Windows-1252; in the Content-Type of text and of multiparts they must be UTF-8. */
bool garbled_header(const struct mime_part *part);

/* Is the body of a leaf not what its transfer encoding and charset allow? Octets beyond ASCII in base64 and
   quoted-printable, whatever it is; and in what is shown (text, HTML, XML): other characters than those of
   base64; control characters but blanks, line ends, form feeds and ESC; octets that are no UTF-8 where it
   says UTF-8 or US-ASCII (`strict`), and that no Western charset has where it says nothing or one of these.
   Sixteen random octets pass with a probability of 0.00001 as UTF-8, of 0.12 as Western text.
   1: garbled; 0: not; -1: errno. */
int garbled_leaf(int fd, const struct mime_part *leaf, bool strict);

/* The same for what stands in front of the first part of a multipart and behind the last one: there it must
   be UTF-8. */
int garbled_outside(int fd, const struct mime_part *multipart);

#endif
