/* Certificates for one message: every address that is needed is registered first, then looked up with one
   `find` per key module and judged with one `validate`, then chosen from (DESIGN section 4, outgoing 5). What
   was refused, and why, stays for -explain and reports. */
#ifndef JULIA_SELECT_H
#define JULIA_SELECT_H

#include "core/ask.h"
#include "core/message.h"

enum select_use {
    SELECT_SIGN,
    SELECT_ENCRYPT,
    SELECT_INSIDE /* encrypt to somebody inside: the certificates of own keys come first */
};

struct select_candidate {
    const struct ask_entry *entry;
    struct ask_verdict verdict; /* verdict.verdict NULL: could not be checked */
    unsigned int rank;          /* higher is better; 0: not usable */
};

struct select_choice {
    const char *address;                   /* that was asked for */
    const struct select_candidate *chosen; /* NULL: none usable */
    bool uncertain;                        /* none usable, but something could not be looked up or checked */
    bool status_unknown;                   /* ... only because a revocation status is unknown */
    bool wrong_key;                        /* none usable, but one would be if the profile were not strict */
    /* none usable: "no-certificate", "no-key", "wrong-key", or the nearest verdict; "temporary" */
    const char *reason;
    const char *detail; /* a date or text for the reason; NULL */
};

struct select;
struct select *select_new(void);
void select_free(struct select *select);
/* Registers; the same address and use give the same index again. */
size_t select_want(struct select *select, enum select_use use, const char *address);
/* Asks the modules. Never fails as a whole: see `uncertain`. */
void select_run(struct select *select, struct message *message);
/* What was chosen for this profile (NULL: any): a strict one takes RSA keys only. */
const struct select_choice *select_get(const struct select *select, size_t index,
                                       const struct config_profile *profile);
/* "# ..." lines: every certificate considered and why it is used or not. */
void select_explain(const struct select *select, size_t index, const struct config_profile *profile,
                    struct buf *out);
/* One line in verify.log for each certificate considered. */
void select_log(const struct select *select, const struct message *message);

/* How good a judged candidate is for its use; 0: not usable. Exposed for tests. */
unsigned int select_rank(enum select_use use, const struct ask_entry *entry,
                         const struct ask_verdict *verdict, const char *now);

#endif
