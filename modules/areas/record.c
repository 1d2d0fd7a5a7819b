/* What the index keeps of one file. Never anything of a private key but the hash of its public half. */
#include <stdlib.h>
#include <string.h>

#include "modules/areas/areas_private.h"
#include "modules/areas/fields.h"
#include "util/mem.h"

static void bind_buf(sqlite3_stmt *s, int column, const struct buf *buf)
{
    sqlite3_bind_blob64(s, column, buf->data != NULL ? buf->data : "", buf->len, SQLITE_TRANSIENT);
}

static void bind_text(sqlite3_stmt *s, int column, const char *text)
{
    sqlite3_bind_text(s, column, text, -1, SQLITE_TRANSIENT);
}

bool areas_record_find(struct index *index, enum area area, const char *name, struct record_row *row_r)
{
    sqlite3_stmt *s = areas_index_statement(index, INDEX_FILE);
    int code;

    memset(row_r, 0, sizeof(*row_r));
    if (s == NULL)
        return false;
    sqlite3_bind_int(s, 1, (int)area);
    bind_text(s, 2, name);
    code = areas_index_step(index, s);
    if (code == SQLITE_ROW) {
        const char *stamp = (const char *)sqlite3_column_text(s, 1),
                   *faults = (const char *)sqlite3_column_text(s, 3);

        row_r->id = sqlite3_column_int64(s, 0);
        strncpy(row_r->stamp, stamp != NULL ? stamp : "", AREAS_STAMP_MAX - 1);
        row_r->watch = (unsigned int)sqlite3_column_int(s, 2);
        row_r->faults = mem_strdup(faults != NULL ? faults : "");
        sqlite3_reset(s);
    }
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

void areas_record_row_free(struct record_row *row)
{
    free(row->faults);
    row->faults = NULL;
}

static bool store_addresses(struct index *index, int64_t certificate_id, const X509 *certificate)
{
    struct strlist addresses = {0};
    bool ok = true;

    areas_fields_addresses(certificate, &addresses);
    for (size_t i = 0; ok && i < addresses.count; i++) {
        sqlite3_stmt *s = areas_index_statement(index, INDEX_ADD_ADDRESS);

        if (s == NULL) {
            ok = false;
            break;
        }
        bind_text(s, 1, addresses.items[i]);
        sqlite3_bind_int64(s, 2, certificate_id);
        ok = areas_index_run(index, s);
    }
    strlist_free(&addresses);
    return ok;
}

static bool insert_certificate(struct index *index, int64_t file, enum area area,
                               const struct file_certificate *item, const struct buf *der)
{
    sqlite3_stmt *s = areas_index_statement(index, INDEX_ADD_CERTIFICATE);
    struct buf serial = {0}, ski = {0}, capabilities = {0};
    char fingerprint[SHA256_HEX_LEN + 1];
    unsigned char spki[SHA256_LEN] = {0};
    bool ok = false;

    if (s == NULL)
        return false;
    if (!areas_fields_fingerprint(der->data, der->len, fingerprint))
        return false;
    areas_fields_certificate_serial(item->certificate, &serial);
    areas_fields_ski(item->certificate, &ski);
    if (area == AREA_PRIVATE) /* where keys are looked for; encoding a key anew is slow */
        areas_fields_certificate_key_digest(item->certificate, spki);
    if (item->capabilities.len > 0)
        buf_add(&capabilities, item->capabilities.data, item->capabilities.len);
    else
        areas_fields_capabilities(item->certificate, &capabilities);
    sqlite3_bind_int64(s, 1, file);
    sqlite3_bind_int(s, 2, (int)area);
    bind_text(s, 3, fingerprint);
    bind_buf(s, 4, &serial);
    sqlite3_bind_int64(s, 5, areas_fields_name_hash(X509_get_issuer_name(item->certificate)));
    sqlite3_bind_int64(s, 6, areas_fields_name_hash(X509_get_subject_name(item->certificate)));
    bind_buf(s, 7, &ski);
    sqlite3_bind_blob(s, 8, spki, sizeof(spki), SQLITE_TRANSIENT);
    bind_buf(s, 9, der);
    bind_buf(s, 10, &capabilities);
    ok = areas_index_run(index, s);
    buf_free(&serial);
    buf_free(&ski);
    buf_free(&capabilities);
    return ok;
}

static bool store_certificate(struct index *index, int64_t file, enum area area,
                              const struct file_certificate *item)
{
    struct buf der = {0};
    bool ok;

    areas_fields_der(item->certificate, &der);
    ok = der.len == 0 || (insert_certificate(index, file, area, item, &der) &&
                          store_addresses(index, areas_index_last_id(index), item->certificate));
    buf_free(&der);
    return ok;
}

static bool store_crl(struct index *index, int64_t file, enum area area, const struct areas_crl *crl)
{
    sqlite3_stmt *s = areas_index_statement(index, INDEX_ADD_CRL);

    if (s == NULL)
        return false;
    sqlite3_bind_int64(s, 1, file);
    sqlite3_bind_int(s, 2, (int)area);
    sqlite3_bind_int64(s, 3, areas_fields_name_hash(X509_CRL_get_issuer(crl->frame)));
    return areas_index_run(index, s);
}

static bool store_key(struct index *index, int64_t file, const EVP_PKEY *key)
{
    sqlite3_stmt *s = areas_index_statement(index, INDEX_ADD_KEY);
    unsigned char digest[SHA256_LEN];

    if (s == NULL)
        return false;
    if (!areas_fields_key_digest(key, digest))
        return true;
    sqlite3_bind_int64(s, 1, file);
    sqlite3_bind_blob(s, 2, digest, sizeof(digest), SQLITE_TRANSIENT);
    return areas_index_run(index, s);
}

static bool forget_objects(struct index *index, int64_t file)
{
    const enum areas_index_statement all[] = {INDEX_FORGET_CERTIFICATES, INDEX_FORGET_CRLS,
                                              INDEX_FORGET_KEYS};
    bool ok = true;

    for (size_t i = 0; ok && i < sizeof(all) / sizeof(all[0]); i++) {
        sqlite3_stmt *s = areas_index_statement(index, all[i]);

        ok = s != NULL && sqlite3_bind_int64(s, 1, file) == SQLITE_OK && areas_index_run(index, s);
    }
    return ok;
}

static bool store_file(struct index *index, enum area area, const char *name, int64_t id,
                       const struct file_content *content, unsigned int watch)
{
    sqlite3_stmt *s = areas_index_statement(index, id != 0 ? INDEX_SET_FILE : INDEX_ADD_FILE);
    int column = id != 0 ? 2 : 3;

    if (s == NULL)
        return false;
    if (id != 0) {
        sqlite3_bind_int64(s, 1, id);
    } else {
        sqlite3_bind_int(s, 1, (int)area);
        bind_text(s, 2, name);
    }
    bind_text(s, column, content->stamp.text);
    sqlite3_bind_int(s, column + 1, (int)watch);
    bind_text(s, column + 2, buf_text(&content->faults));
    return areas_index_run(index, s);
}

int64_t areas_record_store(struct index *index, enum area area, const char *name,
                           const struct record_row *old, const struct file_content *content,
                           unsigned int watch)
{
    int64_t id = old->id;
    bool ok = store_file(index, area, name, id, content, watch);

    if (ok && id == 0)
        id = areas_index_last_id(index);
    else
        ok = ok && forget_objects(index, id);
    for (size_t i = 0; ok && i < content->certificate_count; i++)
        ok = store_certificate(index, id, area, &content->certificates[i]);
    for (size_t i = 0; ok && i < content->crl_count; i++)
        ok = store_crl(index, id, area, content->crls[i]);
    for (size_t i = 0; ok && i < content->key_count; i++)
        ok = store_key(index, id, content->keys[i]);
    return ok ? id : 0;
}

bool areas_record_forget(struct index *index, int64_t id)
{
    sqlite3_stmt *s = areas_index_statement(index, INDEX_FORGET_FILE);

    return s != NULL && sqlite3_bind_int64(s, 1, id) == SQLITE_OK && areas_index_run(index, s);
}
