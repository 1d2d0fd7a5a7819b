/* Plain text that no tag protects (CBC) is released only if it is one whole MIME entity: what an attacker
   makes of somebody else's ciphertext by cutting and pasting blocks rarely is (the published "EFAIL"
   attacks). */
#ifndef JULIA_INTACT_H
#define JULIA_INTACT_H

#include "mail/mime.h"

/* Header fields from the first octet on, each line of them well-formed and ended by an empty line; every
   multipart outside of attached messages closed; no text behind a closing boundary. */
bool intact_entity(const struct mime *mime);

#endif
