/* Incoming mail on its way through the virus scanner and back (MODE=gateway, DESIGN section 4). Every copy
   that is handed to the scanner carries X-JULIA-Hold exactly once, and nothing else that travels does: by it
   the gateway knows its own mail again. */
#ifndef JULIA_ROUNDTRIP_H
#define JULIA_ROUNDTRIP_H

#include "core/direction.h"

#define ROUNDTRIP_HOLD    "X-JULIA-Hold" /* the id of the hold (hold.h), or */
#define ROUNDTRIP_NO_HOLD "none"
/* "<>": the mail has the null sender. It travels with ADMIN's address instead, since nobody would be told of
   a refused one without sender. */
#define ROUNDTRIP_SENDER "X-JULIA-Sender"

enum roundtrip {
    ROUNDTRIP_NO,      /* any other mail */
    ROUNDTRIP_RETURN,  /* a copy that the scanner let through */
    ROUNDTRIP_STRIPPED /* from the scanner; incoming mail, as far as one can tell, that lost its fields on the
                          way */
};

/* Does the client hand on what a virus scanner let through? */
bool roundtrip_scanner(const struct config *config, const struct direction_client *client);
/* For recipients inside. Mail of internal senders that passes the scanner is ROUNDTRIP_NO. */
enum roundtrip roundtrip_of(const struct message *message, const struct direction_client *client);
/* A word as one may find it in X-JULIA-Hold, in the form of ids: `len` octets in lower case. Newly allocated.
 */
char *roundtrip_word(const char *text, size_t len);
/* What X-JULIA-Hold says, as roundtrip_word(); NULL when there is not one answer. Newly allocated. */
char *roundtrip_hold(const struct header *header);
/* Does the mail come from elsewhere and name a hold? Somebody who saw one, or who tries. */
bool roundtrip_forged(const struct message *message, const struct direction_client *client);

#endif
