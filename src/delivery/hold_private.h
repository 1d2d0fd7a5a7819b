/* Between the files of the hold store. */
#ifndef JULIA_HOLD_PRIVATE_H
#define JULIA_HOLD_PRIVATE_H

#include <sys/stat.h>

#include "delivery/hold.h"

#define HOLD_FILE_MODE 0600
#define HOLD_DIR_MODE  0700

#define HOLD_KEY          "key" /* of the store: ids are made with it */
#define HOLD_MESSAGE      "message"
#define HOLD_RECORD       "record"
#define HOLD_MARK_REFUSED "refused"
#define HOLD_MARK_EXPIRED "expired"
#define HOLD_MARK_WARNED  "warned"
/* Names of what is not finished; hold_age() removes what is left of them. */
#define HOLD_NEW "new-" /* an entry that is being made */
#define HOLD_OLD "old-" /* a tombstone that is being removed */
#define HOLD_TRY "try-" /* a file before it gets its name */

struct hold_store {
    const struct config *config;
    int dir;
    char *process; /* who we are, as claims say it: "NODE BOOT NAMESPACE PID START" */
};

struct hold {
    struct hold_store *store;
    int dir;
    struct hold_record record;
    long *claims; /* for each recipient the number of our claim, -1: not ours */
};

/* openat() for reading, of what is ours: of the right type, our own, and writable by nobody else; symbolic
   links are not followed. -1: errno (EPERM: it is not ours). */
int hold_open_dir(int dir, const char *name);
int hold_open_file(int dir, const char *name);
int hold_there(int dir, const char *name); /* 1, 0, or -1 with errno: it cannot be told */
/* A name that nobody else uses: `prefix` and 16 random digits. Newly allocated. */
char *hold_unique(const char *prefix);
/* Removes what is kept if nobody is left who could want it; hold_age() repeats it where that did not work. */
void hold_forget_message(const struct hold *hold);
/* copy-DIGEST; newly allocated. */
char *hold_copy_name(const unsigned char digest[SHA256_LEN]);
/* A new file with this content, not yet synced: its descriptor, or -1 with errno and nothing left behind. */
int hold_create(int dir, const char *name, const void *data, size_t len);
/* A new file with this content, on disk before it gets its name; the name stays with whoever was first. 0: it
   is there, by us or by others. -1: errno. The name itself is on disk after an fsync() of `dir`. */
int hold_write_once(int dir, const char *name, const void *data, size_t len);
/* Removes the directory `name` and the files in it. */
void hold_remove_dir(int dir, const char *name);

/* ---- hold_record.c ---- */
void hold_record_compose(const struct hold_record *record, struct buf *out);
/* false: it is no whole record. `record` is to be freed in either case. */
bool hold_record_parse(const char *text, struct hold_record *record);
void hold_record_free(struct hold_record *record);

/* ---- hold_claim.c ---- */

/* How this process is named in claims. Newly allocated. */
char *hold_process_name(const struct config *config);
/* A file HOLD_TRY... that names us. Its name, newly allocated, or NULL with errno. */
char *hold_claim_try(struct hold_store *store, int dir);
/* Is who made the claim `name` at work, for all that can be known? Dead processes of this node are known to
   be dead, those of others after DEADLINE and a minute, by the clock of the file server: that of the file
   `try`, which is new. 1: at work; 0: dead, or has given it back; 2: finished but for its name; -1:
   errno (ENOENT: not there any more). */
int hold_claim_alive(struct hold_store *store, int dir, const char *name, const char *try);
/* Claims `what`, once and for all: HOLD_CLAIMED: its number. */
enum hold_claim hold_claim_take(struct hold_store *store, int dir, const char *what, long *number_r);
void hold_claim_give_back(struct hold_store *store, int dir, const char *what, long number);
/* Turns the claim into done-WHAT. 0, or -1 with errno. */
int hold_claim_finish(struct hold_store *store, int dir, const char *what, long number, enum hold_how how);
/* Is it finished, and how and when (`how_r` and `when_r` may be NULL)? 1, 0, or -1 with errno. */
int hold_claim_finished(int dir, const char *what, enum hold_how *how_r, long long *when_r);

#endif
