/* Who has got what of this message already (DESIGN section 12). One file per message under JOURNAL_DIR, named by the message's
   digest, locked (fcntl/flock) for each read-modify-write and for the run of one hand-off of one recipient set; one line per
   entry, appended and fsynced. Several julia processes may work on one message with different recipients at the same
   time (Postfix: 50 recipients a call): they see and keep each other's entries and do not block each other longer than an append
   takes; two that were given the SAME recipient exclude each other (the second gets JOURNAL_BUSY for it). */
#ifndef JULIA_JOURNAL_H
#define JULIA_JOURNAL_H

#include <stdbool.h>

#include "core/message.h"

struct journal;

/* NULL: outcome filled in (temporary). With JOURNAL=no a journal that knows and keeps nothing. */
struct journal *journal_open(const struct message *message, struct outcome *outcome);
void journal_close(struct journal *journal); /* releases the claims */

enum journal_claim { JOURNAL_CLAIMED, JOURNAL_DONE_BEFORE, JOURNAL_BUSY, JOURNAL_FAILED };
/* `what` is "deliver:ADDRESS", "report:KIND:ADDRESS", "notice:KIND": anything that must happen once. Claimed entries are ours until
   journal_close() or the death of this process. */
enum journal_claim journal_claim(struct journal *journal, const char *what);
/* Appends and fsyncs "done". 0, or -1 with errno: then the hand-off has happened but may happen again. */
int journal_done(struct journal *journal, const char *what, const char *how);
/* When the first run on this message began (seconds since 1970): EIP_PATIENCE and GIVE_UP count from it. */
long long journal_first_seen(const struct journal *journal);
/* Runs that began and never ended in order (killed, crashed); for GIVE_UP. */
unsigned int journal_broken_runs(const struct journal *journal);
/* Removes files older than `keep_seconds` below `dir`; for `julia -prune`, called by deliver-all. Returns how many. */
long journal_prune(const char *dir, uint64_t keep_seconds);

#endif
