/* One file of a directory that is scanned. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/areas/scan_private.h"
#include "util/log.h"
#include "util/mem.h"

/* Files read per write transaction: others wait no longer than this takes, and what it changes stays in
   memory until its end. */
#define BATCH_FILES 100u

static void log_faults(const struct scan *scan, const char *name, const char *faults)
{
    char *path = mem_printf("%s/%s", scan->areas->directories[scan->area], name);

    log_event(LOG_LEVEL_WARNING, "certificate-file", "file", path, "area", area_name(scan->area), "text",
              faults, (char *)NULL);
    free(path);
}

bool areas_scan_ignored(const char *name)
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

bool areas_scan_stat(int dirfd, const char *name, struct areas_stamp *stamp)
{
    struct stat st;

    memset(stamp, 0, sizeof(*stamp));
    if (fstatat(dirfd, name, &st, 0) == 0) {
        areas_stamp_from_stat(stamp, &st);
        return S_ISREG(st.st_mode);
    }
    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool areas_scan_up_to_date(const struct scan *scan, const struct record_row *row,
                           const struct areas_stamp *stamp)
{
    if (row->id == 0 || !areas_stamp_equal(stamp, row->stamp))
        return false;
    if ((row->watch & WATCH_RACY) != 0 && !areas_stamp_racy(stamp, scan->now_ns))
        return false; /* old enough by now: one last reading */
    return (row->watch & (WATCH_PASS_PHRASE | WATCH_UNSEEN)) == 0 || !scan->full;
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
        watch |= WATCH_FAULTS | (content.pass_phrase ? WATCH_PASS_PHRASE : 0u) |
                 (content.unseen ? WATCH_UNSEEN : 0u) | (content.refused ? WATCH_REFUSED : 0u);
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

bool areas_scan_visit(struct scan *scan, const char *name)
{
    struct record_row row;
    struct areas_stamp stamp;
    bool ok;

    if (areas_scan_ignored(name) || !areas_scan_stat(scan->dirfd, name, &stamp))
        return true;
    if (!areas_record_find(scan->areas->index, scan->area, name, &row))
        return false;
    if (row.id != 0)
        remember(scan, row.id);
    ok = true;
    if (!areas_scan_up_to_date(scan, &row, &stamp)) {
        scan->differs = true;
        ok = !scan->writing || read_again(scan, name, &row);
    }
    areas_record_row_free(&row);
    return ok;
}
