/* Every file that contributed to a look-up is looked at again before its certificates are handed out; what
   changed is read anew and the look-up repeated. */
#include "modules/areas/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/areas/fields.h"
#include "util/mem.h"

struct found {
    struct areas_list *list;
    struct strlist stale[AREA_COUNT]; /* names of files that changed since they were read */
};

void areas_list_free(struct areas_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct areas_certificate *item = &list->items[i];

        X509_free(item->certificate);
        free(item->file);
        free(item->key_file);
        strlist_free(&item->addresses);
        buf_free(&item->capabilities);
    }
    free(list->items);
    memset(list, 0, sizeof(*list));
}

static void bind_query(sqlite3_stmt *s, const struct query *query)
{
    sqlite3_bind_int(s, 1, query->statement == INDEX_BY_AREA ? (int)query->area : (int)query->mask);
    if (query->text != NULL)
        sqlite3_bind_text(s, 2, query->text, -1, SQLITE_STATIC);
    else if (query->octets != NULL)
        sqlite3_bind_blob64(s, 2, query->octets->data != NULL ? query->octets->data : "", query->octets->len,
                            SQLITE_STATIC);
    else
        sqlite3_bind_int64(s, 2, query->number);
    if (query->statement == INDEX_BY_SERIAL)
        sqlite3_bind_int64(s, 3, query->issuer_hash);
    if (query->statement == INDEX_BY_AREA)
        sqlite3_bind_int64(s, 3, (int64_t)query->max);
}

static bool name_fits(const struct query *query, const X509 *certificate)
{
    return (query->issuer == NULL || X509_NAME_cmp(query->issuer, X509_get_issuer_name(certificate)) == 0) &&
           (query->subject == NULL || X509_NAME_cmp(query->subject, X509_get_subject_name(certificate)) == 0);
}

/* The file is still what the index read. */
static bool is_fresh(const struct areas *areas, enum area area, const char *name, const char *stamp_text,
                     char **path_r)
{
    char *path = mem_printf("%s/%s", areas->directories[area], name);
    struct stat st;
    struct areas_stamp stamp = {0};

    if (stat(path, &st) == 0)
        areas_stamp_from_stat(&stamp, &st);
    if (path_r != NULL)
        *path_r = path;
    else
        free(path);
    return areas_stamp_equal(&stamp, stamp_text);
}

static bool find_key_file(struct areas *areas, const void *spki, int len, struct areas_certificate *item,
                          struct found *found)
{
    sqlite3_stmt *s = areas_index_statement(areas->index, INDEX_KEY_FILE);
    int code;

    if (s == NULL)
        return false;
    sqlite3_bind_blob(s, 1, spki, len, SQLITE_TRANSIENT);
    sqlite3_bind_int(s, 2, (int)AREA_PRIVATE);
    code = areas_index_step(areas->index, s);
    if (code == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 0);

        if (!is_fresh(areas, AREA_PRIVATE, name, (const char *)sqlite3_column_text(s, 1), &item->key_file))
            strlist_add(&found->stale[AREA_PRIVATE], name);
        sqlite3_reset(s);
    }
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

/* The certificate of a row, proven to be what its fingerprint says. NULL: the index is damaged. */
static X509 *row_certificate(struct areas *areas, sqlite3_stmt *s)
{
    const unsigned char *der = sqlite3_column_blob(s, 2);
    int len = sqlite3_column_bytes(s, 2);
    const char *fingerprint = (const char *)sqlite3_column_text(s, 1);
    char computed[SHA256_HEX_LEN + 1];
    X509 *certificate = NULL;

    if (der != NULL && fingerprint != NULL && areas_fields_fingerprint(der, (size_t)len, computed) &&
        strcmp(computed, fingerprint) == 0)
        certificate = areas_cache_get(&areas->cache, fingerprint, der, (size_t)len);
    if (certificate == NULL)
        areas_index_set_damaged(areas->index);
    return certificate;
}

static bool already_listed(const struct areas_list *list, enum area area, const char *fingerprint)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].area == area && strcmp(list->items[i].fingerprint, fingerprint) == 0)
            return true;
    return false;
}

