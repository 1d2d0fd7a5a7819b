/* Keeps the index in step with the directories. A look without any lock comes first; only what differs is
   read again, in short write transactions, so that many processes can do this at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/areas/scan_private.h"
#include "util/fdio.h"

static bool set_directory(struct scan *scan, const struct areas_stamp *stamp)
{
    sqlite3_stmt *s = areas_index_statement(scan->areas->index, INDEX_SET_DIRECTORY);

    if (s == NULL)
        return false;
    sqlite3_bind_int(s, 1, (int)scan->area);
    sqlite3_bind_text(s, 2, scan->areas->directories[scan->area], -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, stamp->text, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(s, 4, !areas_stamp_racy(stamp, scan->now_ns));
    sqlite3_bind_int64(s, 5, scan->now_ns);
    return areas_index_run(scan->areas->index, s);
}

/* The index knows another directory for this area: nothing of it counts any more. */
static bool forget_area(struct scan *scan)
{
    const enum areas_index_statement all[] = {INDEX_FORGET_DIRECTORY, INDEX_FORGET_FILES};
    bool ok = true;

    for (size_t i = 0; ok && i < 2; i++) {
        sqlite3_stmt *s = areas_index_statement(scan->areas->index, all[i]);

        ok = s != NULL && sqlite3_bind_int(s, 1, (int)scan->area) == SQLITE_OK &&
             areas_index_run(scan->areas->index, s);
    }
    return ok;
}

static bool write_begin(struct areas *areas, char *error_r, size_t size)
{
    areas_index_rollback(areas->index); /* what was read may be old */
    if (areas_index_read_only(areas->index) && !areas_recover(areas, error_r, size))
        return false;
    return areas_index_begin(areas->index);
}

static bool same_place(const struct scan *scan, const struct state *state)
{
    return state->known && areas_scan_same_place(state->path, scan->areas->directories[scan->area]);
}

/* Under the lock: another process may have put this area in order since the states were loaded. */
static bool forget_other_place(struct scan *scan)
{
    struct state states[AREA_COUNT];
    bool ok = areas_scan_load_states(scan->areas, states);

    if (ok && states[scan->area].known && !same_place(scan, &states[scan->area]))
        ok = forget_area(scan);
    areas_scan_free_states(states);
    return ok;
}

static bool rewrite(struct scan *scan, const struct areas_stamp *stamp, char *error_r, size_t size)
{
    bool ok;

    if (!write_begin(scan->areas, error_r, size))
        return false;
    scan->writing = true;
    ok = forget_other_place(scan) && areas_scan_walk(scan) && !areas_scan_rows_lost(scan) &&
         set_directory(scan, stamp) && areas_index_commit(scan->areas->index);
    if (!ok)
        areas_index_rollback(scan->areas->index);
    return ok;
}

static bool rescan_due(const struct scan *scan, const struct state *state)
{
    return state->scanned_ns > scan->now_ns || scan->now_ns - state->scanned_ns >= scan->areas->rescan_ns;
}

/* Looks without disturbing anybody. */
static bool look(struct scan *scan)
{
    bool ok = areas_index_begin_reading(scan->areas->index) && areas_scan_walk(scan);

    areas_index_rollback(scan->areas->index);
    return ok;
}

/* Nothing changed but the time of the last look. */
static bool note_scan(struct scan *scan, const struct areas_stamp *stamp)
{
    bool ok = areas_index_begin(scan->areas->index) && set_directory(scan, stamp) &&
              areas_index_commit(scan->areas->index);

    if (!ok)
        areas_index_rollback(scan->areas->index);
    return ok;
}

static bool scan_directory(struct scan *scan, const struct state *state, const struct areas_stamp *stamp,
                           char *error_r, size_t size)
{
    bool new_stamp =
        !areas_stamp_equal(stamp, state->stamp) || state->settled == areas_stamp_racy(stamp, scan->now_ns);

    if (!same_place(scan, state))
        return rewrite(scan, stamp, error_r, size);
    scan->full = rescan_due(scan, state);
    if (!look(scan))
        return false;
    if (scan->differs)
        return rewrite(scan, stamp, error_r, size);
    /* A reader that cannot write keeps looking each time until somebody can. */
    if ((!new_stamp && !scan->full) || areas_index_read_only(scan->areas->index))
        return true;
    return note_scan(scan, stamp);
}

