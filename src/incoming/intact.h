/* Plain text that no tag protects (CBC) is released only if it is one whole MIME entity, or nothing but text:
   what an attacker makes of somebody else's ciphertext by cutting and pasting blocks rarely is either (the
   published "EFAIL" attacks). */
#ifndef JULIA_INTACT_H
#define JULIA_INTACT_H

#include "mail/mime.h"

/* Header fields from the first octet on, each line of them well-formed and ended by an empty line, with one
   Content-Type and one transfer encoding at most; the same in all parts outside of attached messages; every
   multipart there closed, and nothing behind it that some take for another part. Nothing garbled in header
   fields or text (garbled.h).
   `fd` is the file that it was parsed from. 1; 0: not; -1: errno. */
int intact_entity(int fd, const struct mime *mime);
/* Text that was encrypted without making it a MIME entity first (scripts that call openssl do that): UTF-8
   without control characters to its last octet, and nothing in its first lines that would make a MIME entity
   of it. An empty text is one. `mime` was parsed from these octets of `fd`. 1, 0, or -1 with errno. */
int intact_text(const struct mime *mime, int fd, uint64_t offset, uint64_t length);

#endif
