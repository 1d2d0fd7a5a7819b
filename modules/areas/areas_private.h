/* Shared by the files of the areas library. */
#ifndef JULIA_AREAS_PRIVATE_H
#define JULIA_AREAS_PRIVATE_H

#include "modules/areas/areas.h"
#include "modules/areas/cache.h"
#include "modules/areas/file.h"
#include "modules/areas/index.h"

struct areas {
    char *directories[AREA_COUNT];
    char *index_file;
    int64_t rescan_ns;
    const char *(*pass_phrase)(void *context);
    void *context;
    struct index *index;
    struct cache cache;
    bool index_told;      /* the log knows that the index cannot be written */
    int64_t memory_since; /* areas_stamp_now() when it went into memory, or last tried to come back */
};

/* file.watch in the index */
enum { WATCH_RACY = 1, WATCH_FAULTS = 2, WATCH_PASS_PHRASE = 4, WATCH_UNSEEN = 8, WATCH_REFUSED = 16 };

struct record_row { /* what the index knows of a file */
    int64_t id;     /* 0: nothing */
    char stamp[AREAS_STAMP_MAX];
    unsigned int watch;
    char *faults;
};

/* Makes another try worthwhile after a failure of the index: empties a damaged one, goes on in memory when it
   cannot be written. False: error_r. */
bool areas_recover(struct areas *areas, char *error_r, size_t size);
struct file_reader areas_reader(const struct areas *areas, enum area area);

bool areas_record_find(struct index *index, enum area area, const char *name, struct record_row *row_r);
void areas_record_row_free(struct record_row *row);
/* Puts what was read from a file in the place of what the index had of it. Needs a transaction. 0 or the
 * file's id. */
int64_t areas_record_store(struct index *index, enum area area, const char *name,
                           const struct record_row *old, const struct file_content *content,
                           unsigned int watch);
bool areas_record_forget(struct index *index, int64_t id);

/* Brings everything up to date. False: error_r, or areas_index_damaged()/areas_index_unwritable(). */
bool areas_scan_refresh(struct areas *areas, char *error_r, size_t size);
/* Brings these files of one area up to date. */
bool areas_scan_files(struct areas *areas, enum area area, const struct strlist *names, char *error_r,
                      size_t size);
/* Every configured area of the mask has been read to its end at some time. */
bool areas_scan_complete(struct areas *areas, unsigned int areas_mask, bool *complete_r);

#endif
