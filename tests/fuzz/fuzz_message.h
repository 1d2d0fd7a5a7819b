/* A message out of the octets of an input, for targets of the core. */
#ifndef JULIA_FUZZ_MESSAGE_H
#define JULIA_FUZZ_MESSAGE_H

#include "core/message.h"

/* Small limits; INTERNAL_DOMAINS x.example and .in.example, both triggers on, HEADER_PROTECTION no. */
const struct config *fuzz_config(void);
/* With `sender` as its envelope sender and inside@x.example as its recipient. Freed with message_free(). */
void fuzz_message(struct message *message, const void *data, size_t len, const char *sender);

#endif
