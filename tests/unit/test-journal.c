#include "delivery/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/delivery_fixture.h"
#include "tests/unit/unit.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

#define OTHERS 12 /* exit code of a child that could not open its journal */

static struct fixture f;

static void set_up(void)
{
    fixture_set_up(&f, "Subject: x\n\nbody\n", "a@behoerde.de");
}

static struct journal *open_journal(void)
{
    struct journal *journal = journal_open(&f.message, &f.outcome);

    ck_assert_msg(journal != NULL, "%s", f.outcome.text);
    return journal;
}

static char *journal_path(void)
{
    struct buf key = {0};
    char *path;

    hex_encode_buf(&key, f.message.digest, SHA256_LEN);
    path = mem_printf("journal/%s", key.data);
    buf_free(&key);
    return path;
}

static int child_end(pid_t pid)
{
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Runs `what` in a child that has its own journal. */
static pid_t in_child(int (*what)(struct journal *journal, int argument), int argument)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct journal *journal = journal_open(&f.message, &f.outcome);
        int rc = journal != NULL ? what(journal, argument) : OTHERS;

        journal_close(journal);
        _exit(rc);
    }
    return pid;
}

START_TEST(entries)
{
    struct journal *journal;

    set_up();
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_CLAIMED);
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_CLAIMED); /* still ours */
    ck_assert_int_eq(journal_done(journal, "deliver:a@x", "signed"), 0);
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_DONE_BEFORE);
    ck_assert_int_eq(journal_claim(journal, "deliver:b@x"), JOURNAL_CLAIMED);
    journal_close(journal);
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_DONE_BEFORE);
    ck_assert_int_eq(journal_claim(journal, "deliver:A@x"), JOURNAL_CLAIMED);
    ck_assert_int_eq(journal_claim(journal, "deliver:b@x"), JOURNAL_CLAIMED); /* was claimed, never done */
    ck_assert_int_eq(journal_claim(journal, "deliver:\"tab\t and\nline\"@x"), JOURNAL_CLAIMED);
    ck_assert_int_eq(journal_done(journal, "deliver:\"tab\t and\nline\"@x", "clear"), 0);
    journal_close(journal);
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:\"tab\t and\nline\"@x"), JOURNAL_DONE_BEFORE);
    journal_close(journal);
    fixture_message(&f, "Subject: y\n\n", 12, "a@behoerde.de"); /* another message: another journal */
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_CLAIMED);
    journal_close(journal);
    fixture_tear_down(&f);
}
END_TEST

static int claim_and_wait(struct journal *journal, int pipe_end)
{
    int claim = (int)journal_claim(journal, "deliver:a@x");

    if (write(pipe_end, "x", 1) != 1)
        return OTHERS;
    pause();
    return claim;
}

START_TEST(exclusion_and_kill)
{
    struct journal *journal;
    int fds[2];
    char c;
    pid_t pid;

    set_up();
    ck_assert_int_eq(pipe(fds), 0);
    pid = in_child(claim_and_wait, fds[1]);
    ck_assert_int_eq((int)read(fds[0], &c, 1), 1);
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_BUSY);
    ck_assert_int_eq(journal_claim(journal, "deliver:b@x"), JOURNAL_CLAIMED);
    ck_assert_uint_eq(journal_broken_runs(journal), 0); /* it lives */
    kill(pid, SIGKILL);
    ck_assert_int_eq(child_end(pid), -SIGKILL);
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_CLAIMED);
    ck_assert_uint_eq(journal_broken_runs(journal), 1);
    journal_close(journal);
    journal = open_journal();
    ck_assert_uint_eq(journal_broken_runs(journal), 1); /* the one that ended in order does not count */
    journal_close(journal);
    fixture_tear_down(&f);
}
END_TEST

static int done_and_die(struct journal *journal, int argument)
{
    (void)argument;
    if (journal_claim(journal, "deliver:a@x") != JOURNAL_CLAIMED ||
        journal_done(journal, "deliver:a@x", "x") != 0)
        return OTHERS;
    return kill(getpid(), SIGKILL);
}

START_TEST(killed_after_done)
{
    struct journal *journal;

    set_up();
    ck_assert_int_eq(child_end(in_child(done_and_die, 0)), -SIGKILL);
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_DONE_BEFORE);
    journal_close(journal);
    fixture_tear_down(&f);
}
END_TEST

