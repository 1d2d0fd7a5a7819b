#include "util/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"
#include "util/tmpfile.h"

#define OUTPUT_MAX 4096

static const char *const plain_env[] = {"PATH=/usr/bin:/bin", NULL};

struct run {
    struct process_result result;
    struct buf output;
};

static struct run run_script(const char *script, int stdin_fd, int64_t ms, size_t max)
{
    char shell[] = "/bin/sh", flag[] = "-c", *copy = mem_strdup(script);
    char *argv[] = {shell, flag, copy, NULL};
    struct process_spec spec = {.argv = argv, .env = plain_env, .stdin_fd = stdin_fd};
    struct run run = {0};

    process_run(&spec, deadline_in(ms), &run.output, max, &run.result);
    free(copy);
    return run;
}

START_TEST(ends)
{
    static const struct {
        const char *script;
        enum process_end end;
        int code;
        const char *output;
    } rows[] = {
        {"exit 0", PROCESS_EXITED, 0, ""},
        {"echo out; echo err >&2; exit 75", PROCESS_EXITED, 75, "out\nerr\n"},
        {"kill -KILL $$", PROCESS_SIGNALLED, SIGKILL, ""},
        {"env | grep -v -e ^PWD= -e ^_= -e ^SHLVL=", PROCESS_EXITED, 0, "PATH=/usr/bin:/bin\n"},
        {"cat", PROCESS_EXITED, 0, ""},
        {"sleep 5 & echo gone", PROCESS_EXITED, 0, "gone\n"}, /* somebody still holds the pipe */
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct run run = run_script(rows[i].script, -1, 20000, OUTPUT_MAX);

        ck_assert_msg(run.result.end == rows[i].end, "row %zu: end %d", i, (int)run.result.end);
        ck_assert_msg(run.result.code == rows[i].code, "row %zu: code %d", i, run.result.code);
        ck_assert_msg(strcmp(buf_text(&run.output), rows[i].output) == 0, "row %zu: %s", i,
                      buf_text(&run.output));
        buf_free(&run.output);
    }
}
END_TEST

