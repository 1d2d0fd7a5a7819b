/* INCOMING_PROFILE: partners who must send encrypted and signed, in the form of a profile. Does a message
   have it, and what may be told of that to whom?

   Whoever gets a report learns something, and anybody can send in a partner's name. So a message is refused
   with a report for what everybody could see before: that it is not encrypted, or by what. For the signature
   inside only when all of it is proven to be the partner's own word: decrypted, a good signature, a
   certificate that is valid for the From shown, and the report goes to an address of the same entry. Whatever
   else is inside (nothing signed, a bad signature, an unknown signer) is a fault that somebody on the way can
   make out of a good message, step by step: a report for it would be an oracle for decryption. Such mail goes
   the way of all mail, with its status, and ADMIN is told. */
#ifndef JULIA_DEMAND_H
#define JULIA_DEMAND_H

#include "core/message.h"
#include "incoming/status.h"
#include "incoming/unwrap.h"

struct demand {
    const struct config_profile *profile; /* NULL: nothing is demanded */
    const char *entry;                    /* of INCOMING_PROFILE. Borrowed. */
};

/* The entry for one address: its own, or that of its domain, or that of the nearest domain above. Entries for
   domains do not mean postmaster and mailer-daemon, who answer in clear. */
struct demand demand_on(const struct config *config, const char *address);
/* That of an address in header From, else of the envelope sender. The null sender is not asked for anything:
   notices are not signed, and cannot be answered. */
struct demand demand_on_message(const struct message *message);

enum demand_end {
    DEMAND_NONE,    /* nothing is demanded */
    DEMAND_MET,     /* the form is right; what the signature is worth is not said */
    DEMAND_REFUSED, /* it is not, and the sender may be told: nobody gets the message */
    DEMAND_DOUBTED  /* not known to be right, and the sender may not be told */
};
struct demand_verdict {
    enum demand_end end;
    struct demand demand;     /* that was asked for */
    const char *dsn, *reason; /* REFUSED: for the report (delivery/report.h) */
    char *found;              /* REFUSED, DOUBTED: what was found instead */
};

/* `message_demand` as above. `shown` is the From that the reader would see; NULL: no single one. Where
   nothing is demanded of the message, what is demanded of `shown` counts. */
void demand_judge(struct demand_verdict *verdict_r, const struct demand *message_demand,
                  const struct unwrap *unwrap, const struct unwrap_strand *strand,
                  const struct status *status, const char *shown);
void demand_verdict_free(struct demand_verdict *verdict);

#endif
