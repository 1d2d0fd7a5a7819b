/* Who has got what of this message already (DESIGN section 12). One file per message under JOURNAL_DIR, named
   by the message's digest; one record per entry, appended, with JOURNAL=always on disk before anything goes
   on, with JOURNAL=faults written but not waited for: that survives the death of julia, not that of the
   machine. Several julia processes may work on one message at the same time (Postfix: 50 recipients a call):
   they see and keep each other's entries and never wait for each other; two that were given the SAME
   recipient exclude each other (the second gets JOURNAL_BUSY for it). Locks end with the process, however it
   ends. */
#ifndef JULIA_JOURNAL_H
#define JULIA_JOURNAL_H

#include <stdbool.h>

#include "core/message.h"

struct journal;

/* NULL: outcome filled in (temporary). With JOURNAL=no a journal that knows and keeps nothing. */
struct journal *journal_open(const struct message *message, struct outcome *outcome);
void journal_close(struct journal *journal); /* releases the claims */

enum journal_claim { JOURNAL_CLAIMED, JOURNAL_DONE_BEFORE, JOURNAL_BUSY, JOURNAL_FAILED };
/* `what` is "deliver:ADDRESS", "report:KIND:ADDRESS", "notice:KIND": anything that must happen once. Claimed
   entries are ours until journal_close() or the death of this process. */
enum journal_claim journal_claim(struct journal *journal, const char *what);
/* Appends "done" for one, or for all of a list at once. 0, or -1 with errno: then the hand-off has happened
   but may happen again. */
int journal_done(struct journal *journal, const char *what, const char *how);
int journal_done_all(struct journal *journal, const struct strlist *whats, const char *how);
/* When the first run on this message began (seconds since 1970): EIP_PATIENCE and GIVE_UP count from it. Now,
   if there is no journal (NULL, JOURNAL=no). */
long long journal_first_seen(const struct journal *journal);
/* Runs that began and never ended in order (killed, crashed); for GIVE_UP. */
unsigned int journal_broken_runs(const struct journal *journal);
/* Removes files older than `keep_seconds` below `dir`; for `julia -prune`, called by deliver-all. Returns how
 * many. */
long journal_prune(const char *dir, uint64_t keep_seconds);

#endif
