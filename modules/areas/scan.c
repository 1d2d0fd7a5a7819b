/* Keeps the index in step with the directories. A look without any lock comes first; only what differs is
   read again, in short write transactions, so that many processes can do this at once. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/areas/areas_private.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

/* Files read per write transaction: others wait no longer than this takes. */
#define BATCH_FILES 500u

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
    bool full;     /* the whole directory: also try other pass phrases again */
    int64_t *seen; /* ids of the files that exist */
    size_t seen_count;
    unsigned int batch; /* files read in this transaction */
};

static void log_faults(const struct scan *scan, const char *name, const char *faults)
{
    char *path = mem_printf("%s/%s", scan->areas->directories[scan->area], name);

    log_event(LOG_LEVEL_WARNING, "certificate-file", "file", path, "area", area_name(scan->area), "text",
              faults, (char *)NULL);
    free(path);
}

/* Backups and leftovers of editors and copying programs; documented in keys-file.conf(5). */
static bool ignored(const char *name)
{
    static const char *const suffixes[] = {"~", ".bak", ".old", ".orig", ".tmp", ".part", ".swp"};
    size_t len = strlen(name);

    if (name[0] == '.' || name[0] == '#')
        return true;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t n = strlen(suffixes[i]);

        if (len > n && strcmp(name + len - n, suffixes[i]) == 0)
            return true;
    }
    return false;
}

