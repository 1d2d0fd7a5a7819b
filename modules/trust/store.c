#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "modules/trust/store_private.h"
#include "util/fdio.h"
#include "util/mem.h"

#define ALL_AREAS (1u << AREA_CA | 1u << AREA_TRUSTED | 1u << AREA_UNTRUSTED)

static bool make_index_directory(const char *index, char *error_r, size_t size)
{
    const char *slash = strrchr(index, '/');
    char *directory = slash == NULL ? NULL : mem_strndup(index, (size_t)(slash - index));
    bool made = directory == NULL || directory[0] == '\0' || fdio_make_dirs(directory, 0750) == 0;

    if (!made)
        snprintf(error_r, size, "%s: %s", directory, strerror(errno));
    free(directory);
    return made;
}

struct store *store_open(const struct settings *settings, char *error_r, size_t size)
{
    struct areas_settings areas = {.index_file = settings->index,
                                   .rescan_seconds = (unsigned int)settings->rescan};
    struct store *store;

    areas.directories[AREA_CA] = settings->ca;
    areas.directories[AREA_TRUSTED] = settings->trusted;
    areas.directories[AREA_UNTRUSTED] = settings->untrusted;
    if (!make_index_directory(settings->index, error_r, size))
        return NULL;
    store = mem_alloc(sizeof(*store));
    store->settings = settings;
    store->areas = areas_open(&areas, error_r, size);
    if (store->areas != NULL)
        return store;
    free(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_forget_shelves(store);
    store_ca_list_clear(&store->extras);
    store_crl_list_clear(&store->crls);
    areas_close(store->areas);
    free(store);
}

/* True when a directory is not what it was, or changed so lately that its stamp proves nothing yet. */
static bool directory_changed(const char *directory, struct areas_stamp *stamp)
{
    struct areas_stamp now = {0};
    struct stat st;
    bool changed;

    if (stat(directory, &st) == 0)
        areas_stamp_from_stat(&now, &st);
    changed = !areas_stamp_equal(&now, stamp->text) || areas_stamp_racy(&now, areas_stamp_now());
    *stamp = now;
    return changed;
}

/* The cache ends with a change of a directory, and as often as files overwritten in place are looked for. */
static void refresh_cache(struct store *store)
{
    bool changed = directory_changed(store->settings->ca, &store->stamps[0]);

    changed = directory_changed(store->settings->trusted, &store->stamps[1]) || changed;
    changed = directory_changed(store->settings->untrusted, &store->stamps[2]) || changed;
    if (!changed && store->shelf_count <= STORE_NAMES_MAX &&
        time(NULL) - store->begun < (time_t)store->settings->rescan)
        return;
    store_forget_shelves(store);
    store->begun = time(NULL);
}

bool store_begin(struct store *store)
{
    store_ca_list_clear(&store->extras);
    store_crl_list_clear(&store->crls);
    store->foreign_left = STORE_FOREIGN_MAX;
    refresh_cache(store);
    /* What cannot be read may distrust, revoke or lead to an anchor. */
    store->failed = areas_refresh(store->areas, store->error, sizeof(store->error)) != 0 ||
                    areas_unseen(store->areas, ALL_AREAS, false, store->error, sizeof(store->error)) != 0;
    return !store->failed;
}

bool store_add_extra(struct store *store, X509 *take)
{
    if (store->extras.count >= STORE_EXTRAS_MAX) {
        X509_free(take);
        return false;
    }
    store_ca_list_add(&store->extras, store_ca_new(take));
    return true;
}

bool store_add_crl(struct store *store, struct crl *take)
{
    if (store->crls.count >= STORE_CRLS_MAX) {
        crl_free(take);
        return false;
    }
    store_crl_list_add(&store->crls, take);
    return true;
}

bool store_take_foreign(struct store *store)
{
    if (store->foreign_left == 0)
        return false;
    store->foreign_left--;
    return true;
}

const char *store_error(const struct store *store)
{
    return store->failed ? store->error : NULL;
}
