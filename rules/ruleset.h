/* The rule language (julia.rules(5), DESIGN section 8): parser and matcher. All matching lines count, the
   strongest wins per property. */
#ifndef JULIA_RULESET_H
#define JULIA_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/header.h"
#include "util/strlist.h"

enum ruleset_wish { RULESET_NO, RULESET_POSSIBLE, RULESET_FORCE };

struct ruleset;

/* A fault or a lint finding: "FILE:LINE:COLUMN: error: text" (or "warning: text"), then the line itself and a
   caret below the column. LINE 0 and one line only when the file as a whole is meant. */
struct ruleset_faults {
    struct strlist items; /* each a complete text of one or three lines */
};
void ruleset_faults_free(struct ruleset_faults *faults);

/* Reads a whole rule file. NULL when it cannot be read or has any error (all of them are in `faults`; a bad
   file loads nothing). `profile_known` (may be NULL: all are) tells whether a profile name exists. */
struct ruleset *ruleset_load(const char *path, bool (*profile_known)(const char *name, void *context),
                             void *context, struct ruleset_faults *faults);
void ruleset_free(struct ruleset *ruleset);
/* Unreachable and contradictory lines, patterns that look like regular expressions, ... Returns the number of
 * findings. */
size_t ruleset_lint(const struct ruleset *ruleset, struct ruleset_faults *findings);

struct ruleset_facts {
    const char *sender;      /* envelope sender; "" is the null sender */
    const char *header_from; /* the one address of header From; NULL if there is none or several */
    const struct strlist
        *authors;                /* all addresses of header From; patterns match on any. NULL: header_from */
    uint64_t size;               /* of the message, octets, for (if) size */
    const struct header *header; /* for (if) header; NULL: such conditions do not hold */
    bool calendar;               /* a text/calendar part exists, for (if) calendar */
};

struct ruleset_treatment {
    enum ruleset_wish sign, encrypt;
    bool no_sign, no_encrypt; /* an NS / NE matched (already applied to `sign` and `encrypt`) */
    char *sign_own; /* whose key "the sender's own" is: header From, else envelope sender; NULL: neither */
    char *sign_as;  /* "=addr" of the deciding FS/SIP; NULL: the sender's own key */
    char *sign_fallback; /* bare FS/SIP: address of the nearest earlier FS=addr (SIP=addr), used if the sender
                            has no key; else NULL */
    char *
        encrypt_to; /* last FE=addr (EIP=addr where no FE matches): that certificate; NULL: the recipient's */
    char *profile;  /* NULL: "default". Of the last FE/EIP that counts and names one, else FS/SIP */
    char *reject;   /* text of a REJECT; NULL: none. Beats everything else. */
    unsigned int *lines; /* line numbers that matched, ascending */
    size_t line_count;
};
/* What the rules say for one recipient. A pattern matches on the header From or the envelope sender. For the
   null sender FS counts as SIP. Lines that cannot count (EIP under FE or NE, SIP under NS) name nothing
   either. Never fails. */
void ruleset_match(const struct ruleset *ruleset, const struct ruleset_facts *facts, const char *recipient,
                   struct ruleset_treatment *treatment_r);
/* The same for many recipients of one message: what does not depend on them (thousands of authors, decoded
   header fields) is found out once for each line. Both are borrowed. */
struct ruleset_message;
struct ruleset_message *ruleset_message_new(const struct ruleset *ruleset, const struct ruleset_facts *facts);
void ruleset_message_match(struct ruleset_message *message, const char *recipient,
                           struct ruleset_treatment *treatment_r);
void ruleset_message_free(struct ruleset_message *message);
void ruleset_treatment_free(struct ruleset_treatment *treatment);

/* The part of a `julia-rules test` line behind the recipient: "sign=...\tencrypt=...\tprofile=...\tlines=..."
   or "reject=TEXT\tlines=...". A bare FS/SIP prints sign_own as its ADDRESS. */
struct buf;
void ruleset_treatment_print(const struct ruleset_treatment *treatment, struct buf *out);

#endif
