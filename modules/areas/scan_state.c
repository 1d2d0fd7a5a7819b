/* What the index knows of each directory. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/areas/scan_private.h"
#include "util/mem.h"

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

bool areas_scan_same_place(const char *a, const char *b)
{
    struct stat x, y;

    return strcmp(a, b) == 0 ||
           (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

bool areas_scan_load_states(struct areas *areas, struct state states[AREA_COUNT])
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

void areas_scan_free_states(struct state states[AREA_COUNT])
{
    for (size_t i = 0; i < AREA_COUNT; i++)
        free(states[i].path);
}

bool areas_scan_complete(struct areas *areas, unsigned int areas_mask, bool *complete_r)
{
    struct state states[AREA_COUNT];
    bool ok = areas_scan_load_states(areas, states);

    *complete_r = true;
    for (size_t i = 0; ok && i < AREA_COUNT; i++)
        if ((areas_mask >> i & 1) != 0 && areas->directories[i] != NULL)
            *complete_r = *complete_r && states[i].known &&
                          areas_scan_same_place(states[i].path, areas->directories[i]);
    areas_scan_free_states(states);
    return ok;
}
