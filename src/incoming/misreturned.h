/* Mail from the virus scanner that cannot be what it should be (MODE=gateway, DESIGN section 4). */
#ifndef JULIA_MISRETURNED_H
#define JULIA_MISRETURNED_H

#include "core/message.h"
#include "delivery/journal.h"

/* ROUNDTRIP_STRIPPED for recipients inside (kind "fields-missing"), or ROUNDTRIP_RETURN for somebody outside
   ("astray"). It waits: outcome is temporary, and ADMIN is told. `explain` as in outgoing.h. */
void misreturned_refuse(const struct message *message, struct journal *journal, const char *kind,
                        const struct strlist *recipients, struct buf *explain, struct outcome *outcome);

#endif
