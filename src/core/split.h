/* A message's recipients, each in its direction. */
#ifndef JULIA_SPLIT_H
#define JULIA_SPLIT_H

#include "core/message.h"

/* Splits the recipients by direction and does for each kind what is to be done: pass on, outgoing, incoming,
   refuse. `explain` not NULL: writes the lines of -explain instead and sends nothing. */
void split_run(struct message *message, struct buf *explain, struct outcome *outcome);

#endif
