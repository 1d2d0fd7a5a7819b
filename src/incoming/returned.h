/* Mail that comes back from the virus scanner (MODE=gateway, DESIGN section 4). */
#ifndef JULIA_RETURNED_H
#define JULIA_RETURNED_H

#include "core/message.h"
#include "delivery/journal.h"

/* ROUNDTRIP_RETURN for these recipients (all internal). If X-JULIA-Hold names a hold that knows them and the
   copy is the one that was handed out, they get the original, each once whatever comes back how often; a copy
   that was changed never leads to it. Without a hold the copy is delivered, or encrypted anew, without the
   fields of the round trip. What has no place in this (HOLD_CHANGED, HOLD_LOST) is told to ADMIN. `explain`
   as in outgoing.h. */
void returned_run(const struct message *message, struct journal *journal, const struct strlist *recipients,
                  struct buf *explain, struct outcome *outcome);

#endif
