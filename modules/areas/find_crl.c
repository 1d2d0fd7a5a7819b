/* CRLs: the index says which files to read. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/areas/fields.h"
#include "modules/areas/query.h"
#include "util/mem.h"

void areas_crl_list_free(struct areas_crl_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        areas_crl_free(list->items[i]);
    free(list->items);
    memset(list, 0, sizeof(*list));
}

static void take_crls(struct file_content *content, const X509_NAME *issuer, struct areas_crl_list *list)
{
    for (size_t i = 0; i < content->crl_count; i++)
        if (X509_NAME_cmp(X509_CRL_get_issuer(content->crls[i]->frame), issuer) == 0) {
            struct areas_crl **place = mem_push(&list->items, &list->count, sizeof(*place));

            *place = content->crls[i];
            content->crls[i] = NULL;
        }
}

static void read_crls(struct areas *areas, enum area area, const struct strlist *names,
                      const X509_NAME *issuer, struct areas_crl_list *list)
{
    struct file_reader reader = areas_reader(areas, area);

    for (size_t i = 0; i < names->count; i++) {
        char *path = mem_printf("%s/%s", areas->directories[area], names->items[i]);
        struct file_content content;

        areas_file_read(&reader, AT_FDCWD, path, &content);
        take_crls(&content, issuer, list);
        areas_file_content_free(&content);
        free(path);
    }
}

static bool crl_files(struct areas *areas, enum area area, const X509_NAME *issuer, struct strlist *names)
{
    sqlite3_stmt *s = areas_index_statement(areas->index, INDEX_CRL_FILES);
    int code;

    if (s == NULL)
        return false;
    sqlite3_bind_int(s, 1, (int)area);
    sqlite3_bind_int64(s, 2, areas_fields_name_hash(issuer));
    while ((code = areas_index_step(areas->index, s)) == SQLITE_ROW)
        strlist_add(names, (const char *)sqlite3_column_text(s, 0));
    return code == SQLITE_DONE;
}

int areas_find_crls(struct areas *areas, enum area area, const X509_NAME *issuer, struct areas_crl_list *list,
                    char *error_r, size_t size)
{
    struct strlist names = {0};
    bool complete = false, ok = false;

    for (int i = 0; i < QUERY_ATTEMPTS && !(ok && complete); i++) {
        strlist_free(&names);
        error_r[0] = '\0';
        ok = crl_files(areas, area, issuer, &names) && areas_scan_complete(areas, 1u << area, &complete);
        if (!ok && !areas_recover(areas, error_r, size))
            break;
        if ((!ok || !complete) && areas_refresh(areas, error_r, size) != 0)
            break;
    }
    memset(list, 0, sizeof(*list));
    if (ok && complete)
        read_crls(areas, area, &names, issuer, list);
    else if (error_r[0] == '\0')
        snprintf(error_r, size, "%s", areas_index_error(areas->index));
    strlist_free(&names);
    return ok && complete ? 0 : -1;
}
