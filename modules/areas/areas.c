#include "modules/areas/areas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/areas/areas_private.h"
#include "util/log.h"
#include "util/mem.h"

/* A damaged or deleted index is made anew, and again if another process did the same meanwhile; with one that
   keeps vanishing nobody waits any longer. */
#define ATTEMPTS 5

/* How long an index that cannot be written is left alone. */
#define MEMORY_RETRY_NS INT64_C(60000000000)

const char *area_name(enum area area)
{
    static const char *const names[AREA_COUNT] = {"public", "trusted", "untrusted", "private", "ca"};

    return area < AREA_COUNT ? names[area] : "?";
}

struct file_reader areas_reader(const struct areas *areas, enum area area)
{
    struct file_reader reader = {.want = FILE_WANT_CERTIFICATES};

    if (area == AREA_PRIVATE) {
        reader.want |= FILE_WANT_KEYS;
        reader.pass_phrase = areas->pass_phrase;
        reader.context = areas->context;
    } else if (area == AREA_CA) {
        reader.want |= FILE_WANT_CRLS;
    }
    return reader;
}

struct areas *areas_open(const struct areas_settings *settings, char *error_r, size_t size)
{
    struct areas *areas = mem_alloc(sizeof(*areas));

    for (size_t i = 0; i < AREA_COUNT; i++)
        areas->directories[i] = mem_strdup(settings->directories[i]);
    areas->index_file = mem_strdup(settings->index_file);
    areas->rescan_ns = (int64_t)settings->rescan_seconds * 1000000000;
    areas->pass_phrase = settings->pass_phrase;
    areas->context = settings->context;
    areas->index = areas_index_open(areas->index_file, error_r, size);
    if (areas->index == NULL) {
        areas_close(areas);
        return NULL;
    }
    return areas;
}

void areas_close(struct areas *areas)
{
    if (areas == NULL)
        return;
    areas_index_close(areas->index);
    areas_cache_clear(&areas->cache);
    for (size_t i = 0; i < AREA_COUNT; i++)
        free(areas->directories[i]);
    free(areas->index_file);
    free(areas);
}

/* A full disk may have room again: a service must not stay in memory for ever. */
static void leave_memory(struct areas *areas)
{
    struct index *fresh;
    char error[256];

    if (!areas_index_in_memory(areas->index) || areas_stamp_now() - areas->memory_since < MEMORY_RETRY_NS)
        return;
    areas->memory_since = areas_stamp_now();
    fresh = areas_index_open(areas->index_file, error, sizeof(error));
    if (fresh == NULL || areas_index_read_only(fresh) || areas_index_in_memory(fresh)) {
        areas_index_close(fresh);
        return;
    }
    areas_index_close(areas->index);
    areas->index = fresh;
}

/* Deleted or replaced while open: the new one counts. */
static bool reopen_if_moved(struct areas *areas, char *error_r, size_t size)
{
    struct index *fresh;

    if (!areas_index_moved(areas->index))
        return true;
    fresh = areas_index_open(areas->index_file, error_r, size);
    if (fresh == NULL)
        return false;
    areas_index_close(areas->index);
    areas->index = fresh;
    return true;
}

static void tell_unwritable(struct areas *areas)
{
    const char *error = areas_index_error(areas->index);

    if (!areas->index_told)
        log_event(LOG_LEVEL_WARNING, "index-not-writable", "file", areas->index_file, "text",
                  error[0] != '\0' ? error : "not writable for this user", "action",
                  "going on in memory, which is slow for large stores: make file and directory writable",
                  (char *)NULL);
    areas->index_told = true;
}

static bool go_on_in_memory(struct areas *areas, char *error_r, size_t size)
{
    tell_unwritable(areas);
    areas->memory_since = areas_stamp_now();
    return areas_index_to_memory(areas->index, error_r, size);
}

bool areas_recover(struct areas *areas, char *error_r, size_t size)
{
    if (areas_index_moved(areas->index))
        return true; /* areas_refresh() opens the new one */
    if (areas_index_damaged(areas->index) && !areas_index_read_only(areas->index)) {
        log_event(LOG_LEVEL_WARNING, "index-damaged", "file", areas->index_file, "text",
                  areas_index_error(areas->index), "action", "made anew", (char *)NULL);
        if (areas_index_reset(areas->index, error_r, size))
            return true;
    }
    if (!areas_index_damaged(areas->index) && !areas_index_unwritable(areas->index) &&
        !areas_index_read_only(areas->index))
        return false;
    return go_on_in_memory(areas, error_r, size);
}

int areas_unseen(struct areas *areas, unsigned int areas_mask, bool keys, char *text_r, size_t size)
{
    sqlite3_stmt *s = areas_index_statement(areas->index, INDEX_UNSEEN);
    int code = SQLITE_ERROR, area;

    if (s != NULL && sqlite3_bind_int(s, 1, (int)areas_mask) == SQLITE_OK &&
        sqlite3_bind_int(s, 2, keys ? WATCH_UNSEEN | WATCH_REFUSED : WATCH_UNSEEN) == SQLITE_OK)
        code = areas_index_step(areas->index, s);
    if (code == SQLITE_DONE)
        return 0;
    if (code != SQLITE_ROW) {
        snprintf(text_r, size, "%s", areas_index_error(areas->index));
        return -1;
    }
    area = sqlite3_column_int(s, 0);
    snprintf(text_r, size, "%s/%s: %s",
             area >= 0 && area < AREA_COUNT && areas->directories[area] != NULL ? areas->directories[area]
                                                                                : "",
             (const char *)sqlite3_column_text(s, 1), (const char *)sqlite3_column_text(s, 2));
    sqlite3_reset(s);
    return 1;
}

int areas_refresh(struct areas *areas, char *error_r, size_t size)
{
    leave_memory(areas);
    for (int i = 0; i <= ATTEMPTS; i++) {
        error_r[0] = '\0';
        if (i == ATTEMPTS && !go_on_in_memory(areas, error_r, size))
            break;
        if (!reopen_if_moved(areas, error_r, size))
            continue; /* replaced once more meanwhile? */
        if (areas_scan_refresh(areas, error_r, size))
            return 0;
        if (error_r[0] != '\0')
            return -1; /* a directory, not the index */
        if (!areas_recover(areas, error_r, size))
            break;
    }
    if (error_r[0] == '\0')
        snprintf(error_r, size, "%s", areas_index_error(areas->index));
    return -1;
}
