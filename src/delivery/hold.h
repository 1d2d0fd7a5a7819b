/* The hold store (DESIGN section 4, "back from the virus scanner"): originals of incoming mail whose plain
   copy is on its way through the virus scanner, and returned copies that wait for a person. Any number of
   processes on any number of nodes may share HOLD_DIR, on a network file system too: nothing is locked, and
   nothing that a dead process or a dead node leaves behind stops the others for longer than DEADLINE and a
   minute.

   One directory per entry, HOLD_DIR/ID, made under another name, written to disk, renamed: it is there whole
   or not at all. In it

       record          who, when, for whom; never changed (hold_record.c)
       message         what is kept; removed when nothing of it is wanted any more
       copy-DIGEST     empty; a copy with this digest was handed to the scanner
       claim-N.G       recipient N is being delivered (hold_claim.c)
       done-N          recipient N is finished; says how
       refused         the scanner will not have it; what it said
       expired         HOLD_KEEP has passed
       warned          ADMIN was told that the copy has not come back

   An entry all of whose recipients are finished is a tombstone: it is known, for JOURNAL_KEEP, that they are.
*/
#ifndef JULIA_HOLD_H
#define JULIA_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/message.h"

#define HOLD_ID_LEN 32 /* hexadecimal digits, lower case */

enum hold_kind {
    HOLD_ORIGINAL, /* its copy is at the scanner */
    HOLD_CHANGED,  /* a returned copy that is not the one that was sent (HOLD_CHANGED=keep) */
    HOLD_LOST      /* a returned copy without an original (HOLD_LOST=keep) */
};

enum hold_state {
    HOLD_HELD,
    HOLD_EXPIRED, /* HOLD_KEEP has passed, HOLD_LOST=keep */
    HOLD_REFUSED, /* infected: is never delivered in any form */
    HOLD_GONE,    /* tombstone: nothing is left to be done */
    HOLD_UNSURE   /* the file system does not say whether it was refused (errno): nothing may be done now */
};

/* How a recipient was finished. */
enum hold_how {
    HOLD_HOW_EXCHANGED, /* got the original */
    HOLD_HOW_CHANGED,   /* got the returned copy, or it was kept for ADMIN */
    HOLD_HOW_RELEASED,  /* a person released it */
    HOLD_HOW_DROPPED,   /* a person dropped it */
    HOLD_HOW_EXPIRED,   /* HOLD_KEEP has passed, and HOLD_LOST=plain or refused before */
    HOLD_HOW_UNKNOWN    /* finished, but what was written about it is lost */
};

struct hold_record {
    char id[HOLD_ID_LEN + 1];
    enum hold_kind kind;
    long long time;            /* seconds since 1970, by the clock of the node that kept it */
    char *node;                /* MYHOSTNAME there */
    char *sender;              /* "" null sender */
    struct strlist recipients; /* never empty */
    uint64_t size;             /* octets of what is kept */
    char *dsn_notify, *dsn_ret, *dsn_envid, *queue_id, *message_id; /* each NULL when there was none */
    char *of; /* returned copies: the id they came with, NULL if it was none at all */
};

/* ---- the store ---- */

struct hold_store;

/* Opens HOLD_DIR, making it (0700) if it is missing. It must belong to the user that this process runs as and
   be writable by nobody else. NULL: outcome is temporary and says why. `config` is borrowed. */
struct hold_store *hold_store_open(const struct config *config, struct outcome *outcome);
void hold_store_close(struct hold_store *store); /* accepts NULL */
const struct config *hold_store_config(const struct hold_store *store);

/* Is this what an id looks like? Anything else is HOLD_UNKNOWN without a look at the file system. */
bool hold_id_valid(const char *id);

/* ---- keeping ---- */

struct hold_new {
    enum hold_kind kind;
    const struct strlist *recipients; /* of this copy; their order does not matter for the id */
    int fd;                           /* what is kept: from `start` to its end; position untouched */
    uint64_t start;
    const unsigned char *digest; /* HOLD_ORIGINAL: copydigest() of the copy; NULL: no copy stands for it */
    const char *of; /* returned copies: the id they came with, or NULL; if that is refused, so is this */
};

/* The id that hold_keep() gives such an entry: unguessable, and the same whenever the MTA gives us this
   message for these recipients again. Makes the key in HOLD_DIR if it is missing. false: outcome is
   temporary. */
bool hold_id(struct hold_store *store, const struct message *message, enum hold_kind kind,
             const struct strlist *recipients, char id_r[HOLD_ID_LEN + 1], struct outcome *outcome);

/* Keeps it. true: on disk, whatever happens from now on; also when it was there before, in whatever state (a
   tombstone stays one); then only the digest is added to those it knows. false: outcome is temporary, and
   nothing is kept but perhaps a directory under another name that hold_age() removes. Sender, DSN parameters,
   queue id and Message-ID are the message's. */
bool hold_keep(struct hold_store *store, const struct message *message, const struct hold_new *entry,
               struct outcome *outcome);

/* ---- one entry ---- */

struct hold;

