/* Outgoing mail (DESIGN section 4): treatments, certificates, groups, sign, encrypt, last check, hand-off. */
#ifndef JULIA_OUTGOING_H
#define JULIA_OUTGOING_H

#include "core/message.h"
#include "delivery/journal.h"

/* Handles these recipients (all external, client internal). `explain` not NULL: decides, writes the lines of
   -explain to it, sends nothing, journal is NULL. */
void outgoing_run(struct message *message, struct journal *journal, const struct strlist *recipients,
                  struct buf *explain, struct outcome *outcome);

#endif
