/* Many recipients in one call: MAX_RECIPIENTS of them at a time. */
#ifndef JULIA_SLICE_H
#define JULIA_SLICE_H

#include "core/message.h"
#include "delivery/journal.h"

typedef void slice_run(struct message *message, struct journal *journal, const struct strlist *recipients,
                       struct buf *explain, struct outcome *outcome);

/* Calls `run` with MAX_RECIPIENTS recipients after another, so that what it keeps in memory and asks of a
   module stays bounded however many an MTA names in one call: no message is refused, nor bounced to
   everybody, for their number. With PARTIAL=all it is called once for all, since nobody may get what one
   cannot get. A fault in one slice stops no other; `outcome` keeps the first, temporary before permanent. */
void slice_each(struct message *message, struct journal *journal, const struct strlist *recipients,
                struct buf *explain, slice_run *run, struct outcome *outcome);

#endif
