/* A copy as it came back from the virus scanner, made ready for delivery. Used by returned.c. */
#ifndef JULIA_RETURNED_COPY_H
#define JULIA_RETURNED_COPY_H

#include "core/message.h"
#include "delivery/journal.h"
#include "incoming/reencrypt.h"

struct returned_copy {
    struct message message; /* envelope and octets as they go on (message_view()) */
    int fd;
};

/* Takes the fields of the round trip (roundtrip.h) out and gives a null sender back. false: outcome is
   temporary. Free it in either case. */
bool returned_copy_make(struct returned_copy *copy, const struct message *message, struct outcome *outcome);
void returned_copy_free(struct returned_copy *copy);

/* Hands it to the internal relay: as it is, or encrypted anew (DELIVER=reencrypt; `left_r` as there). Outcome
   stays if every recipient has it, now or before. `explain` not NULL: writes the lines of -explain, sends
   nothing. */
void returned_copy_send(struct returned_copy *copy, struct journal *journal, const struct strlist *recipients,
                        const char *how, struct buf *explain, struct reencrypt_left *left_r,
                        struct outcome *outcome);

#endif