START_TEST(not_started)
{
    char missing[] = "/nonexistent/program";
    char *argv[] = {missing, NULL};
    struct process_spec spec = {.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    struct process_result result;
    struct buf output = {0};

    process_run(&spec, deadline_in(1000), &output, OUTPUT_MAX, &result);
    ck_assert_int_eq(result.end, PROCESS_NOT_STARTED);
    ck_assert_int_eq(result.code, ENOENT);
    ck_assert_int_eq(process_start(&spec), -1);
    buf_free(&output);
}
END_TEST

/* Ended processes may stay as zombies until their new parent looks. */
static bool is_running(const char *pid)
{
    char *path = mem_printf("/proc/%d/stat", atoi(pid));
    struct buf stat = {0};
    bool running = fdio_read_file(path, OUTPUT_MAX, &stat) == 0 && strstr(buf_text(&stat), ") Z ") == NULL;

    buf_free(&stat);
    free(path);
    return running;
}

/* A killed process needs a moment to die. */
static bool ends_soon(const char *pid)
{
    deadline until = deadline_in(20000);

    while (is_running(pid) && !deadline_passed(until))
        usleep(10000);
    return !is_running(pid);
}

START_TEST(timeouts)
{
    struct run run = run_script("sleep 60", -1, 100, OUTPUT_MAX);

    ck_assert_int_eq(run.result.end, PROCESS_TIMEOUT);
    run = run_script("trap '' TERM; sleep 600 & echo $!; sleep 600", -1, 2000, OUTPUT_MAX);
    ck_assert_int_eq(run.result.end, PROCESS_TIMEOUT);
    ck_assert(atoi(buf_text(&run.output)) > 1);
    ck_assert(ends_soon(buf_text(&run.output))); /* nobody of the group is left */
    buf_free(&run.output);
}
END_TEST

START_TEST(much_output)
{
    struct run run = run_script("head -c 3000000 /dev/zero | tr '\\0' x; exit 3", -1, 20000, 100);

    ck_assert_int_eq(run.result.end, PROCESS_EXITED);
    ck_assert_int_eq(run.result.code, 3);
    ck_assert_uint_eq(run.output.len, 100);
    buf_free(&run.output);
}
END_TEST

START_TEST(descriptors)
{
    int secret = open("/etc/passwd", O_RDONLY); /* not close-on-exec, as a careless library leaves it */
    int input = tmpfile_open("/tmp", 0, 0);
    struct run run;

    ck_assert_int_eq(fcntl(secret, F_DUPFD, 200), 200);
    ck_assert_int_eq((int)write(input, "hello", 5), 5);
    ck_assert_int_eq((int)lseek(input, 1, SEEK_SET), 1);
    run = run_script("for fd in /proc/self/fd/*; do echo ${fd##*/}; done | sort -n | tr '\\n' ' '; cat",
                     input, 20000, OUTPUT_MAX);
    ck_assert_msg(strstr(buf_text(&run.output), "200") == NULL, "%s", buf_text(&run.output));
    ck_assert_msg(strstr(buf_text(&run.output), "ello") != NULL, "%s", buf_text(&run.output));
    buf_free(&run.output);
}
END_TEST

/* The three descriptors may be given in any order, even crosswise below 3. */
START_TEST(crossed_descriptors)
{
    char shell[] = "/bin/sh", flag[] = "-c", script[] = "cat; echo err >&2";
    char *argv[] = {shell, flag, script, NULL};
    int in = tmpfile_open("/tmp", 0, 0), out = tmpfile_open("/tmp", 0, 0), err = tmpfile_open("/tmp", 0, 0);
    struct process_spec spec = {
        .argv = argv, .env = plain_env, .stdin_fd = 2, .stdout_fd = 0, .stderr_fd = 1};
    struct process_result result;
    int saved = dup(2);
    char text[8] = "";
    pid_t pid;

    ck_assert_int_eq((int)pwrite(in, "in", 2, 0), 2);
    dup2(in, 2);
    dup2(out, 0);
    dup2(err, 1);
    pid = process_start(&spec);
    dup2(saved, 2);
    process_wait(pid, deadline_in(10000), 100, &result);
    ck_assert_int_eq(result.end, PROCESS_EXITED);
    ck_assert_int_eq((int)pread(out, text, 7, 0), 2);
    ck_assert_str_eq(text, "in");
    ck_assert_int_eq((int)pread(err, text, 7, 0), 4);
}
END_TEST

/* Starts a script in a process of its own, and ends that process by SIGKILL once the script runs. */
static void start_orphan(bool dies_with_us, int stdin_fd, int out[2])
{
    char shell[] = "/bin/sh", flag[] = "-c", script[] = "echo started; read word; echo finished";
    char *argv[] = {shell, flag, script, NULL};
    pid_t pid = fork();

    if (pid == 0) {
        struct process_spec spec = {.argv = argv,
                                    .env = plain_env,
                                    .stdin_fd = stdin_fd,
                                    .stdout_fd = out[1],
                                    .stderr_fd = -1,
                                    .dies_with_us = dies_with_us};
        char text[8];

        if (process_start(&spec) < 0 || read(out[0], text, sizeof(text)) != sizeof(text))
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    close(out[1]);
    close(stdin_fd);
    waitpid(pid, NULL, 0);
}

/* The script waits for a word: either it gets one and ends in order, or it has died and its output is closed.
 */
START_TEST(killed_parent)
{
    for (int dies = 0; dies <= 1; dies++) {
        int in[2], out[2];
        char text[16] = "";

        ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
        start_orphan(dies, in[0], out);
        if (!dies)
            ck_assert_int_eq((int)write(in[1], "go\n", 3), 3);
        ck_assert_int_eq((int)read(out[0], text, sizeof(text) - 1), dies ? 0 : 9);
        ck_assert_str_eq(text, dies ? "" : "finished\n");
        close(in[1]);
        close(out[0]);
    }
}
END_TEST

START_TEST(ignored_sigchld)
{
    struct run run;

    signal(SIGCHLD, SIG_IGN);
    run = run_script("exit 7", -1, 10000, OUTPUT_MAX);
    ck_assert_int_eq(run.result.end, PROCESS_EXITED);
    ck_assert_int_eq(run.result.code, 7);
    buf_free(&run.output);
}
END_TEST

UNIT_MAIN("process", ends, not_started, timeouts, much_output, descriptors, crossed_descriptors,
          killed_parent, ignored_sigchld)
