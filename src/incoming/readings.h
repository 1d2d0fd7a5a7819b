/* Do all readers take an entity apart alike? A signature says something about what is shown only then (the
   published signature-spoofing attacks, and those on filters that read MIME in another way than clients). */
#ifndef JULIA_READINGS_H
#define JULIA_READINGS_H

#include "mail/mime.h"

/* Looks at the outermost structure only, which is all that an attacker can choose around what somebody else
   signed or encrypted: the header section and, of a multipart, where its parts begin and end and what the
   second one is called. Not alike are: lines that belong to no field, NUL and bare CR, two kinds of line ends
   in the header; other than one Content-Type, or one that is not plain (header_typed_plain()); two transfer
   encodings, or one that a multipart cannot have; the octets of the boundary anywhere but in its own lines,
   each without anything behind it; a preamble with something like a header field.
   `fd` is the file that `part` was parsed from. 1: alike; 0: not; -1: errno. */
int readings_agree(int fd, const struct mime_part *part);
/* The same for its header section alone. */
bool readings_header_agree(const struct mime_part *part);

#endif
