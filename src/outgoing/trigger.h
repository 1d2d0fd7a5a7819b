/* Subject triggers (POLICY=subject|both): literal text in the decoded Subject, in any letter case. */
#ifndef JULIA_TRIGGER_H
#define JULIA_TRIGGER_H

#include "core/message.h"

struct trigger {
    bool sign, encrypt;
};
void trigger_find(const struct message *message, struct trigger *trigger_r);

/* Appends header field `index` (a Subject) to `out` without the triggers found: cut out of the raw octets
   where they stand there on one line, else the field is written anew. Other Subjects stay as they are, octet
   for octet. */
void trigger_strip(const struct config *config, const struct header *header, size_t index, struct buf *out);

#endif