/* 1 a file (or a link to nothing, stamp ""), 0 nothing that counts. */
static bool stat_entry(int dirfd, const char *name, struct areas_stamp *stamp)
{
    struct stat st;

    memset(stamp, 0, sizeof(*stamp));
    if (fstatat(dirfd, name, &st, 0) == 0) {
        areas_stamp_from_stat(stamp, &st);
        return S_ISREG(st.st_mode);
    }
    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool up_to_date(const struct scan *scan, const struct record_row *row, const struct areas_stamp *stamp)
{
    if (row->id == 0 || !areas_stamp_equal(stamp, row->stamp))
        return false;
    if ((row->watch & WATCH_RACY) != 0 && !areas_stamp_racy(stamp, scan->now_ns))
        return false; /* old enough by now: one last reading */
    return (row->watch & WATCH_PASS_PHRASE) == 0 || !scan->full;
}

static void remember(struct scan *scan, int64_t id)
{
    int64_t *slot = mem_push(&scan->seen, &scan->seen_count, sizeof(int64_t));

    *slot = id;
}

static bool next_batch(struct scan *scan)
{
    if (++scan->batch < BATCH_FILES)
        return true;
    scan->batch = 0;
    return areas_index_commit(scan->areas->index) && areas_index_begin(scan->areas->index);
}

static bool read_again(struct scan *scan, const char *name, const struct record_row *row)
{
    struct file_content content;
    unsigned int watch = 0;
    int64_t id;

    areas_file_read(&scan->reader, scan->dirfd, name, &content);
    if (areas_stamp_racy(&content.stamp, areas_stamp_now()))
        watch |= WATCH_RACY;
    if (content.faults.len > 0)
        watch |= WATCH_FAULTS | (content.pass_phrase ? WATCH_PASS_PHRASE : 0u);
    /* While a file is young it may still be growing: its faults are told once it has settled. */
    if (content.faults.len > 0 && (watch & WATCH_RACY) == 0 &&
        (row->id == 0 || (row->watch & WATCH_RACY) != 0 || !areas_stamp_equal(&content.stamp, row->stamp) ||
         strcmp(row->faults, content.faults.data) != 0))
        log_faults(scan, name, content.faults.data);
    id = areas_record_store(scan->areas->index, scan->area, name, row, &content, watch);
    if (id != 0 && row->id == 0)
        remember(scan, id);
    areas_file_content_free(&content);
    return id != 0 && next_batch(scan);
}

static bool visit(struct scan *scan, const char *name)
{
    struct record_row row;
    struct areas_stamp stamp;
    bool ok;

    if (ignored(name) || !stat_entry(scan->dirfd, name, &stamp))
        return true;
    if (!areas_record_find(scan->areas->index, scan->area, name, &row))
        return false;
    if (row.id != 0)
        remember(scan, row.id);
    ok = true;
    if (!up_to_date(scan, &row, &stamp)) {
        scan->differs = true;
        ok = !scan->writing || read_again(scan, name, &row);
    }
    areas_record_row_free(&row);
    return ok;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static bool count_files(struct scan *scan, size_t *count_r)
{
    sqlite3_stmt *s = areas_index_statement(scan->areas->index, INDEX_COUNT_FILES);

    if (s == NULL)
        return false;
    sqlite3_bind_int(s, 1, (int)scan->area);
    if (areas_index_step(scan->areas->index, s) != SQLITE_ROW)
        return false;
    *count_r = (size_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return true;
}

/* Another process may have added a file since this one read the directory: only what is really gone goes. */
static bool forget_if_gone(struct scan *scan, int64_t id, const char *name)
{
    struct areas_stamp stamp;

    if (!ignored(name) && stat_entry(scan->dirfd, name, &stamp))
        return true;
    return areas_record_forget(scan->areas->index, id);
}

struct page {
    int64_t ids[1000];
    struct strlist names;
};

static bool load_page(struct scan *scan, int64_t after, struct page *page)
{
    sqlite3_stmt *s = areas_index_statement(scan->areas->index, INDEX_FILES_OF_AREA);
    int code;

    if (s == NULL)
        return false;
    sqlite3_bind_int(s, 1, (int)scan->area);
    sqlite3_bind_int64(s, 2, after);
    while ((code = areas_index_step(scan->areas->index, s)) == SQLITE_ROW && page->names.count < 1000) {
        page->ids[page->names.count] = sqlite3_column_int64(s, 0);
        strlist_add(&page->names, (const char *)sqlite3_column_text(s, 1));
    }
    return code == SQLITE_DONE;
}

static bool forget_gone(struct scan *scan)
{
    struct page *page = mem_alloc(sizeof(*page));
    int64_t after = 0;
    bool ok, more;

    if (scan->seen_count > 0)
        qsort(scan->seen, scan->seen_count, sizeof(int64_t), compare_ids);
    do {
        ok = load_page(scan, after, page);
        for (size_t i = 0; ok && i < page->names.count; i++) {
            after = page->ids[i];
            if (scan->seen_count == 0 ||
                bsearch(&page->ids[i], scan->seen, scan->seen_count, sizeof(int64_t), compare_ids) == NULL)
                ok = forget_if_gone(scan, page->ids[i], page->names.items[i]);
        }
        more = ok && page->names.count > 0;
        strlist_free(&page->names);
    } while (more);
    free(page);
    return ok;
}

static bool walk(struct scan *scan)
{
    DIR *dir = fdopendir(dup(scan->dirfd));
    const struct dirent *entry;
    bool ok = dir != NULL;
    size_t count = 0;

    scan->seen_count = 0;
    scan->differs = false;
    if (ok)
        rewinddir(dir);
    while (ok && (scan->writing || !scan->differs) && (entry = readdir(dir)) != NULL)
        ok = visit(scan, entry->d_name);
    if (dir != NULL)
        closedir(dir);
    if (!ok || (!scan->writing && scan->differs))
        return ok;
    if (!count_files(scan, &count))
        return false;
    if (count == scan->seen_count)
        return true;
    scan->differs = true;
    return !scan->writing || forget_gone(scan);
}

/* Rows that were there and are not any more: another process emptied the index meanwhile. */
static bool rows_lost(struct scan *scan)
{
    size_t count = 0;

    if (!count_files(scan, &count))
        return true;
    if (count < scan->seen_count)
        areas_index_set_damaged(scan->areas->index);
    return count < scan->seen_count;
}

static void load_state(sqlite3_stmt *s, struct state *state)
{
    const char *path = (const char *)sqlite3_column_text(s, 1),
               *stamp = (const char *)sqlite3_column_text(s, 2);

    state->known = true;
    state->path = mem_strdup(path != NULL ? path : "");
    strncpy(state->stamp, stamp != NULL ? stamp : "", AREAS_STAMP_MAX - 1);
    state->settled = sqlite3_column_int(s, 3) != 0;
    state->scanned_ns = sqlite3_column_int64(s, 4);
}

static bool load_states(struct areas *areas, struct state states[AREA_COUNT])
{
    sqlite3_stmt *s = areas_index_statement(areas->index, INDEX_DIRECTORIES);
    int code;

    memset(states, 0, AREA_COUNT * sizeof(*states));
    if (s == NULL)
        return false;
    while ((code = areas_index_step(areas->index, s)) == SQLITE_ROW) {
        int area = sqlite3_column_int(s, 0);

        if (area >= 0 && area < AREA_COUNT)
            load_state(s, &states[area]);
    }
    return code == SQLITE_DONE;
}

static void free_states(struct state states[AREA_COUNT])
{
    for (size_t i = 0; i < AREA_COUNT; i++)
        free(states[i].path);
}

bool areas_scan_complete(struct areas *areas, unsigned int areas_mask, bool *complete_r)
{
    struct state states[AREA_COUNT];
    bool ok = load_states(areas, states);

    *complete_r = true;
    for (size_t i = 0; ok && i < AREA_COUNT; i++)
        if ((areas_mask >> i & 1) != 0 && areas->directories[i] != NULL)
            *complete_r =
                *complete_r && states[i].known && strcmp(states[i].path, areas->directories[i]) == 0;
    free_states(states);
    return ok;
}

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
    if (areas_index_read_only(areas->index) && !areas_recover(areas, error_r, size))
        return false;
    return areas_index_begin(areas->index);
}

static bool same_place(const struct scan *scan, const struct state *state)
{
    return state->known && strcmp(state->path, scan->areas->directories[scan->area]) == 0;
}

/* Under the lock: another process may have put this area in order since the states were loaded. */
static bool forget_other_place(struct scan *scan)
{
    struct state states[AREA_COUNT];
    bool ok = load_states(scan->areas, states);

    if (ok && states[scan->area].known && !same_place(scan, &states[scan->area]))
        ok = forget_area(scan);
    free_states(states);
    return ok;
}

static bool rewrite(struct scan *scan, const struct areas_stamp *stamp, char *error_r, size_t size)
{
    bool ok;

    if (!write_begin(scan->areas, error_r, size))
        return false;
    scan->writing = true;
    ok = forget_other_place(scan) && walk(scan) && !rows_lost(scan) && set_directory(scan, stamp) &&
         areas_index_commit(scan->areas->index);
    if (!ok)
        areas_index_rollback(scan->areas->index);
    return ok;
}

static bool rescan_due(const struct scan *scan, const struct state *state)
{
    return state->scanned_ns > scan->now_ns || scan->now_ns - state->scanned_ns >= scan->areas->rescan_ns;
}

static bool scan_directory(struct scan *scan, const struct state *state, const struct areas_stamp *stamp,
                           char *error_r, size_t size)
{
    bool remember_it;

    scan->full = !same_place(scan, state) || rescan_due(scan, state);
    remember_it = scan->full || !areas_stamp_equal(stamp, state->stamp) ||
                  state->settled == areas_stamp_racy(stamp, scan->now_ns);
    if (!same_place(scan, state))
        scan->differs = true;
    else if (!walk(scan))
        return false;
    /* A reader that cannot write keeps looking each time until somebody can. */
    if (!scan->differs && (!remember_it || areas_index_read_only(scan->areas->index)))
        return true;
    return rewrite(scan, stamp, error_r, size);
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
        if (!stat_entry(scan->dirfd, name, &stamp) || !up_to_date(scan, &row, &stamp))
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

        if (stat_entry(scan->dirfd, names->items[i], &stamp)) {
            ok = visit(scan, names->items[i]);
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
    struct state states[AREA_COUNT];
    bool ok = load_states(areas, states);

    for (size_t i = 0; ok && i < AREA_COUNT; i++)
        if (areas->directories[i] != NULL)
            ok = refresh_area(areas, (enum area)i, &states[i], error_r, size);
    free_states(states);
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
