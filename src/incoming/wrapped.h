/* A whole message inside of what is signed or encrypted, to protect its header (RFC 8551 3.1): the form
   before RFC 9788, which tells how to know one (4.10.1). */
#ifndef JULIA_WRAPPED_H
#define JULIA_WRAPPED_H

#include "incoming/layer.h"

/* Is the entity `mime`, behind all layers, a message/rfc822 that is this very message? Either it says so
   (forwarded="no"), or it has the same Message-ID and the same author as the message around it: anything else
   may be a message that somebody forwards. `fd` is the file that `mime` was parsed from. */
bool wrapped_find(const struct message *message, const struct mime *mime, int fd,
                  struct layer_entity *entity_r);

#endif