/* 120 recipients as Postfix hands them over: 50, 50 and 20 at once. */
static int deliver_chunk(struct journal *journal, int first)
{
    int last = first + 50 < 120 ? first + 50 : 120;

    for (int i = first; i < last; i++) {
        char *entry = mem_printf("deliver:user%d@x.example", i);

        if (journal_claim(journal, entry) != JOURNAL_CLAIMED || journal_done(journal, entry, "signed") != 0)
            return OTHERS;
        free(entry);
    }
    return 0;
}

START_TEST(three_calls_at_once)
{
    struct journal *journal;
    pid_t pids[3];

    set_up();
    journal = open_journal(); /* knows of nothing yet, and must look again before it claims */
    for (int i = 0; i < 3; i++)
        pids[i] = in_child(deliver_chunk, i * 50);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(child_end(pids[i]), 0);
    for (int i = 0; i < 120; i++) {
        char *entry = mem_printf("deliver:user%d@x.example", i);

        ck_assert_msg(journal_claim(journal, entry) == JOURNAL_DONE_BEFORE, "%d", i);
        free(entry);
    }
    journal_close(journal);
    fixture_tear_down(&f);
}
END_TEST

#define STORM_RECIPIENTS 30
#define STORM_CHILDREN   4
#define STORM_KILLS      25

/* What a target would have got: one line for each hand-off. */
static int storm(struct journal *journal, int seed)
{
    char *path = mem_printf("%s/sent", f.folder);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600), missing = 0;

    for (int i = 0; i < STORM_RECIPIENTS; i++) {
        int number = (i * 7 + seed * 11) % STORM_RECIPIENTS;
        char *entry = mem_printf("deliver:user%d@x.example", number);
        enum journal_claim claim = journal_claim(journal, entry);

        if (claim == JOURNAL_CLAIMED) {
            dprintf(fd, "%d\n", number);
            usleep(500);
            if (journal_done(journal, entry, "x") != 0)
                return OTHERS;
        }
        missing += claim == JOURNAL_BUSY || claim == JOURNAL_FAILED;
        free(entry);
    }
    free(path);
    return missing > 0;
}

/* kill -9 at any moment: nobody is left out, and nobody gets more copies than processes died. */
START_TEST(kill_storm)
{
    pid_t pids[STORM_CHILDREN] = {0};
    int sent[STORM_RECIPIENTS] = {0}, extra = 0, rounds = 0;
    char *text;

    set_up();
    for (int kills = 0; kills < STORM_KILLS; kills++) {
        int victim = kills % STORM_CHILDREN;

        for (int i = 0; i < STORM_CHILDREN; i++)
            if (pids[i] == 0)
                pids[i] = in_child(storm, kills + i);
        usleep((unsigned int)(1000 + kills * 137 % 3000));
        kill(pids[victim], SIGKILL);
        child_end(pids[victim]);
        pids[victim] = 0;
    }
    for (int i = 0; i < STORM_CHILDREN; i++)
        if (pids[i] != 0)
            child_end(pids[i]);
    while (child_end(in_child(storm, 0)) != 0)
        ck_assert_int_lt(rounds++, 3); /* no lock is left behind */
    text = fixture_file(&f, "sent");
    for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        sent[atoi(line)]++;
    for (int i = 0; i < STORM_RECIPIENTS; i++) {
        ck_assert_msg(sent[i] >= 1, "recipient %d got nothing", i);
        extra += sent[i] - 1;
    }
    ck_assert_int_le(extra, STORM_KILLS);
    free(text);
    fixture_tear_down(&f);
}
END_TEST

/* A record that was cut off does not count, and does not spoil the next one. */
START_TEST(torn_record)
{
    struct journal *journal;
    char *name, *path;
    int fd;

    set_up();
    journal = open_journal();
    journal_close(journal);
    name = journal_path();
    path = mem_printf("%s/%s", f.folder, name);
    fd = open(path, O_WRONLY | O_APPEND);
    ck_assert_int_gt((int)write(fd, "\ndone 1 deliver:a@x.example sig", 31), 0);
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x.example"), JOURNAL_CLAIMED);
    ck_assert_int_eq(journal_claim(journal, "deliver:b@x"), JOURNAL_CLAIMED);
    ck_assert_int_eq(journal_done(journal, "deliver:b@x", "x"), 0);
    journal_close(journal);
    ck_assert_int_gt((int)write(fd, "\0\0\0\n\n  \n. .\ndone .\n", 18), 0); /* rubbish */
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:b@x"), JOURNAL_DONE_BEFORE);
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x.example"), JOURNAL_CLAIMED);
    journal_close(journal);
    close(fd);
    free(name);
    free(path);
    fixture_tear_down(&f);
}
END_TEST

