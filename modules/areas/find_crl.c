/* CRLs: the index says which files to read. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/areas/fields.h"
#include "modules/areas/query.h"
#include "util/mem.h"

static void take_crls(struct file_content *content, const X509_NAME *issuer, STACK_OF(X509_CRL) * crls)
{
    for (size_t i = 0; i < content->crl_count; i++)
        if (X509_NAME_cmp(X509_CRL_get_issuer(content->crls[i]), issuer) == 0 &&
            X509_CRL_up_ref(content->crls[i]) == 1 && sk_X509_CRL_push(crls, content->crls[i]) == 0)
            X509_CRL_free(content->crls[i]);
}

static void read_crls(struct areas *areas, enum area area, const struct strlist *names,
                      const X509_NAME *issuer, STACK_OF(X509_CRL) * crls)
{
    struct file_reader reader = areas_reader(areas, area);

    for (size_t i = 0; i < names->count; i++) {
        char *path = mem_printf("%s/%s", areas->directories[area], names->items[i]);
        struct file_content content;

        areas_file_read(&reader, AT_FDCWD, path, &content);
        take_crls(&content, issuer, crls);
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

int areas_find_crls(struct areas *areas, enum area area, const X509_NAME *issuer,
                    STACK_OF(X509_CRL) * *crls_r, char *error_r, size_t size)
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
    *crls_r = NULL;
    if (ok && complete) {
        *crls_r = sk_X509_CRL_new_null();
        read_crls(areas, area, &names, issuer, *crls_r);
    } else if (error_r[0] == '\0') {
        snprintf(error_r, size, "%s", areas_index_error(areas->index));
    }
    strlist_free(&names);
    return ok && complete ? 0 : -1;
}
