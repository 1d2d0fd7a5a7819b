#include "util/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/mem.h"
#include "util/tmpfile.h"

static char *folder;

static char *in_folder(const char *name)
{
    return mem_printf("%s/%s", folder, name);
}

static void set_up(void)
{
    folder = mem_strdup("/tmp/test-fdio.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
    char *command = mem_printf("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
    free(folder);
}

START_TEST(ranges)
{
    int from = tmpfile_open("/tmp", 10, 100), to = tmpfile_open("/tmp", UINT64_MAX, 100);
    char *big = mem_alloc(300000), back[4];
    uint64_t size;

    memset(big, 'x', 300000);
    ck_assert_int_eq(fdio_write_all(from, "ab", 2), 0);
    ck_assert_int_eq(fdio_write_all(from, big, 300000), 0);
    ck_assert_int_eq(fdio_write_all(from, "yz", 2), 0);
    ck_assert_int_eq(fdio_copy_range(from, 1, 300002, to), 0);
    ck_assert_int_eq(fdio_size(to, &size), 0);
    ck_assert_uint_eq(size, 300002);
    ck_assert_int_eq(fdio_pread_all(to, back, 2, 0), 0);
    ck_assert(memcmp(back, "bx", 2) == 0);
    ck_assert_int_eq(fdio_pread_all(to, back, 2, 300000), 0);
    ck_assert(memcmp(back, "xy", 2) == 0);
    errno = 0;
    ck_assert_int_eq(fdio_pread_all(to, back, 3, 300000), -1);
    ck_assert_int_eq(errno, EIO);
    ck_assert_int_eq(fdio_copy_range(from, 300000, 5, to), -1);
    fdio_close(&from);
    ck_assert_int_eq(from, -1);
    fdio_close(&to);
    free(big);
}
END_TEST

START_TEST(same_ranges)
{
    int a = tmpfile_open("/tmp", 10, 100), b = tmpfile_open("/tmp", 10, 100);
    char *big = mem_alloc(300000);
    bool same = false;

    memset(big, 'x', 300000);
    ck_assert_int_eq(fdio_write_all(a, "12", 2), 0);
    ck_assert_int_eq(fdio_write_all(a, big, 300000), 0);
    ck_assert_int_eq(fdio_write_all(b, big, 300000), 0);
    ck_assert_int_eq(fdio_write_all(b, "y", 1), 0);
    ck_assert_int_eq(fdio_same_range(a, 2, b, 0, 300000, &same), 0);
    ck_assert(same);
    ck_assert_int_eq(fdio_same_range(a, 2, b, 1, 300000, &same), 0);
    ck_assert(!same);
    ck_assert_int_eq(fdio_same_range(a, 1, b, 0, 300000, &same), 0);
    ck_assert(!same);
    ck_assert_int_eq(fdio_same_range(a, 0, b, 300001, 0, &same), 0);
    ck_assert(same);
    ck_assert_int_eq(fdio_same_range(a, 2, b, 0, 300001, &same), -1);
    ck_assert_int_eq(errno, EIO);
    fdio_close(&a);
    fdio_close(&b);
    free(big);
}
END_TEST

START_TEST(reading_files)
{
    struct buf text = {0};
    char *path;

    set_up();
    path = in_folder("file");
    ck_assert_int_eq(fdio_replace_file(path, "12345", 5, 0640), 0);
    ck_assert_int_eq(fdio_read_file(path, 5, &text), 0);
    ck_assert_str_eq(buf_text(&text), "12345");
    ck_assert_int_eq(fdio_read_file(path, 4, &text), -1);
    ck_assert_int_eq(errno, EFBIG);
    ck_assert_int_eq(fdio_read_file(folder, 4, &text), -1);
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_int_eq(fdio_read_file("/nonexistent", 4, &text), -1);
    ck_assert_int_eq(errno, ENOENT);
    buf_free(&text);
    free(path);
    tear_down();
}
END_TEST

START_TEST(replacing_files)
{
    struct buf text = {0};
    struct stat st;
    char *path, *missing, *command;

    set_up();
    path = in_folder("file");
    missing = in_folder("no/file");
    ck_assert_int_eq(fdio_replace_file(path, "old", 3, 0600), 0);
    ck_assert_int_eq(fdio_replace_file(path, "newer", 5, 0644), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0644);
    ck_assert_int_eq(fdio_read_file(path, 100, &text), 0);
    ck_assert_str_eq(buf_text(&text), "newer");
    ck_assert_int_eq(fdio_replace_file(missing, "x", 1, 0600), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(fdio_replace_file(folder, "x", 1, 0600),
                     -1); /* a directory stands there: nothing is left over */
    command =
        mem_printf("test \"$(ls -a %s)\" = '.\n..\nfile' && ! ls %s.?????? 2>/dev/null", folder, folder);
    ck_assert_int_eq(system(command), 0);
    buf_free(&text);
    free(command);
    free(path);
    free(missing);
    tear_down();
}
END_TEST

START_TEST(directories)
{
    char *deep, *below_file;

    set_up();
    deep = in_folder("a/b//c/");
    below_file = in_folder("f/x");
    ck_assert_int_eq(fdio_make_dirs(deep, 0750), 0);
    ck_assert_int_eq(access(deep, F_OK), 0);
    ck_assert_int_eq(fdio_make_dirs(deep, 0750), 0);
    ck_assert_int_eq(fdio_make_dirs("/", 0750), 0);
    ck_assert_int_eq(fdio_make_dirs("", 0750), -1);
    below_file[strlen(below_file) - 2] = '\0';
    ck_assert_int_eq(fdio_replace_file(below_file, "x", 1, 0600), 0);
    ck_assert_int_eq(fdio_make_dirs(below_file, 0750), -1);
    ck_assert_int_eq(errno, ENOTDIR);
    below_file[strlen(below_file)] = '/';
    ck_assert_int_eq(fdio_make_dirs(below_file, 0750), -1);
    ck_assert_int_eq(errno, ENOTDIR);
    free(deep);
    free(below_file);
    tear_down();
}
END_TEST

START_TEST(temporary_files)
{
    static const struct {
        uint64_t expect, memory_max;
        bool memory;
    } rows[] = {{0, 0, true}, {100, 100, true}, {101, 100, false}, {UINT64_MAX, UINT64_MAX, false}};

    set_up();
    for (size_t i = 0; i < ROWS(rows); i++) {
        int fd = tmpfile_open(folder, rows[i].expect, rows[i].memory_max);
        char *link = mem_printf("/proc/self/fd/%d", fd), target[200] = "";
        struct stat st;

        ck_assert_msg(fd >= 0, "row %zu", i);
        ck_assert_int_gt((int)readlink(link, target, sizeof(target) - 1), 0);
        ck_assert_msg((strstr(target, folder) == NULL) == rows[i].memory, "row %zu: %s", i, target);
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_uint_eq(st.st_nlink, 0);
        fdio_close(&fd);
        free(link);
    }
    ck_assert_int_eq(tmpfile_open("/nonexistent", UINT64_MAX, 0), -1);
    ck_assert_int_eq(errno, ENOENT);
    tear_down();
}
END_TEST

/* Nobody can change a finished file: not its maker, not who got it before, not a memory mapping. */
START_TEST(finished_files)
{
    static const char *const dirs[] = {"/tmp", NULL, "/dev/shm"}; /* NULL: a memfd; the last is a tmpfs */

    for (size_t i = 0; i < ROWS(dirs); i++) {
        bool memory = dirs[i] == NULL;
        int fd = tmpfile_open(memory ? "/tmp" : dirs[i], 4, memory ? 100 : 0), reader;
        char back[4];

        ck_assert_int_eq(fdio_write_all(fd, "abcd", 4), 0);
        int other = dup(fd);
        int rc = tmpfile_finish(&fd), why = errno;
        ck_assert_int_eq(write(fd, "x", 1), -1);
        ck_assert(memory ? rc == 0 && pwrite(other, "x", 1, 0) == -1 && ftruncate(other, 0) == -1
                         : rc == -1 && why == EBUSY);
        fdio_close(&other);
        ck_assert_int_eq(fdio_pread_all(fd, back, 4, 0), 0);
        ck_assert(memcmp(back, "abcd", 4) == 0);
        reader = dup(fd);
        ck_assert_int_eq(lseek(reader, 0, SEEK_CUR), 0);
        fdio_close(&reader);
        fdio_close(&fd);
        fd = tmpfile_open(memory ? "/tmp" : dirs[i], 4, memory ? 100 : 0);
        ck_assert_int_eq(fdio_write_all(fd, "abcd", 4), 0);
        ck_assert_msg(tmpfile_finish(&fd) == 0, "row %zu: %s", i, strerror(errno));
        ck_assert_int_eq(write(fd, "x", 1), -1);
        fdio_close(&fd);
    }
    int fd = tmpfile_open("/tmp", 4, 100);
    ck_assert_int_eq(fdio_write_all(fd, "abcd", 4), 0);
    void *map = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert(map != MAP_FAILED);
    ck_assert_int_eq(tmpfile_finish(&fd), -1);
    munmap(map, 4);
    fdio_close(&fd);
    fd = tmpfile_open("/tmp", 4, 100); /* a module that forbids to forbid */
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
    ck_assert_int_eq(tmpfile_finish(&fd), -1);
    fdio_close(&fd);
}
END_TEST

UNIT_MAIN("fdio", ranges, same_ranges, reading_files, replacing_files, directories, temporary_files,
          finished_files)
