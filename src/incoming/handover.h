/* Incoming mail to the virus scanner (MODE=gateway, DESIGN section 4). */
#ifndef JULIA_HANDOVER_H
#define JULIA_HANDOVER_H

#include "delivery/hold.h"
#include "incoming/deliver.h"

struct handover {
    bool holds;              /* DELIVER=original, and what the scanner gets is something else */
    bool alike;              /* the copy shows all of the original (alike.h), and may stand for it */
    struct deliver original; /* finished, when `holds` */
    char id[HOLD_ID_LEN + 1];
};

/* For a judged delivery: will the original be held? `write`: then finishes the original, and says so on top
   of the delivery's own message, which is written afterwards. Free it in any case. false: outcome filled in.
 */
bool handover_prepare(struct handover *handover, const struct message *message, struct deliver *copy,
                      bool write, struct outcome *outcome);
/* Holds the original, then hands the finished copy to the scanner; returns how many recipients' copy the
   scanner's queue got by this call. */
size_t handover_run(const struct handover *handover, const struct message *message, struct journal *journal,
                    const struct deliver *copy, struct outcome *outcome);
void handover_free(struct handover *handover);

#endif