enum hold_found { HOLD_FOUND, HOLD_UNKNOWN, HOLD_FAILED };
/* HOLD_FOUND: *hold_r, for hold_close(). HOLD_UNKNOWN: there is none, or `id` is no id. HOLD_FAILED: it
   cannot be read, HOLD_DIR is empty (not mounted), or is not what this program makes (a symbolic link,
   another owner, others may write): outcome is temporary. */
enum hold_found hold_open(struct hold_store *store, const char *id, struct hold **hold_r,
                          struct outcome *outcome);
void hold_close(struct hold *hold); /* gives back claims that were not used; accepts NULL */

const struct hold_record *hold_record(const struct hold *hold);
enum hold_state hold_state(const struct hold *hold); /* as of now: looks each time */
/* Is recipient `number` finished, and how (`how_r` may be NULL)? What cannot be told counts as not. */
bool hold_finished(const struct hold *hold, size_t number, enum hold_how *how_r);
/* When it was finished, seconds since 1970 by the clock of the node that did it; 0: not, or not known. */
long long hold_finished_at(const struct hold *hold, size_t number);
/* Which recipient this is (compared like the journal's: address_equal()), or -1: the entry does not name it.
 */
long hold_recipient(const struct hold *hold, const char *address);
/* Was a copy with this digest handed to the scanner for this entry? 1, 0; -1 with errno: cannot be told now.
 */
int hold_is_copy(const struct hold *hold, const unsigned char digest[SHA256_LEN]);
/* What is kept, read only, the caller's. -1: errno (ENOENT: tombstone; EIO: it is not as long as it was). */
int hold_message(const struct hold *hold);
const char *hold_kind_name(enum hold_kind kind);
const char *hold_state_name(const struct hold *hold); /* held, expired, refused, changed, lost, gone */
const char *hold_how_name(enum hold_how how);
/* Seconds since it was kept, by the file server's clock as far as this host knows it. */
long long hold_age_of(const struct hold *hold);
/* What the scanner said when it refused; NULL if it did not. Newly allocated. */
char *hold_refusal(const struct hold *hold);

/* ---- delivering what is kept ---- */

enum hold_claim {
    HOLD_CLAIMED,      /* ours until hold_done(), hold_unclaim() or the death of this process */
    HOLD_DONE_BEFORE,  /* finished already */
    HOLD_BUSY,         /* another process is at it: try again later */
    HOLD_CLAIM_FAILED, /* errno */
    HOLD_CLAIM_REFUSED /* the scanner refused the content: nobody gets it */
};
enum hold_claim hold_claim(struct hold *hold, size_t number);
/* Why a recipient is not ours, into `outcome`, which stays for HOLD_CLAIMED and HOLD_DONE_BEFORE: temporary,
   or permanent for HOLD_CLAIM_REFUSED. Right behind the claim, for it reads errno. */
void hold_claim_explain(enum hold_claim claim, struct outcome *outcome);
/* To drop a refused entry: as hold_claim(), but never HOLD_CLAIM_REFUSED. */
enum hold_claim hold_claim_any(struct hold *hold, size_t number);
/* All that is claimed by us is finished: for after the hand-off. If nobody is left, the kept message is
   removed. -1 with errno: the hand-off has happened but may happen again. */
int hold_done(struct hold *hold, enum hold_how how);
void hold_unclaim(struct hold *hold); /* all that is claimed by us: others may try */

/* Claims those of `recipients` (NULL: all) that are not finished, hands what is kept to the internal relay,
   and finishes them: one hand-off, one log line for it. Returns how many recipients got it by this call.
   Outcome stays as it is if all of them are finished (before or now); it is temporary if one is busy or the
   relay did not take it, and permanent if the entry is refused. Recipients that the entry does not name are
   passed over.
 */
size_t hold_deliver(struct hold *hold, const struct strlist *recipients, enum hold_how how, deadline until,
                    struct outcome *outcome);
/* Finishes everything without delivering it. false: outcome is temporary (a recipient is busy, errno), some
   may be finished. */
bool hold_drop(struct hold *hold, enum hold_how how, struct outcome *outcome);

/* The scanner refused the content for good: from now on it can only be dropped. `words` are the scanner's,
   for the administrator; control characters are replaced. Repeating is success. 0, or -1 with errno. */
int hold_refuse(struct hold *hold, const char *words);

/* ---- all of them ---- */

/* The ids of all entries, sorted. What else lies in HOLD_DIR is passed over. -1: errno. */
int hold_list(struct hold_store *store, struct strlist *ids);

struct hold_aged {
    unsigned long overdue, expired, removed; /* reported to ADMIN; expired; tombstones removed */
    bool busy;                               /* another node is at it */
};
/* For `julia -prune`: reports to ADMIN, once, what waits for longer than HOLD_WARN; does what HOLD_LOST says
   with what waits for longer than HOLD_KEEP, and tells ADMIN; removes tombstones after JOURNAL_KEEP and what
   killed processes left. Only one process at a time. */
void hold_age(struct hold_store *store, deadline until, struct hold_aged *aged_r, struct outcome *outcome);

#endif
