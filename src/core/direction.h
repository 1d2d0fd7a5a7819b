/* Who is who (DESIGN section 6): the client, and which way the message goes for a recipient. */
#ifndef JULIA_DIRECTION_H
#define JULIA_DIRECTION_H

#include "core/message.h"

struct direction_client {
    bool local;                     /* submitted on this host, or made by its MTA: no address */
    struct network_address address; /* when not local */
};

/* From -client, else -peer, else the topmost Received field if MYHOSTNAME wrote it. false: undecidable,
   outcome filled in (temporary): never a guess. */
bool direction_client_find(const struct message *message, struct direction_client *client_r,
                           struct outcome *outcome);

enum direction {
    DIRECTION_OUTGOING,
    DIRECTION_NOTICE,   /* this host's MTA with the null sender: as outgoing or internal, never refused as
                           relaying */
    DIRECTION_INTERNAL, /* to the internal relay, unchanged */
    DIRECTION_INCOMING,
    DIRECTION_REFUSED, /* 5.7.1 */
    /* Of the round trip through the virus scanner (roundtrip.h); direction_of() knows nothing of it. */
    DIRECTION_RETURN,
    DIRECTION_STRIPPED, /* waits: its fields are missing */
    DIRECTION_ASTRAY,   /* waits: incoming mail that would leave */
    DIRECTION_REFUSAL   /* the scanner's notice about incoming mail */
};
enum direction direction_of(const struct config *config, const struct direction_client *client,
                            const char *sender, const char *recipient);
const char *direction_name(enum direction direction);
bool direction_recipient_internal(const struct config *config,
                                  const char *recipient); /* in INTERNAL_DOMAINS, or without any domain */

/* Did this host take the mail with this header from one of SCANNER_CLIENTS, as its Received fields say? */
bool direction_was_scanned(const struct config *config, const struct header *header);

#define DIRECTION_HOPS_MAX 30 /* Received fields; more is a loop (design section 6) */
size_t direction_hops(const struct message *message);

#endif
