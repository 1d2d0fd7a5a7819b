#include "modules/areas/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/areas/index_sql.h"
#include "util/mem.h"

/* Pages kept for the next look-up, which needs a handful. A write transaction keeps all that it changes until
   its end (cache_spill): to write them out before, it would have to keep the readers away. */
#define CACHE_KIB 256

/* How often to open a file that somebody removes or replaces at the same time. */
#define OPEN_ATTEMPTS 20

struct index {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[INDEX_STATEMENT_COUNT];
    int failure; /* last SQLite failure, primary code */
    bool damaged, in_memory, read_only;
    bool vanished; /* in the last failure the file was no longer where it was opened */
    char error[256];
};

static void note_failure(struct index *index, int code)
{
    index->failure = code & 0xff;
    if (index->failure == SQLITE_CORRUPT || index->failure == SQLITE_NOTADB ||
        index->failure == SQLITE_FORMAT)
        index->damaged = true;
    /* Another process may have emptied the file under our statements: "no such table". */
    if (index->failure == SQLITE_ERROR || index->failure == SQLITE_SCHEMA)
        index->damaged = true;
    if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY)
        index->damaged = true;
    index->vanished =
        code == SQLITE_READONLY_DBMOVED || code == SQLITE_IOERR_FSTAT || code == SQLITE_IOERR_DELETE_NOENT;
    snprintf(index->error, sizeof(index->error), "index %s: %s", index->path, sqlite3_errmsg(index->db));
}

static bool execute(struct index *index, const char *sql)
{
    int code = sqlite3_exec(index->db, sql, NULL, NULL, NULL);

    if (code != SQLITE_OK)
        note_failure(index, sqlite3_extended_errcode(index->db));
    return code == SQLITE_OK;
}

static bool read_number(struct index *index, const char *sql, int64_t *number_r)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(index->db, sql, -1, &s, NULL);

    if (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW)
        *number_r = sqlite3_column_int64(s, 0);
    if (code != SQLITE_ROW)
        note_failure(index, sqlite3_extended_errcode(index->db));
    sqlite3_finalize(s);
    return code == SQLITE_ROW;
}

static bool is_ours(struct index *index)
{
    int64_t version = 0, application = 0;

    return read_number(index, "PRAGMA user_version", &version) && version == INDEX_VERSION &&
           read_number(index, "PRAGMA application_id", &application) && application == INDEX_APPLICATION_ID;
}

static bool make_tables(struct index *index)
{
    char marks[120];

    snprintf(marks, sizeof(marks), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             INDEX_APPLICATION_ID, INDEX_VERSION);
    if (!areas_index_begin(index))
        return false;
    if (is_ours(index)) { /* somebody else was faster */
        areas_index_rollback(index);
        return true;
    }
    index->damaged = false;
    if (execute(index, index_schema) && execute(index, marks) && areas_index_commit(index))
        return true;
    areas_index_rollback(index);
    return false;
}

static void forget_statements(struct index *index)
{
    for (size_t i = 0; i < INDEX_STATEMENT_COUNT; i++) {
        sqlite3_finalize(index->statements[i]);
        index->statements[i] = NULL;
    }
}

