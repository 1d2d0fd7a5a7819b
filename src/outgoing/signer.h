/* Who may be signed for (DESIGN section 4, outgoing 3). */
#ifndef JULIA_SIGNER_H
#define JULIA_SIGNER_H

#include "core/direction.h"
#include "core/message.h"

struct signer {
    char *own;             /* the address of header From; NULL unless it is exactly one */
    bool own_allowed;      /* its own key may sign */
    const char *own_how;   /* why, or why not (static text) */
    bool order_allowed;    /* FS=addr may sign: every header From lies in INTERNAL_DOMAINS */
    const char *order_how; /* why not (static text) */
};

/* The client is internal (direction decided that); SIGNER_CHECK=no allows everything that has one header
 * From. */
void signer_decide(const struct message *message, const struct direction_client *client,
                   struct signer *signer_r);
void signer_free(struct signer *signer);

/* Do all readers see the same addresses in header From? */
bool signer_from_clear(const struct header *header);

/* The map file of SENDER_LOGIN: lines "ADDRESS-OR-@DOMAIN LOGIN[, LOGIN...]", `#` comments, continuation by a
   leading blank, as Postfix's smtpd_sender_login_maps has them; a line for the address itself rules out those
   for its domain. True when `login` may use `address`. Exposed for tests. */
bool signer_login_may(const char *map, const char *login, const char *address);

#endif