START_TEST(first_seen)
{
    long long now = (long long)time(NULL);
    struct journal *journal;
    char *name, *path, *text, *digits;

    set_up();
    journal = open_journal();
    ck_assert(journal_first_seen(journal) >= now && journal_first_seen(journal) <= now + 5);
    journal_close(journal);
    name = journal_path();
    path = mem_printf("%s/%s", f.folder, name);
    text = fixture_file(&f, name);
    digits = strstr(text, "begin ") + 6;
    digits[0] = '0'; /* as if it had begun long ago */
    ck_assert_int_eq(fdio_replace_file(path, text, strlen(text), 0600), 0);
    journal = open_journal();
    ck_assert(journal_first_seen(journal) < now - 100000);
    journal_close(journal);
    ck_assert(journal_first_seen(NULL) >= now);
    free(text);
    free(path);
    free(name);
    fixture_tear_down(&f);
}
END_TEST

/* No journal, no hand-off: the run ends before anything is sent. */
START_TEST(unusable)
{
    struct rlimit limit = {0, 0};
    char *path;

    set_up();
    path = mem_printf("%s/journal", f.folder);
    ck_assert_int_eq(fdio_replace_file(path, "", 0, 0600), 0); /* a file where the directory should be */
    ck_assert_ptr_null(journal_open(&f.message, &f.outcome));
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    ck_assert_str_eq(f.outcome.dsn, "4.3.1");
    unlink(path);
    outcome_done(&f.outcome);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit); /* like a full disk */
    ck_assert_ptr_null(journal_open(&f.message, &f.outcome));
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    free(path);
    fixture_tear_down(&f);
}
END_TEST

START_TEST(full_after_hand_off)
{
    struct rlimit limit = {1, RLIM_INFINITY};
    struct journal *journal;

    set_up();
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_CLAIMED);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(journal_done(journal, "deliver:a@x", "x"), -1);
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_DONE_BEFORE); /* this run knows */
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    journal_close(journal);
    fixture_tear_down(&f);
}
END_TEST

START_TEST(none)
{
    struct journal *journal;

    set_up();
    f.config.journal = CONFIG_JOURNAL_NO;
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_CLAIMED);
    ck_assert_int_eq(journal_done(journal, "deliver:a@x", "x"), 0);
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_DONE_BEFORE);
    ck_assert_uint_eq(journal_broken_runs(journal), 0);
    journal_close(journal);
    ck_assert_int_ne(access(f.config.journal_dir, F_OK), 0);
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_CLAIMED);
    journal_close(journal);
    fixture_tear_down(&f);
}
END_TEST

static void make_old(const char *name)
{
    char *path = mem_printf("%s/%s", f.folder, name);
    struct timespec times[2] = {{.tv_sec = time(NULL) - 1000}, {.tv_sec = time(NULL) - 1000}};

    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
}

START_TEST(pruning)
{
    struct journal *journal;
    char *name, *foreign;
    int fds[2];
    char c;
    pid_t pid;

    set_up();
    ck_assert_int_eq(journal_prune(f.config.journal_dir, 900), 0); /* not even there */
    journal = open_journal();
    journal_close(journal);
    name = journal_path();
    foreign = mem_printf("%s/journal/README", f.folder);
    ck_assert_int_eq(fdio_replace_file(foreign, "x", 1, 0600), 0);
    make_old("journal/README");
    ck_assert_int_eq(journal_prune(f.config.journal_dir, 900), 0);
    ck_assert_int_eq(pipe(fds), 0);
    pid = in_child(claim_and_wait, fds[1]);
    ck_assert_int_eq((int)read(fds[0], &c, 1), 1);
    make_old(name);
    ck_assert_int_eq(journal_prune(f.config.journal_dir, 900), 0); /* in use */
    kill(pid, SIGKILL);
    child_end(pid);
    ck_assert_int_eq(journal_prune(f.config.journal_dir, 2000), 0); /* not old enough */
    ck_assert_int_eq(journal_prune(f.config.journal_dir, 900), 1);
    ck_assert_int_eq(access(foreign, F_OK), 0);
    journal = open_journal();
    ck_assert_int_eq(journal_claim(journal, "deliver:a@x"), JOURNAL_CLAIMED);
    journal_close(journal);
    free(name);
    free(foreign);
    fixture_tear_down(&f);
}
END_TEST

UNIT_MAIN("journal", entries, exclusion_and_kill, killed_after_done, three_calls_at_once, kill_storm,
          torn_record, first_seen, unusable, full_after_hand_off, none, pruning)
