/* Incoming mail (DESIGN section 4): unwrap, verify, validate, report, deliver. */
#ifndef JULIA_INCOMING_H
#define JULIA_INCOMING_H

#include "core/message.h"
#include "delivery/journal.h"

/* Handles these recipients (all internal). `explain` as in outgoing.h. */
void incoming_run(struct message *message, struct journal *journal, const struct strlist *recipients,
                  struct buf *explain, struct outcome *outcome);

#endif
