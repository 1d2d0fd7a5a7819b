/* Messages to blame themselves (DESIGN section 4, incoming 9): those whose processing kills julia or the
   smime module again and again for GIVE_UP. A module that is down, or killed once by somebody else, is no
   reason. */
#ifndef JULIA_GIVEUP_H
#define JULIA_GIVEUP_H

#include "core/message.h"
#include "delivery/journal.h"

/* Did the first run on this message begin longer than GIVE_UP ago? Never without a journal (NULL,
 * JOURNAL=no). */
bool giveup_time(const struct message *message, const struct journal *journal);

/* Have GIVEUP_RUNS runs on this message ended before they were through, and began the first one longer than
   GIVE_UP ago? */
#define GIVEUP_RUNS 3
bool giveup_runs(const struct message *message, const struct journal *journal);

/* Asked when the smime module ended while it worked on this message: is GIVE_UP over, too, and does the
   module answer otherwise? */
bool giveup_module(const struct message *message, const struct journal *journal);

#endif
