/* What the recipients of one strand get: status, finished message, report. */
#ifndef JULIA_DELIVER_H
#define JULIA_DELIVER_H

#include "delivery/journal.h"
#include "incoming/demand.h"
#include "incoming/protected.h"
#include "incoming/status.h"
#include "incoming/unwrap.h"

enum deliver_form {
    DELIVER_OPENED,     /* encrypted layers are gone: DELIVER=plain, and what reencrypt.h encrypts anew */
    DELIVER_AS_IT_CAME, /* DELIVER=original: the message itself, and what julia found in it */
    DELIVER_TO_LOOK_AT  /* DELIVER=original, for the virus scanner: all CMS objects are gone */
};

struct deliver {
    const struct unwrap_strand *strand; /* borrowed */
    const struct unwrap_node *node;     /* the entity that goes out */
    struct status status;
    struct protected protected;
    struct demand_verdict demand; /* REFUSED: nobody gets it (incoming.c) */
    char *sender;                 /* address in Sender; NULL */
    struct buf top;               /* fields to stand above all others (roundtrip.h); empty */
    int fd; /* finished message; -1: the message as it came, untouched (SMIME_ENGINE=1) */
};

/* Finds out status and entity. DELIVER_OPENED: encrypted layers are gone, compressed ones behind them too.
   Signatures stay as they came, clear ones octet for octet and opaque ones in their CMS: clients can check
   both. STRIP_SIGNATURES=yes removes them too. What breaks a limit goes as it came. DELIVER_AS_IT_CAME: the
   same is found out, but the outermost entity goes out and nothing from inside is shown: the signature is
   judged by the From that stands outside. DELIVER_TO_LOOK_AT: as opened, but opaque signatures are gone (a
   scanner may not know their format), and clear ones stay; what has no original to be exchanged for is as it
   came. false: outcome filled in. */
bool deliver_judge(struct deliver *deliver, const struct message *message, const struct unwrap_strand *strand,
                   enum deliver_form form, struct outcome *outcome);
/* Writes the finished message. With DELIVER=reencrypt, one that was decrypted says so (REENCRYPT_FIELD).
   false: outcome filled in. */
bool deliver_write(struct deliver *deliver, const struct message *message, struct outcome *outcome);
/* Hands it off; returns how many recipients got it by this call. */
size_t deliver_run(const struct deliver *deliver, const struct message *message, struct journal *journal,
                   struct outcome *outcome);
/* Does it get a report part (REPORT)? One may stand beside anything but S/MIME and OpenPGP, which clients
   look for at the top, and what is no MIME entity. Never in what goes as it came. */
bool deliver_has_report(const struct deliver *deliver, const struct message *message);
const char *deliver_how(const struct deliver *deliver); /* for handoff.how */
/* One line in the log of what was found; and verify.log's lines, due once: after the hand-off. */
void deliver_log(const struct deliver *deliver);
void deliver_verified(const struct deliver *deliver, const struct message *message);
void deliver_free(struct deliver *deliver);

#endif
