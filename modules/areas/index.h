/* The derived index: one SQLite file. Rollback journal, not WAL: readers that may not write the file (another
   user's processes) need nothing but read permission, and no companion files. A file that is not ours, of
   another version or damaged is emptied and filled anew. */
#ifndef JULIA_AREAS_INDEX_H
#define JULIA_AREAS_INDEX_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bump when tables change their shape or meaning: old files are then made anew. */
#define INDEX_VERSION        1
#define INDEX_APPLICATION_ID 0x6a6c6961 /* "jlia" */
/* How long one process waits for another's write transaction; those are kept to BATCH_FILES files
 * (scan_visit.c). */
#define INDEX_BUSY_MS 15000

enum areas_index_statement {
    INDEX_DIRECTORIES,
    INDEX_SET_DIRECTORY,
    INDEX_FORGET_DIRECTORY,
    INDEX_FORGET_FILES,
    INDEX_FILE,
    INDEX_ADD_FILE,
    INDEX_SET_FILE,
    INDEX_FORGET_FILE,
    INDEX_FORGET_CERTIFICATES,
    INDEX_FORGET_CRLS,
    INDEX_FORGET_KEYS,
    INDEX_WATCHED,
    INDEX_UNSEEN,
    INDEX_FILES_OF_AREA,
    INDEX_COUNT_FILES,
    INDEX_ADD_CERTIFICATE,
    INDEX_ADD_ADDRESS,
    INDEX_ADD_CRL,
    INDEX_ADD_KEY,
    INDEX_BY_ADDRESS,
    INDEX_BY_SERIAL,
    INDEX_BY_SKI,
    INDEX_BY_FINGERPRINT,
    INDEX_BY_SUBJECT,
    INDEX_BY_AREA,
    INDEX_KEY_FILE,
    INDEX_CRL_FILES,
    INDEX_STATEMENT_COUNT
};

struct index;

/* Opens or makes the file. NULL: error_r. */
struct index *areas_index_open(const char *path, char *error_r, size_t size);
void areas_index_close(struct index *index);

/* Nothing can be written to it (permissions, full disk seen at a write). */
bool areas_index_read_only(const struct index *index);
/* The file at the path is no longer the one that is open (deleted or replaced). */
bool areas_index_moved(const struct index *index);
/* Goes on in memory: a copy of what the file has, which is never written back. */
bool areas_index_to_memory(struct index *index, char *error_r, size_t size);
bool areas_index_in_memory(const struct index *index);
/* The last failure means that the file is damaged or of another shape; areas_index_reset() may help. */
bool areas_index_damaged(const struct index *index);
/* The last failure means that the file cannot be written here; areas_index_to_memory() may help. */
bool areas_index_unwritable(const struct index *index);
/* Marks as damaged what SQLite did not notice (contents that contradict themselves). */
void areas_index_set_damaged(struct index *index);
/* Empties the index. */
bool areas_index_reset(struct index *index, char *error_r, size_t size);
const char *areas_index_error(const struct index *index);

/* A prepared statement, reset and without bindings; NULL on failure. Valid until the next call for the same
 * one. */
sqlite3_stmt *areas_index_statement(struct index *index, enum areas_index_statement which);
/* SQLITE_ROW or SQLITE_DONE; anything else is a failure that areas_index_damaged() and areas_index_error()
 * know. */
int areas_index_step(struct index *index, sqlite3_stmt *statement);
/* Steps a statement that returns no rows, and resets it. */
bool areas_index_run(struct index *index, sqlite3_stmt *statement);
/* Gives back the memory that only makes the next look-up faster. */
void areas_index_shrink(struct index *index);
int64_t areas_index_last_id(const struct index *index);

bool areas_index_begin(struct index *index); /* BEGIN IMMEDIATE, waiting at most INDEX_BUSY_MS */
bool areas_index_commit(struct index *index);
/* Many look-ups in a row on one state, with one lock instead of one each; nothing new in a transaction that
   is open already. Ended by areas_index_rollback(). */
bool areas_index_begin_reading(struct index *index);
void areas_index_rollback(struct index *index); /* harmless without a transaction */

#endif
