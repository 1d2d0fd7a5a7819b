/* The index follows the directories: whatever comes, goes or changes, by whatever means. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/areas/index.h"
#include "tests/unit/areas_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

static struct fixture fixture;
static X509 *a, *b;
static struct buf a_pem, b_pem;

static void set_up(void)
{
    a = make_certificate(&(struct maker){.address = "a@x.example"});
    b = make_certificate(&(struct maker){.address = "b@x.example"});
    add_pem(&a_pem, a);
    add_pem(&b_pem, b);
    fixture_start(&fixture);
    fixture_open(&fixture);
}

static void tear_down(void)
{
    fixture_end(&fixture);
    X509_free(a);
    X509_free(b);
    buf_free(&a_pem);
    buf_free(&b_pem);
}

static void expect(size_t count_a, size_t count_b)
{
    fixture_refresh(&fixture);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "a@x.example"), count_a);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "b@x.example"), count_b);
}

static void move_file(const char *from, const char *to)
{
    char *old = mem_printf("%s/%s", fixture.root, from), *new = mem_printf("%s/%s", fixture.root, to);

    ck_assert_int_eq(rename(old, new), 0);
    free(old);
    free(new);
}

START_TEST(coming_and_going)
{
    set_up();
    expect(0, 0);
    put_file(&fixture, "public/f", a_pem.data, a_pem.len, 0);
    expect(1, 0);
    move_file("public/f", "trusted/g");
    expect(1, 0);
    put_file(&fixture, "public/f", b_pem.data, b_pem.len, 0);
    expect(1, 1);
    move_file("public/f", "trusted/g"); /* over the other one */
    expect(0, 1);
    remove_file(&fixture, "trusted/g");
    expect(0, 0);
    tear_down();
}
END_TEST

/* The same once the directories are old, so that stamps are believed. */
START_TEST(coming_and_going_settled)
{
    set_up();
    put_file(&fixture, "public/f", a_pem.data, a_pem.len, 0);
    fixture_settle(&fixture);
    expect(1, 0);
    put_file(&fixture, "public/g", b_pem.data, b_pem.len, 0);
    expect(1, 1);
    fixture_settle(&fixture);
    remove_file(&fixture, "public/f");
    expect(0, 1);
    tear_down();
}
END_TEST

static void overwrite(const char *name, const struct buf *data)
{
    char *path = mem_printf("%s/%s", fixture.root, name);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fdio_write_all(fd, data->data, data->len), 0);
    close(fd);
    free(path);
}

START_TEST(overwritten_in_place)
{
    set_up();
    put_file(&fixture, "public/f", a_pem.data, a_pem.len, 0);
    fixture_settle(&fixture);
    overwrite("public/f", &b_pem);
    /* The directory did not change. A look-up of what the file held looks at the file ... */
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "a@x.example"), 0);
    /* ... and read it anew */
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "b@x.example"), 1);
    tear_down();
}
END_TEST

/* Two changes within one tick of the file system's clock: the stamp says nothing, so a young file is read
   once more when it is old. */
START_TEST(overwritten_within_a_tick)
{
    size_t len = (a_pem.len > b_pem.len ? a_pem.len : b_pem.len) + 1;

    set_up();
    while (a_pem.len < len)
        buf_add(&a_pem, "\n", 1);
    while (b_pem.len < len)
        buf_add(&b_pem, "\n", 1);
    fixture_stop_ticking();
    put_file(&fixture, "public/f", a_pem.data, a_pem.len, 0);
    expect(1, 0);
    overwrite("public/f", &b_pem);
    fixture_settle(&fixture);
    expect(0, 1);
    tear_down();
}
END_TEST

START_TEST(overwritten_and_rescanned)
{
    set_up();
    areas_close(fixture.areas);
    fixture.settings.rescan_seconds = 3;
    fixture_open(&fixture);
    put_file(&fixture, "public/f", a_pem.data, a_pem.len, 0);
    fixture_settle(&fixture);
    overwrite("public/f", &b_pem);
    fixture_pass(4);
    fixture_refresh(&fixture);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "b@x.example"), 1);
    tear_down();
}
END_TEST

/* Same size, same modification time, as rsync -t or touch -r leave it. */
START_TEST(disguised)
{
    struct timespec times[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
    char *path;

    set_up();
    if (a_pem.len != b_pem.len)
        ck_abort_msg("sizes differ: %zu %zu", a_pem.len, b_pem.len);
    path = mem_printf("%s/public/f", fixture.root);
    put_file(&fixture, "public/f", a_pem.data, a_pem.len, 0);
    utimensat(AT_FDCWD, path, times, 0);
    fixture_settle(&fixture);
    overwrite("public/f", &b_pem);
    utimensat(AT_FDCWD, path, times, 0);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "a@x.example"), 0);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "b@x.example"), 1);
    free(path);
    tear_down();
}
END_TEST

