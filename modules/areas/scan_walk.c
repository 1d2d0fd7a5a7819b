/* A whole directory, and what is gone from it. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/areas/scan_private.h"
#include "util/mem.h"

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

    if (!areas_scan_ignored(name) && areas_scan_stat(scan->dirfd, name, &stamp))
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

bool areas_scan_walk(struct scan *scan)
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
        ok = areas_scan_visit(scan, entry->d_name);
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

bool areas_scan_rows_lost(struct scan *scan)
{
    size_t count = 0;

    if (!count_files(scan, &count))
        return true;
    if (count < scan->seen_count)
        areas_index_set_damaged(scan->areas->index);
    return count < scan->seen_count;
}
