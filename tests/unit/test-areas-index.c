/* The index as a file: damaged, deleted, foreign, unwritable, shared by many; and nothing secret in it. */
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "modules/areas/index.h"
#include "tests/unit/areas_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

#define FILES 40

static struct fixture fixture;
static struct buf log_text;

static void put_numbered(int i)
{
    char address[40], name[40];
    X509 *certificate;

    snprintf(address, sizeof(address), "u%d@x.example", i);
    snprintf(name, sizeof(name), "public/%d.pem", i);
    certificate = make_certificate(&(struct maker){.address = address, .serial = i + 1});
    put_certificate(&fixture, name, certificate);
    X509_free(certificate);
}

static void set_up(void)
{
    char *path;

    fixture_start(&fixture);
    path = mem_printf("%s/log", fixture.root);
    log_open(path, "test");
    free(path);
    for (int i = 0; i < FILES; i++)
        put_numbered(i);
    fixture_open(&fixture);
    fixture_refresh(&fixture);
}

static const char *log_so_far(void)
{
    char *path = mem_printf("%s/log", fixture.root);

    buf_clear(&log_text);
    if (fdio_read_file(path, 1 << 20, &log_text) != 0)
        buf_add_text(&log_text, "");
    free(path);
    return buf_text(&log_text);
}

static void tear_down(void)
{
    log_close();
    buf_free(&log_text);
    fixture_end(&fixture);
}

static void expect_all(void)
{
    struct areas_list list;
    char address[40];

    fixture_refresh(&fixture);
    for (int i = 0; i < FILES; i++) {
        snprintf(address, sizeof(address), "u%d@x.example", i);
        ck_assert_int_eq(areas_find_address(fixture.areas, ALL_AREAS, address, &list, fixture.error, 100), 0);
        ck_assert_uint_eq(list.count, 1);
        ck_assert_str_eq(list.items[0].addresses.items[0], address);
        areas_list_free(&list);
    }
}

