/* Notices that the virus scanner did not take a copy of incoming mail (MODE=gateway): the bounce of the queue
   to the scanner, or what the scanner writes itself. They quote X-JULIA-Hold, which nothing else does. */
#ifndef JULIA_REFUSAL_H
#define JULIA_REFUSAL_H

#include "core/direction.h"
#include "delivery/journal.h"

struct refusal {
    char *hold;       /* the id quoted; NULL: "none", nothing is held */
    char *message_id; /* of the mail; NULL */
    struct strlist
        recipients; /* who did not get it, as far as the notice says so (RFC 3464); only internal ones */
    char *status;   /* "5.7.1"; NULL */
    char *words;    /* the scanner's (Diagnostic-Code), shortened; NULL */
    bool content;   /* it will not have the content; else it could not be asked, and a person may decide */
};

/* Is it one? Empty sender (from the scanner also any report), from the scanner or this host's MTA. Parts in
   base64 and quoted-printable are read too. Notices of success are none. true: free it. false also when it
   cannot be read: outcome is temporary then. */
bool refusal_read(struct refusal *refusal, const struct message *message,
                  const struct direction_client *client, struct outcome *outcome);
void refusal_free(struct refusal *refusal);

/* Tells ADMIN (and with SCANNER_NOTICE=recipient the recipients), once; nobody else, whomever the notice is
   for, and nothing of the mail. The hold is refused for good if it was the content. Whatever cannot be done
   is temporary. */
void refusal_run(const struct message *message, struct journal *journal, const struct refusal *refusal,
                 struct outcome *outcome);

#endif