/* A slow copy: each state is looked at, the last one counts. */
START_TEST(slow_copy)
{
    char *path;
    int fd;

    set_up();
    path = mem_printf("%s/public/f", fixture.root);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    expect(0, 0);
    ck_assert_int_eq(fdio_write_all(fd, a_pem.data, a_pem.len / 2), 0);
    fixture_settle(&fixture); /* the directory is old, the file half */
    expect(0, 0);
    ck_assert_int_eq(fdio_write_all(fd, a_pem.data + a_pem.len / 2, a_pem.len - a_pem.len / 2), 0);
    close(fd);
    expect(1, 0);
    free(path);
    tear_down();
}
END_TEST

START_TEST(links_and_other_names)
{
    static const char *const ignored[] = {"public/.hidden", "public/f~",     "public/f.bak",
                                          "public/f.old",   "public/f.orig", "public/f.tmp",
                                          "public/f.part",  "public/#f#",    "public/f.swp"};
    char *target, *link, *folder;

    set_up();
    for (size_t i = 0; i < ROWS(ignored); i++)
        put_file(&fixture, ignored[i], a_pem.data, a_pem.len, 0);
    folder = mem_printf("%s/public/folder", fixture.root);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    put_file(&fixture, "public/folder/f", a_pem.data, a_pem.len, 0); /* not descended into */
    expect(0, 0);
    put_file(&fixture, "elsewhere", a_pem.data, a_pem.len, 0);
    target = mem_printf("%s/elsewhere", fixture.root);
    link = mem_printf("%s/public/link", fixture.root);
    ck_assert_int_eq(symlink(target, link), 0);
    expect(1, 0);
    fixture_settle(&fixture);
    overwrite("elsewhere", &b_pem);
    ck_assert_uint_eq(count_address(&fixture, ALL_AREAS, "a@x.example"), 0);
    expect(0, 1);
    remove_file(&fixture, "elsewhere"); /* now the link leads nowhere */
    expect(0, 0);
    put_file(&fixture, "elsewhere", a_pem.data, a_pem.len, 0);
    expect(1, 0);
    free(target);
    free(link);
    free(folder);
    tear_down();
}
END_TEST

static size_t log_lines(const char *path, const char *text)
{
    struct buf log = {0};
    size_t count = 0;

    if (fdio_read_file(path, 1 << 20, &log) == 0)
        for (const char *p = log.data; (p = strstr(p, text)) != NULL; p++)
            count++;
    buf_free(&log);
    return count;
}

START_TEST(faults_told_once)
{
    char *log;

    set_up();
    log = mem_printf("%s/log", fixture.root);
    log_open(log, "test");
    put_file(&fixture, "public/good", a_pem.data, a_pem.len, 0);
    put_file(&fixture, "public/bad", "no certificate here", 19, 0);
    fixture_settle(&fixture);
    expect(1, 0); /* the others count */
    expect(1, 0);
    ck_assert_uint_eq(log_lines(log, "public/bad"), 1);
    areas_close(fixture.areas); /* another process does not tell it again */
    fixture_open(&fixture);
    expect(1, 0);
    ck_assert_uint_eq(log_lines(log, "public/bad"), 1);
    put_file(&fixture, "public/bad", "still none", 10, 0);
    fixture_settle(&fixture);
    ck_assert_uint_eq(log_lines(log, "public/bad"), 2);
    put_file(&fixture, "public/bad", b_pem.data, b_pem.len, 0);
    expect(1, 1);
    ck_assert_uint_eq(log_lines(log, "public/bad"), 2);
    log_close();
    free(log);
    tear_down();
}
END_TEST

/* Nothing is unreadable for root. */
static void become_ordinary(void)
{
    if (geteuid() == 0)
        ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
}

START_TEST(unreadable_file)
{
    char *path;

    become_ordinary();
    set_up();
    put_file(&fixture, "public/f", a_pem.data, a_pem.len, 0);
    put_file(&fixture, "public/g", b_pem.data, b_pem.len, 0);
    path = mem_printf("%s/public/f", fixture.root);
    ck_assert_int_eq(chmod(path, 0), 0);
    fixture_settle(&fixture);
    expect(0, 1);
    ck_assert_int_eq(chmod(path, 0644), 0);
    expect(1, 1);
    free(path);
    tear_down();
}
END_TEST

START_TEST(vanished_directory)
{
    set_up();
    put_file(&fixture, "trusted/f", a_pem.data, a_pem.len, 0);
    expect(1, 0);
    ck_assert_int_eq(rmdir(fixture.settings.directories[AREA_PUBLIC]), 0);
    ck_assert_int_eq(areas_refresh(fixture.areas, fixture.error, sizeof(fixture.error)), -1);
    ck_assert_ptr_nonnull(strstr(fixture.error, "public area"));
    ck_assert_uint_eq(count_address(&fixture, 1u << AREA_TRUSTED, "a@x.example"),
                      1); /* the old state is still usable */
    tear_down();
}
END_TEST

UNIT_MAIN("areas-follow", coming_and_going, coming_and_going_settled, overwritten_in_place,
          overwritten_within_a_tick, overwritten_and_rescanned, disguised, slow_copy, links_and_other_names,
          faults_told_once, unreadable_file, vanished_directory)
