/* What julia-moduled is made of: its socket and its workers. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "modules/moduled/listen.h"
#include "modules/moduled/workers.h"
#include "tests/unit/unit.h"
#include "util/deadline.h"
#include "util/fdio.h"
#include "util/mem.h"

static const struct listen_owner nobody_else = {(uid_t)-1, (gid_t)-1};
static char dir[] = "/tmp/julia-test-XXXXXX";

static char *in_dir(const char *name)
{
    if (strstr(dir, "XXXXXX") != NULL)
        ck_assert_ptr_nonnull(mkdtemp(dir));
    return mem_printf("%s/%s", dir, name);
}

static int try_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    rc = connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    return rc;
}

START_TEST(socket_file)
{
    char *path = in_dir("socket"), *file = in_dir("file"), *long_path;
    struct stat st;
    int fd = listen_open(path, &nobody_else), other;
    struct listen_owner group = {(uid_t)-1, getgid()};

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(try_connect(path), 0);
    ck_assert_int_lt(listen_open(path, &nobody_else), 0); /* somebody serves it */
    ck_assert_int_eq(try_connect(path), 0);
    close(fd);
    other = listen_open(path, &group); /* nobody does any more */
    ck_assert_int_ge(other, 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0660);
    close(other);
    ck_assert_int_eq(fdio_replace_file(file, "precious", 8, 0600), 0);
    ck_assert_int_lt(listen_open(file, &nobody_else), 0);
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_int_eq(st.st_size, 8);
    long_path = mem_printf("%s/%0200d", dir, 0);
    ck_assert_int_lt(listen_open(long_path, &nobody_else), 0);
    unlink(path);
    unlink(file);
    rmdir(dir);
    free(path);
    free(file);
    free(long_path);
}
END_TEST

#define NOT_FOR_EVER_MS 40000

/* ---- workers: shell scripts that leave a line each in a file ---- */

struct run {
    char *script, *lines;
    pid_t pid;
};

/* Workers that leave their line between `before` and `after`. */
static struct run start(const char *before, const char *after, size_t count)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    struct run run = {.script = in_dir("script"), .lines = in_dir("lines")};
    char *text = mem_printf("#!/bin/sh\n%s\necho $$ >>%s\n%s\n", before, run.lines, after);

    ck_assert_int_eq(fdio_replace_file(run.script, text, strlen(text), 0700), 0);
    free(text);
    run.pid = fork();
    if (run.pid == 0) {
        char *const argv[] = {run.script, NULL};
        struct workers_spec spec = {.argv = argv, .env = env, .socket_fd = -1, .count = count};

        _exit(workers_run(&spec));
    }
    return run;
}

static size_t line_count(const struct run *run)
{
    struct buf text = {0};
    size_t lines = 0;

    (void)fdio_read_file(run->lines, 1 << 20, &text);
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    buf_free(&text);
    return lines;
}

static bool reaches(const struct run *run, size_t lines)
{
    deadline until = deadline_in(NOT_FOR_EVER_MS);

    while (line_count(run) < lines && !deadline_passed(until))
        usleep(20000);
    return line_count(run) >= lines;
}

static void end(struct run *run)
{
    deadline begun = deadline_in(0);
    int status;
    struct buf text = {0};
    char *save = NULL;

    ck_assert_int_eq(kill(run->pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(run->pid, &status, 0), run->pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
    ck_assert_int_lt(deadline_in(0) - begun, NOT_FOR_EVER_MS);
    ck_assert_int_eq(fdio_read_file(run->lines, 1 << 20, &text), 0);
    for (char *pid = strtok_r(text.data, "\n", &save); pid != NULL; pid = strtok_r(NULL, "\n", &save))
        ck_assert_msg(kill((pid_t)atol(pid), 0) != 0 && errno == ESRCH, "worker %s is still there", pid);
    unlink(run->script);
    unlink(run->lines);
    rmdir(dir);
    buf_free(&text);
    free(run->script);
    free(run->lines);
}

START_TEST(always_as_many)
{
    struct run run = start("", "exec sleep 1000", 3);
    struct buf text = {0};

    ck_assert(reaches(&run, 3));
    ck_assert_int_eq(fdio_read_file(run.lines, 1000, &text), 0);
    kill((pid_t)atol(text.data), SIGKILL); /* the others are not touched */
    ck_assert(reaches(&run, 4));
    usleep(100000);
    ck_assert_uint_eq(line_count(&run), 4);
    buf_free(&text);
    end(&run);
}
END_TEST

START_TEST(hang_up_restarts)
{
    deadline begun = deadline_in(0);
    struct run run = start("trap 'exit 0' HUP", "while :; do sleep 0.05; done", 2);

    ck_assert(reaches(&run, 2));
    kill(run.pid, SIGHUP);
    ck_assert(reaches(&run, 4));
    usleep(200000);
    ck_assert_uint_eq(line_count(&run), 4);
    for (size_t i = 3; i < 10; i++) { /* who ends because it was told to is no reason for caution */
        kill(run.pid, SIGHUP);
        ck_assert(reaches(&run, 2 * i));
    }
    ck_assert_int_lt(deadline_in(0) - begun, 30000); /* with back-off the seven take more than 31 s */
    end(&run);
}
END_TEST

START_TEST(nobody_outlives_it)
{
    struct run run = start("", "exec sleep 1000", 1);
    struct buf text = {0};
    deadline until = deadline_in(NOT_FOR_EVER_MS);

    ck_assert(reaches(&run, 1));
    kill(run.pid, SIGKILL);
    ck_assert_int_eq(waitpid(run.pid, NULL, 0), run.pid);
    ck_assert_int_eq(fdio_read_file(run.lines, 1000, &text), 0);
    while (kill((pid_t)atol(text.data), 0) == 0 && !deadline_passed(until))
        usleep(20000);
    ck_assert(kill((pid_t)atol(text.data), 0) != 0);
    unlink(run.script);
    unlink(run.lines);
    rmdir(dir);
    buf_free(&text);
    free(run.script);
    free(run.lines);
}
END_TEST

/* One that always dies at once does not eat the machine: 250, 500, 1000 ms ... between two starts. */
START_TEST(backs_off)
{
    deadline begun = deadline_in(0);
    struct run run = start("", "exit 1", 1);

    ck_assert(reaches(&run, 4));
    ck_assert_int_ge(deadline_in(0) - begun, 1750);
    end(&run);
}
END_TEST

/* A worker that ignores SIGTERM does not keep the service from ending. Its limit of 10 s is waited for here.
 */
START_TEST(stubborn_worker)
{
    struct run run = start("trap '' TERM", "while :; do sleep 0.1; done", 1);
    deadline begun = deadline_in(0);
    int status;

    ck_assert(reaches(&run, 1));
    kill(run.pid, SIGTERM);
    ck_assert_int_eq(waitpid(run.pid, &status, 0), run.pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_lt(deadline_in(0) - begun, NOT_FOR_EVER_MS);
    unlink(run.script);
    unlink(run.lines);
    rmdir(dir);
    free(run.script);
    free(run.lines);
}
END_TEST

UNIT_MAIN("module-workers", socket_file, always_as_many, hang_up_restarts, nobody_outlives_it, backs_off,
          stubborn_worker)