static bool take_row(struct areas *areas, const struct query *query, sqlite3_stmt *s, struct found *found)
{
    enum area area = (enum area)sqlite3_column_int(s, 0);
    X509 *certificate = row_certificate(areas, s);
    struct areas_certificate *item;
    const char *name = (const char *)sqlite3_column_text(s, 5),
               *fingerprint = (const char *)sqlite3_column_text(s, 1);

    if (certificate == NULL)
        return false;
    if ((unsigned int)area >= AREA_COUNT || areas->directories[area] == NULL ||
        !name_fits(query, certificate) || already_listed(found->list, area, fingerprint)) {
        X509_free(certificate);
        return true;
    }
    item = mem_push(&found->list->items, &found->list->count, sizeof(*item));
    item->area = area;
    item->certificate = certificate;
    snprintf(item->fingerprint, sizeof(item->fingerprint), "%s", fingerprint);
    if (!is_fresh(areas, area, name, (const char *)sqlite3_column_text(s, 6), &item->file))
        strlist_add(&found->stale[area], name);
    areas_fields_addresses(certificate, &item->addresses);
    if (sqlite3_column_bytes(s, 3) > 0)
        buf_add(&item->capabilities, sqlite3_column_blob(s, 3), (size_t)sqlite3_column_bytes(s, 3));
    return area != AREA_PRIVATE ||
           find_key_file(areas, sqlite3_column_blob(s, 4), sqlite3_column_bytes(s, 4), item, found);
}

static bool run_query(struct areas *areas, const struct query *query, struct found *found)
{
    sqlite3_stmt *s = areas_index_statement(areas->index, query->statement);
    int code;

    if (s == NULL)
        return false;
    bind_query(s, query);
    while ((code = areas_index_step(areas->index, s)) == SQLITE_ROW) {
        if (!take_row(areas, query, s, found)) {
            sqlite3_reset(s);
            return false;
        }
    }
    return code == SQLITE_DONE;
}

static bool any_stale(const struct found *found)
{
    for (size_t i = 0; i < AREA_COUNT; i++)
        if (found->stale[i].count > 0)
            return true;
    return false;
}

static bool update_stale(struct areas *areas, struct found *found, char *error_r, size_t size)
{
    bool ok = true;

    for (size_t i = 0; i < AREA_COUNT; i++) {
        if (ok && found->stale[i].count > 0)
            ok = areas_scan_files(areas, (enum area)i, &found->stale[i], error_r, size);
        strlist_free(&found->stale[i]);
    }
    return ok;
}

/* 1 done, 0 look again, -1 failed (error_r may be empty: then the index knows). */
static int try_query(struct areas *areas, const struct query *query, struct areas_list *list, char *error_r,
                     size_t size)
{
    struct found found = {.list = list};
    bool complete = true, stale, ok;
    unsigned int mask = query->statement == INDEX_BY_AREA ? 1u << query->area : query->mask;

    /* One state for both: nobody may empty the index in between. */
    ok = areas_index_begin_reading(areas->index) && run_query(areas, query, &found) &&
         areas_scan_complete(areas, mask, &complete);
    areas_index_rollback(areas->index);
    stale = any_stale(&found);
    if (!update_stale(areas, &found, error_r, size) || !ok)
        return -1;
    if (!complete)
        return areas_refresh(areas, error_r, size) == 0 ? 0 : -1;
    return stale ? 0 : 1;
}

int areas_query_run(struct areas *areas, const struct query *query, struct areas_list *list, char *error_r,
                    size_t size)
{
    for (int i = 0; i < QUERY_ATTEMPTS; i++) {
        int result;

        memset(list, 0, sizeof(*list));
        error_r[0] = '\0';
        result = try_query(areas, query, list, error_r, size);
        if (result == 1)
            return 0;
        areas_list_free(list);
        if (result == 0)
            continue;
        if (error_r[0] != '\0')
            return -1;
        if (!areas_recover(areas, error_r, size) || areas_refresh(areas, error_r, size) != 0)
            break;
    }
    if (error_r[0] == '\0')
        snprintf(error_r, size, "%s: look-up keeps changing or failing",
                 areas_index_error(areas->index)[0] != '\0' ? areas_index_error(areas->index)
                                                            : areas->index_file);
    return -1;
}