static bool configure(struct index *index)
{
    char cache[60];

    snprintf(cache, sizeof(cache), "PRAGMA cache_size = -%d; PRAGMA cache_spill = OFF", CACHE_KIB);
    sqlite3_extended_result_codes(index->db, 1);
    sqlite3_busy_timeout(index->db, INDEX_BUSY_MS);
    sqlite3_db_config(index->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(index->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return execute(index, cache) &&
           execute(index,
                   "PRAGMA temp_store = MEMORY; PRAGMA synchronous = NORMAL; PRAGMA cell_size_check = ON");
}

/* An index that root's commands make belongs to whom its folder belongs to: else the modules, as that user,
   could not open it. */
static void make_for_owner(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash != NULL ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
    struct stat st;
    bool needed = geteuid() == 0 && stat(folder, &st) == 0 && st.st_uid != 0;
    int fd = needed ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640) : -1;

    free(folder);
    if (fd < 0)
        return;
    if (fchown(fd, st.st_uid, st.st_gid) != 0)
        unlink(path);
    close(fd);
}

static bool connect_file(struct index *index)
{
    make_for_owner(index->path);
    /* Nothing in advance: of the pages and small pieces that SQLite lays out (130 KB) a look-up needs a
       handful. Too late the second time, which is all the same. */
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    if (sqlite3_open_v2(index->path, &index->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK) {
        note_failure(index, sqlite3_extended_errcode(index->db));
        return false;
    }
    index->read_only = sqlite3_db_readonly(index->db, "main") == 1;
    return configure(index) || index->damaged; /* a damaged file is dealt with later */
}

bool areas_index_reset(struct index *index, char *error_r, size_t size)
{
    bool ok;

    forget_statements(index);
    areas_index_rollback(index);
    /* Emptied in place, under SQLite's locks: a file removed and made anew would share its journal's name
       with the file that another process still has open. */
    sqlite3_db_config(index->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    sqlite3_exec(index->db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
    sqlite3_db_config(index->db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL);
    ok = execute(index, "VACUUM");
    sqlite3_db_config(index->db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
    sqlite3_db_config(index->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    index->damaged = false;
    ok = ok && make_tables(index) && configure(index);
    if (!ok)
        snprintf(error_r, size, "%s", index->error);
    return ok;
}

bool areas_index_to_memory(struct index *index, char *error_r, size_t size)
{
    sqlite3 *memory = NULL, *file = index->db;
    sqlite3_backup *backup = NULL;
    bool copied = false, ours = false;

    forget_statements(index);
    areas_index_rollback(index);
    if (sqlite3_open(":memory:", &memory) == SQLITE_OK && !index->damaged &&
        (backup = sqlite3_backup_init(memory, "main", file, "main")) != NULL) {
        copied = sqlite3_backup_step(backup, -1) == SQLITE_DONE;
        sqlite3_backup_finish(backup);
    }
    sqlite3_close(file);
    index->db = memory;
    index->in_memory = true;
    index->read_only = false;
    index->damaged = false;
    ours = memory != NULL && configure(index) && copied && is_ours(index);
    if (ours || (memory != NULL && areas_index_reset(index, error_r, size)))
        return true;
    snprintf(error_r, size, "index in memory: %s", memory != NULL ? sqlite3_errmsg(memory) : "no memory");
    return false;
}

static struct index *open_once(const char *path, bool *vanished_r, char *error_r, size_t size)
{
    struct index *index = mem_alloc(sizeof(*index));

    *vanished_r = false;
    index->path = mem_strdup(path);
    if (!connect_file(index))
        goto fail;
    if (is_ours(index))
        return index;
    if (index->read_only) {
        if (areas_index_to_memory(index, error_r, size))
            return index;
        goto fail;
    }
    /* Empty, or not ours: making the tables in place works for the former only. */
    if (!index->damaged && make_tables(index))
        return index;
    if (index->failure != SQLITE_BUSY && areas_index_reset(index, error_r, size))
        return index;
fail:
    snprintf(error_r, size, "%s", index->error);
    *vanished_r = index->vanished;
    areas_index_close(index);
    return NULL;
}

struct index *areas_index_open(const char *path, char *error_r, size_t size)
{
    struct index *index = NULL;
    bool vanished = true;

    for (int i = 0; index == NULL && vanished && i < OPEN_ATTEMPTS; i++)
        index = open_once(path, &vanished, error_r, size);
    if (index != NULL)
        error_r[0] = '\0'; /* of earlier attempts */
    return index;
}

void areas_index_close(struct index *index)
{
    if (index == NULL)
        return;
    forget_statements(index);
    sqlite3_close(index->db);
    free(index->path);
    free(index);
}

bool areas_index_read_only(const struct index *index)
{
    return index->read_only;
}

bool areas_index_moved(const struct index *index)
{
    int moved = 0;

    if (!index->in_memory)
        sqlite3_file_control(index->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

bool areas_index_in_memory(const struct index *index)
{
    return index->in_memory;
}

bool areas_index_damaged(const struct index *index)
{
    return index->damaged;
}

bool areas_index_unwritable(const struct index *index)
{
    return !index->in_memory &&
           (index->failure == SQLITE_READONLY || index->failure == SQLITE_CANTOPEN ||
            index->failure == SQLITE_FULL || index->failure == SQLITE_IOERR || index->failure == SQLITE_PERM);
}

void areas_index_set_damaged(struct index *index)
{
    index->damaged = true;
    snprintf(index->error, sizeof(index->error), "index %s: damaged", index->path);
}

const char *areas_index_error(const struct index *index)
{
    return index->error;
}

sqlite3_stmt *areas_index_statement(struct index *index, enum areas_index_statement which)
{
    sqlite3_stmt **s = &index->statements[which];

    if (*s == NULL && sqlite3_prepare_v3(index->db, index_sql[which], -1, SQLITE_PREPARE_PERSISTENT, s,
                                         NULL) != SQLITE_OK) {
        note_failure(index, sqlite3_extended_errcode(index->db));
        return NULL;
    }
    sqlite3_reset(*s);
    sqlite3_clear_bindings(*s);
    return *s;
}

int areas_index_step(struct index *index, sqlite3_stmt *statement)
{
    int code = statement != NULL ? sqlite3_step(statement) : SQLITE_ERROR;

    if (code != SQLITE_ROW && statement != NULL) {
        if (code != SQLITE_DONE)
            note_failure(index, sqlite3_extended_errcode(index->db));
        sqlite3_reset(statement); /* ends the read transaction */
    }
    return code;
}

bool areas_index_run(struct index *index, sqlite3_stmt *statement)
{
    return areas_index_step(index, statement) == SQLITE_DONE;
}

void areas_index_shrink(struct index *index)
{
    (void)sqlite3_db_release_memory(index->db);
}

int64_t areas_index_last_id(const struct index *index)
{
    return sqlite3_last_insert_rowid(index->db);
}

bool areas_index_begin(struct index *index)
{
    return execute(index, "BEGIN IMMEDIATE");
}

bool areas_index_begin_reading(struct index *index)
{
    return sqlite3_get_autocommit(index->db) == 0 || execute(index, "BEGIN");
}

bool areas_index_commit(struct index *index)
{
    return execute(index, "COMMIT");
}

void areas_index_rollback(struct index *index)
{
    if (index->db != NULL && sqlite3_get_autocommit(index->db) == 0)
        sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
}
