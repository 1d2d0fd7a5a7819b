/* The file of one message's journal: records, locks, removal. Used by journal.c only.

   A record is a line of fields separated by blanks, the first a word, the last a full stop, with an empty
   line in front: a record that was cut off by a full disk or a crash neither counts nor spoils the next one.
   Locks are byte ranges far behind the records (POSIX, so they die with the process and pass to no child):
   one octet for each claim and each run, and the first one, shared by everybody who uses the file, exclusive
   for its removal. */
#ifndef JULIA_JOURNAL_FILE_H
#define JULIA_JOURNAL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/strlist.h"

struct journal_file {
    int fd;
    uint64_t seen; /* octets that were read as records */
};

/* Opens DIR/KEY, making what is missing, and marks it as in use. 0, or -1 with errno. */
int journal_file_open(struct journal_file *file, const char *dir, const char *key);
void journal_file_close(struct journal_file *file); /* gives up all locks */

/* Puts a record of these fields behind what is in `records`. */
void journal_file_compose(struct buf *records, const char *const *fields, size_t count);
/* Appends `records`, and waits until they are on disk if `synced`. 0, or -1 with errno: they may or may not
 * be there. */
int journal_file_append(struct journal_file *file, const struct buf *records, bool synced);
/* Disk space for `octets` more, where the system can reserve it. 0, or -1 with errno (no space). */
int journal_file_reserve(struct journal_file *file, uint64_t octets);
/* Reads the records that came since the last call; `each` gets the fields without the full stop. 0, or -1
 * with errno. */
int journal_file_read(struct journal_file *file, void (*each)(void *context, const struct strlist *fields),
                      void *context);

/* 1: the lock is ours now; 0: another process has it; -1: errno. */
int journal_file_lock(struct journal_file *file, uint64_t number);
void journal_file_unlock(struct journal_file *file, uint64_t number);
bool journal_file_is_locked(const struct journal_file *file, uint64_t number); /* by another process */

/* Removes the file when nobody uses it and it was not written to after `before` (seconds since 1970). 1:
 * removed. */
int journal_file_remove(int dir_fd, const char *name, int64_t before);

#endif
