/* DELIVER=reencrypt (DESIGN section 4, incoming 5): what came encrypted is encrypted anew for the way inside
   and for the recipient's mailbox. The same for what was decrypted just now (MODE=mailoffice) and for what
   returns from the virus scanner (MODE=gateway): a finished message, as DELIVER=plain would deliver it. */
#ifndef JULIA_REENCRYPT_H
#define JULIA_REENCRYPT_H

#include "core/message.h"
#include "delivery/journal.h"

/* A field of a finished message whose body was decrypted, with DELIVER=reencrypt only: "yes", or
   "yes; subject=hidden" when what stands in Subject now stood inside only, "yes; subject=hidden;
   names=hidden" when names of people or the sender's time zone did, too. It travels to the scanner and back
   and ends here. */
#define REENCRYPT_FIELD        "X-JULIA-Reencrypt"
#define REENCRYPT_MARK         "yes"
#define REENCRYPT_HIDDEN       "yes; subject=hidden"
#define REENCRYPT_HIDDEN_NAMES "yes; subject=hidden; names=hidden"

enum reencrypt_need {
    REENCRYPT_NO,     /* it did not come encrypted, or nobody could decrypt it: passes as it is */
    REENCRYPT_YES,    /* must not reach anybody in clear */
    REENCRYPT_UNCLEAR /* X-JULIA-Encryption is missing, stands there twice or says something else: no guess */
};
/* By the fields of the finished message. Only for messages whose fields julia has written itself. */
enum reencrypt_need reencrypt_need(const struct header *header);

struct reencrypt_left { /* for whom no encrypted message can be made, however often it is tried */
    struct strlist recipients;
    struct outcome outcome; /* why; temporary if there are any */
};
void reencrypt_left_free(struct reencrypt_left *left);

/* Encrypts `finished` for each of these recipients (all internal) and hands it to the internal relay: to the
   certificate of the own key of his address (else another usable certificate for it), or else to
   GATEWAY_KEY's. Recipients named in To or Cc share a message, other ones are alone; those with GATEWAY_KEY
   only share one. Header fields stay outside, but X-JULIA-Reencrypt and X-JULIA-Hold end here, and what
   came hidden (Subject, names) is hidden again, whatever HEADER_PROTECTION says. Profile "default";
   ENCRYPT_ALSO_TO as for outgoing mail; every output passes the last check; journalled as any hand-off. A
   recipient without a usable certificate gets nothing: ADMIN is told once a message, and he stands in left_r;
   with left_r NULL his outcome goes into `outcome` (temporary). That of modules that cannot answer always
   does; when a certificate cannot be judged for longer than GIVE_UP, that of GATEWAY_KEY is taken. `explain`
   not NULL: writes the lines of -explain, sends nothing; journal is NULL then. Returns how many recipients
   got it by this call. */
size_t reencrypt_run(struct message *finished, struct journal *journal, const struct strlist *recipients,
                     struct buf *explain, struct reencrypt_left *left_r, struct outcome *outcome);

#endif