static void scribble(off_t from, off_t to)
{
    int fd = open(fixture.settings.index_file, O_WRONLY | O_CLOEXEC);
    char noise[512];

    memset(noise, 0x5a, sizeof(noise));
    for (off_t at = from; fd >= 0 && at < to; at += (off_t)sizeof(noise))
        ck_assert_int_eq(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
    fdio_close(&fd);
}

static off_t index_size(void)
{
    struct stat st;

    ck_assert_int_eq(stat(fixture.settings.index_file, &st), 0);
    return st.st_size;
}

START_TEST(damaged_while_closed)
{
    set_up();
    const off_t places[][2] = {{0, 512}, {512, 4096}, {4096, 8192}, {8192, index_size()}, {0, index_size()}};

    for (size_t i = 0; i < ROWS(places); i++) {
        areas_close(fixture.areas);
        scribble(places[i][0], places[i][1]);
        fixture_open(&fixture);
        expect_all();
    }
    areas_close(fixture.areas);
    ck_assert_int_eq(truncate(fixture.settings.index_file, index_size() / 2), 0);
    fixture_open(&fixture);
    expect_all();
    ck_assert_ptr_nonnull(strstr(log_so_far(), "index-damaged"));
    tear_down();
}
END_TEST

START_TEST(damaged_while_open)
{
    set_up();
    for (off_t at = 0; at < index_size(); at += 4096) { /* page by page, the cache must not hide it */
        areas_close(fixture.areas);
        fixture_open(&fixture);
        scribble(at, at + 4096);
        expect_all();
    }
    tear_down();
}
END_TEST

static int64_t ask_index(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t result = 0;

    ck_assert_int_eq(sqlite3_open(fixture.settings.index_file, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    if (sqlite3_step(statement) == SQLITE_ROW)
        result = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return result;
}

/* What SQLite cannot notice: a certificate that is not the one its row says. */
START_TEST(wrong_contents)
{
    set_up();
    ask_index("UPDATE certificate SET der = (SELECT der FROM certificate WHERE id = 2) WHERE id = 1");
    expect_all();
    ask_index("UPDATE certificate SET der = x'3000' WHERE id = 1");
    expect_all();
    tear_down();
}
END_TEST

START_TEST(nothing_is_left_behind)
{
    char name[40];

    set_up();
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "public/%d.pem", i);
        remove_file(&fixture, name);
    }
    fixture_refresh(&fixture);
    ck_assert_int_eq(ask_index("SELECT count(*) FROM file"), 0);
    ck_assert_int_eq(ask_index("SELECT count(*) FROM certificate"), 0);
    ck_assert_int_eq(ask_index("SELECT count(*) FROM address"), 0);
    tear_down();
}
END_TEST

START_TEST(foreign_file)
{
    sqlite3 *db;
    char noise[200];

    memset(noise, 'n', sizeof(noise));
    set_up();
    areas_close(fixture.areas);
    put_file(&fixture, "index.sqlite", noise, sizeof(noise), 0);
    fixture_open(&fixture);
    expect_all();
    areas_close(fixture.areas);
    /* Another version of our own tables. */
    ck_assert_int_eq(sqlite3_open(fixture.settings.index_file, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA user_version = 99; DROP TABLE address", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    fixture_open(&fixture);
    expect_all();
    tear_down();
}
END_TEST

START_TEST(deleted_while_open)
{
    set_up();
    ck_assert_int_eq(unlink(fixture.settings.index_file), 0);
    expect_all();
    ck_assert_int_gt(index_size(), 0); /* a new one */
    tear_down();
}
END_TEST

START_TEST(other_directories)
{
    char *elsewhere, *old;

    set_up();
    areas_close(fixture.areas);
    elsewhere = mem_printf("%s/elsewhere", fixture.root);
    old = mem_printf("%s/public", fixture.root);
    ck_assert_int_eq(mkdir(elsewhere, 0755), 0);
    free((void *)(uintptr_t)fixture.settings.directories[AREA_PUBLIC]);
    fixture.settings.directories[AREA_PUBLIC] = elsewhere;
    fixture_open(&fixture);
    fixture_refresh(&fixture);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "u1@x.example"), 0);
    free(old);
    tear_down();
}
END_TEST

/* BASE may be reached through a link: no reason to read everything again. */
START_TEST(through_a_link)
{
    char *link, *by_link;
    struct stat before, after;

    set_up();
    fixture_settle(&fixture);
    areas_close(fixture.areas);
    link = mem_printf("%s.link", fixture.root);
    ck_assert_int_eq(symlink(fixture.root, link), 0);
    for (size_t i = 0; i < AREA_COUNT; i++) {
        by_link = mem_printf("%s/%s", link, area_name((enum area)i));
        free((void *)(uintptr_t)fixture.settings.directories[i]);
        fixture.settings.directories[i] = by_link;
    }
    by_link = mem_printf("%s/index.sqlite", link);
    free((void *)(uintptr_t)fixture.settings.index_file);
    fixture.settings.index_file = by_link;
    ck_assert_int_eq(stat(by_link, &before), 0);
    fixture_open(&fixture);
    expect_all();
    ck_assert_int_eq(stat(by_link, &after), 0);
    ck_assert(before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
              before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    unlink(link);
    free(link);
    tear_down();
}
END_TEST

/* What an administrator's command makes must not stand in the modules' way. */
START_TEST(made_by_root)
{
    char *folder, *path, error[200] = "";
    struct index *index;
    struct stat st;

    if (geteuid() != 0)
        return;
    set_up();
    folder = mem_printf("%s/of-another", fixture.root);
    path = mem_printf("%s/index", folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    ck_assert_int_eq(chown(folder, 4711, 4712), 0);
    index = areas_index_open(path, error, sizeof(error));
    ck_assert_ptr_nonnull(index);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_uid, 4711);
    ck_assert_uint_eq(st.st_gid, 4712);
    ck_assert_int_eq(st.st_mode & 07027, 0);
    areas_index_close(index);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    free(folder);
    free(path);
    tear_down();
}
END_TEST

/* A process of another user that can read the index but not write it. */
START_TEST(not_writable)
{
    if (geteuid() != 0)
        return;
    set_up();
    fixture_settle(&fixture);
    areas_close(fixture.areas);
    ck_assert_int_eq(chmod(fixture.root, 0755), 0);
    ck_assert_int_eq(setresuid(65534, 65534, 0), 0);
    fixture_open(&fixture);
    expect_all();
    ck_assert_int_eq(seteuid(0), 0);
    tear_down();
}
END_TEST

START_TEST(not_writable_and_changed)
{
    int status;
    pid_t pid;

    if (geteuid() != 0)
        return;
    set_up();
    fixture_settle(&fixture);
    put_numbered(FILES);
    ck_assert_int_eq(chmod(fixture.root, 0755), 0);
    pid = fork();
    if (pid == 0) {
        areas_close(fixture.areas);
        ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
        fixture_open(&fixture);
        expect_all();
        _exit(count_address(&fixture, ALL_AREAS, "u40@x.example") == 1 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    expect_all();
    tear_down();
}
END_TEST

START_TEST(cannot_be_made)
{
    char error[300] = "";
    struct areas_settings settings;

    fixture_start(&fixture);
    settings = fixture.settings;
    settings.index_file = "/nonexistent/index.sqlite";
    ck_assert_ptr_null(areas_open(&settings, error, sizeof(error)));
    ck_assert_ptr_nonnull(strstr(error, "/nonexistent/index.sqlite"));
    fixture_end(&fixture);
}
END_TEST

/* ---- many at once ---- */

#define READERS 8
#define ROUNDS  60

/* Certificates 0..9 stay; look-ups for them never fail and never find nothing. */
static void read_for_ever(int stop)
{
    struct areas *areas = areas_open(&fixture.settings, fixture.error, sizeof(fixture.error));
    struct areas_list list;
    char address[40], byte;
    unsigned int n = 0;

    while (areas != NULL && read(stop, &byte, 1) < 0) {
        int i = (int)(n++ % 10);

        snprintf(address, sizeof(address), "u%d@x.example", i);
        if (areas_refresh(areas, fixture.error, sizeof(fixture.error)) != 0 ||
            areas_find_address(areas, ALL_AREAS, address, &list, fixture.error, sizeof(fixture.error)) != 0) {
            fprintf(stderr, "%s\n", fixture.error);
            _exit(2);
        }
        if (list.count != 1)
            _exit(3);
        areas_list_free(&list);
    }
    areas_close(areas);
    _exit(areas != NULL && n > 0 ? 0 : 4);
}

static void wait_for(const pid_t *readers)
{
    for (int i = 0; i < READERS; i++) {
        int status;

        ck_assert_int_eq(waitpid(readers[i], &status, 0), readers[i]);
        ck_assert_msg(status == 0, "reader %d: %x", i, (unsigned int)status);
    }
}

static void start_readers(pid_t *readers, int stop[2])
{
    ck_assert_int_eq(pipe2(stop, O_NONBLOCK | O_CLOEXEC), 0);
    for (int i = 0; i < READERS; i++) {
        readers[i] = fork();
        if (readers[i] == 0) {
            close(stop[1]);
            read_for_ever(stop[0]);
        }
    }
    close(stop[0]);
}

START_TEST(many_readers)
{
    pid_t readers[READERS];
    char name[40];
    int stop[2];

    set_up();
    start_readers(readers, stop);
    for (int round = 0; round < ROUNDS; round++) {
        snprintf(name, sizeof(name), "public/%d.pem", 10 + round % (FILES - 10));
        remove_file(&fixture, name);
        usleep(10000);
        put_numbered(10 + round % (FILES - 10));

        usleep(10000);
    }
    close(stop[1]);
    wait_for(readers);
    expect_all();
    tear_down();
}
END_TEST

START_TEST(many_readers_of_a_vanishing_index)
{
    pid_t readers[READERS];
    int stop[2];

    set_up();
    start_readers(readers, stop);
    for (int round = 0; round < 30; round++) {
        usleep(30000);
        if (round % 2 == 0)
            unlink(fixture.settings.index_file);
        else
            scribble(0, 4096);
    }
    usleep(200000);
    close(stop[1]);
    wait_for(readers);
    expect_all();
    tear_down();
}
END_TEST

/* ---- nothing secret ---- */

static bool contains(const struct buf *file, const void *octets, size_t len)
{
    return memmem(file->data, file->len, octets, len) != NULL;
}

static const char *phrase(void *context)
{
    (void)context;
    return "the-central-pass-phrase";
}

START_TEST(no_secrets)
{
    static const char *const numbers[] = {OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1,
                                          OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1};
    EVP_PKEY *key = make_key("RSA", 2048);
    X509 *certificate = make_certificate(&(struct maker){.address = "own@x.example", .key = key});
    struct buf index = {0}, modulus = {0};
    unsigned char octets[256];

    fixture_start(&fixture);
    fixture.settings.pass_phrase = phrase;
    put_certificate(&fixture, "private/cert.pem", certificate);
    put_key(&fixture, "private/key.pem", key, "the-central-pass-phrase");
    fixture_open(&fixture);
    fixture_refresh(&fixture);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "own@x.example"), 1);
    ck_assert_int_eq(fdio_read_file(fixture.settings.index_file, 10 << 20, &index), 0);
    for (size_t i = 0; i < ROWS(numbers); i++) {
        BIGNUM *number = NULL;
        int len;

        ck_assert_int_eq(EVP_PKEY_get_bn_param(key, numbers[i], &number), 1);
        len = BN_bn2bin(number, octets);
        ck_assert_msg(!contains(&index, octets, 16), "%s", numbers[i]);
        BN_bn2lebinpad(number, octets, len);
        ck_assert_msg(!contains(&index, octets, 16), "%s", numbers[i]);
        BN_clear_free(number);
    }
    ck_assert(!contains(&index, "PRIVATE KEY", 11));
    ck_assert(!contains(&index, "the-central-pass-phrase", 23));
    {
        BIGNUM *number = NULL; /* the search itself works: the public half is there */

        ck_assert_int_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &number), 1);
        BN_bn2bin(number, octets);
        ck_assert(contains(&index, octets, 16));
        BN_free(number);
    }
    buf_free(&index);
    buf_free(&modulus);
    X509_free(certificate);
    EVP_PKEY_free(key);
    fixture_end(&fixture);
}
END_TEST

UNIT_MAIN("areas-index", damaged_while_closed, damaged_while_open, wrong_contents, nothing_is_left_behind,
          foreign_file, deleted_while_open, other_directories, through_a_link, made_by_root, not_writable,
          not_writable_and_changed, cannot_be_made, many_readers, many_readers_of_a_vanishing_index,
          no_secrets)