static bool watched_names(struct scan *scan, struct strlist *names)
{
    sqlite3_stmt *s = areas_index_statement(scan->areas->index, INDEX_WATCHED);
    int code;

    if (s == NULL)
        return false;
    sqlite3_bind_int(s, 1, (int)scan->area);
    while ((code = areas_index_step(scan->areas->index, s)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 0);
        struct record_row row = {.id = 1, .watch = (unsigned int)sqlite3_column_int(s, 2)};
        struct areas_stamp stamp;

        strncpy(row.stamp, (const char *)sqlite3_column_text(s, 1), AREAS_STAMP_MAX - 1);
        if (!areas_scan_stat(scan->dirfd, name, &stamp) || !areas_scan_up_to_date(scan, &row, &stamp))
            strlist_add(names, name);
    }
    return code == SQLITE_DONE;
}

static bool update_names(struct scan *scan, const struct strlist *names, char *error_r, size_t size)
{
    bool ok = write_begin(scan->areas, error_r, size);

    scan->writing = true;
    for (size_t i = 0; ok && i < names->count; i++) {
        struct record_row row;
        struct areas_stamp stamp;

        if (areas_scan_stat(scan->dirfd, names->items[i], &stamp)) {
            ok = areas_scan_visit(scan, names->items[i]);
        } else if ((ok = areas_record_find(scan->areas->index, scan->area, names->items[i], &row))) {
            ok = row.id == 0 || areas_record_forget(scan->areas->index, row.id);
            areas_record_row_free(&row);
        }
    }
    ok = ok && areas_index_commit(scan->areas->index);
    if (!ok)
        areas_index_rollback(scan->areas->index);
    return ok;
}

static bool scan_watched(struct scan *scan, char *error_r, size_t size)
{
    struct strlist names = {0};
    bool ok = watched_names(scan, &names) && (names.count == 0 || update_names(scan, &names, error_r, size));

    strlist_free(&names);
    return ok;
}

static bool scan_open(struct scan *scan, struct areas *areas, enum area area, struct areas_stamp *stamp,
                      char *error_r, size_t size)
{
    struct stat st;

    memset(scan, 0, sizeof(*scan));
    scan->areas = areas;
    scan->area = area;
    scan->now_ns = areas_stamp_now();
    scan->reader = areas_reader(areas, area);
    scan->dirfd = open(areas->directories[area], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (scan->dirfd < 0 || fstat(scan->dirfd, &st) != 0) {
        snprintf(error_r, size, "%s area: %s: %s", area_name(area), areas->directories[area],
                 strerror(errno));
        fdio_close(&scan->dirfd);
        return false;
    }
    areas_stamp_from_stat(stamp, &st);
    return true;
}

static void scan_close(struct scan *scan)
{
    free(scan->seen);
    fdio_close(&scan->dirfd);
}

static bool refresh_area(struct areas *areas, enum area area, const struct state *state, char *error_r,
                         size_t size)
{
    struct scan scan;
    struct areas_stamp stamp;
    bool ok;

    if (!scan_open(&scan, areas, area, &stamp, error_r, size))
        return false;
    if (same_place(&scan, state) && areas_stamp_equal(&stamp, state->stamp) && state->settled &&
        !rescan_due(&scan, state))
        ok = scan_watched(&scan, error_r, size);
    else
        ok = scan_directory(&scan, state, &stamp, error_r, size);
    scan_close(&scan);
    return ok;
}

bool areas_scan_refresh(struct areas *areas, char *error_r, size_t size)
{
    struct state states[AREA_COUNT] = {0};
    bool ok = areas_index_begin_reading(areas->index) && areas_scan_load_states(areas, states);

    for (size_t i = 0; ok && i < AREA_COUNT; i++)
        if (areas->directories[i] != NULL)
            ok = refresh_area(areas, (enum area)i, &states[i], error_r, size);
    areas_index_rollback(areas->index);
    areas_scan_free_states(states);
    return ok;
}

bool areas_scan_files(struct areas *areas, enum area area, const struct strlist *names, char *error_r,
                      size_t size)
{
    struct scan scan;
    struct areas_stamp stamp;
    bool ok =
        scan_open(&scan, areas, area, &stamp, error_r, size) && update_names(&scan, names, error_r, size);

    if (scan.areas != NULL)
        scan_close(&scan);
    return ok;
}
