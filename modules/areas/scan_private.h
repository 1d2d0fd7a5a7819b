/* Shared by the files that scan directories. */
#ifndef JULIA_AREAS_SCAN_PRIVATE_H
#define JULIA_AREAS_SCAN_PRIVATE_H

#include "modules/areas/areas_private.h"

struct state { /* of one directory, as the index knows it */
    bool known;
    char *path;
    char stamp[AREAS_STAMP_MAX];
    bool settled; /* the stamp was old enough to be trusted */
    int64_t scanned_ns;
};

struct scan {
    struct areas *areas;
    enum area area;
    int dirfd;
    int64_t now_ns;
    struct file_reader reader;
    bool writing;  /* else: only look */
    bool differs;  /* what looking found */
    bool full;     /* the whole directory: also try again what a pass phrase or a right may heal */
    int64_t *seen; /* ids of the files that exist */
    size_t seen_count;
    unsigned int batch; /* files read in this transaction */
};

/* A file, or a link to nothing (stamp ""). False: nothing there, or something else than a file. */
bool areas_scan_stat(int dirfd, const char *name, struct areas_stamp *stamp);
/* Backups and leftovers of editors and copying programs; documented in keys-file.conf(5). */
bool areas_scan_ignored(const char *name);
/* What the index knows of a file still holds. */
bool areas_scan_up_to_date(const struct scan *scan, const struct record_row *row,
                           const struct areas_stamp *stamp);
/* Looks at one name of the directory, and reads the file if it differs and scan->writing. */
bool areas_scan_visit(struct scan *scan, const char *name);

/* The whole directory: looks (until something differs) or writes; what is gone is forgotten. */
bool areas_scan_walk(struct scan *scan);
/* Rows that were there and are not any more: another process emptied the index meanwhile. */
bool areas_scan_rows_lost(struct scan *scan);

/* Both paths lead to the same directory (BASE may be reached through a link). */
bool areas_scan_same_place(const char *a, const char *b);
bool areas_scan_load_states(struct areas *areas, struct state states[AREA_COUNT]);
void areas_scan_free_states(struct state states[AREA_COUNT]);

#endif
