#include "delivery/handoff.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delivery/handoff_argv.h"
#include "tests/unit/delivery_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"
#include "util/tmpfile.h"

static struct fixture f;
static struct journal *journal;
static struct strlist recipients;
static struct handoff handoff;

static void set_up(const char *script)
{
    fixture_set_up(&f, "Subject: x\n\nbody\n", "user_1@behoerde.de");
    fixture_target(&f, CONFIG_TARGET_EXTERNAL, script);
    journal = journal_open(&f.message, &f.outcome);
    ck_assert_ptr_nonnull(journal);
    strlist_split(&recipients, "a@x.example b@x.example");
    handoff = (struct handoff){.target = CONFIG_TARGET_EXTERNAL,
                               .fd = tmpfile_open("/tmp", 0, 0),
                               .sender = "user_1@behoerde.de",
                               .recipients = &recipients,
                               .how = "signed"};
    ck_assert_int_eq(fdio_write_all(handoff.fd, "skipped\nSubject: out\n\nbody\n", 27), 0);
    handoff.start = 8;
}

static void tear_down(void)
{
    fdio_close(&handoff.fd);
    journal_close(journal);
    strlist_free(&recipients);
    fixture_tear_down(&f);
}

static void run(void)
{
    outcome_done(&f.outcome);
    handoff_run(&f.message, journal, &handoff, &f.outcome);
}

/* As a retry of the MTA does it: nothing is remembered but what the journal has on disk. */
static void reopen(void)
{
    journal_close(journal);
    journal = journal_open(&f.message, &f.outcome);
    ck_assert_ptr_nonnull(journal);
}

static void check_file(const char *name, const char *wanted)
{
    char *text = fixture_file(&f, name);

    ck_assert_str_eq(text, wanted);
    free(text);
}

START_TEST(taken)
{
    char *env;

    set_up(FIXTURE_STORE);
    run();
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    check_file("args", "-C\n-i\n-f\nuser_1@behoerde.de\n--\na@x.example\nb@x.example\n");
    check_file("body", "Subject: out\n\nbody\n");
    env = fixture_file(&f, "env");
    ck_assert_ptr_nonnull(strstr(env, "PATH="));
    ck_assert_ptr_null(strstr(env, "HOME="));
    ck_assert_ptr_null(strstr(env, "MAIL_CONFIG="));
    free(env);
    reopen();
    run();
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    check_file("calls", "x\n"); /* not a second time */
    strlist_add(&recipients, "c@x.example");
    run();
    check_file("args", "-C\n-i\n-f\nuser_1@behoerde.de\n--\na@x.example\nb@x.example\n"
                       "-C\n-i\n-f\nuser_1@behoerde.de\n--\nc@x.example\n");
    tear_down();
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *script, *text;
    } rows[] = {
        {"cat >/dev/null; echo 5.1.1 no such user; exit 67",
         "the command of the target external failed: exit status 67"},
        {"exit 75", "the command of the target external failed: exit status 75"},
        {"kill -KILL $$", "the command of the target external failed: signal 9"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        set_up(rows[i].script);
        run();
        ck_assert_msg(f.outcome.kind == OUTCOME_TEMPORARY, "row %zu", i); /* never passed on as permanent */
        ck_assert_msg(strcmp(f.outcome.text, rows[i].text) == 0, "row %zu: %s", i, f.outcome.text);
        reopen();
        fixture_target(&f, CONFIG_TARGET_EXTERNAL, FIXTURE_STORE);
        run();
        ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
        check_file("body", "Subject: out\n\nbody\n"); /* from its beginning again */
        tear_down();
    }
}
END_TEST

START_TEST(hanging)
{
    deadline start = deadline_in(0);

    set_up("echo started >%1$s/calls; trap '' TERM; sleep 60");
    f.message.until = deadline_in(2000); /* the script has begun by then */
    run();
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    ck_assert_str_eq(f.outcome.text,
                     "the command of the target external failed: no end within the time limit");
    check_file("calls", "started\n");
    ck_assert(deadline_in(0) - start < 30000);
    tear_down();
}
END_TEST

START_TEST(missing)
{
    set_up("exit 0");
    free(f.config.targets[CONFIG_TARGET_EXTERNAL].items[0]);
    f.config.targets[CONFIG_TARGET_EXTERNAL].items[0] = mem_strdup("/nonexistent/sendmail");
    run();
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    ck_assert_str_eq(f.outcome.text,
                     "the command of the target external failed: not started: No such file or directory");
    handoff.target = CONFIG_TARGET_INTERNAL; /* not configured */
    run();
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    ck_assert_str_eq(f.outcome.dsn, "4.3.5");
    tear_down();
}
END_TEST

/* One recipient is another process's: the others are served, the message stays queued. */
START_TEST(busy)
{
    int fds[2];
    char c;
    pid_t pid;

    set_up(FIXTURE_STORE);
    ck_assert_int_eq(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        struct journal *other = journal_open(&f.message, &f.outcome);

        journal_claim(other, "deliver:a@x.example");
        _exit(write(fds[1], "x", 1) == 1 && pause());
    }
    ck_assert_int_eq((int)read(fds[0], &c, 1), 1);
    run();
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    check_file("args", "-C\n-i\n-f\nuser_1@behoerde.de\n--\nb@x.example\n");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    run();
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    check_file("calls", "x\nx\n");
    tear_down();
}
END_TEST

/* The mail is gone: a journal that cannot be written any more must not make the MTA send it again. */
START_TEST(journal_full_afterwards)
{
    struct rlimit limit = {1, RLIM_INFINITY};

    set_up("exit 0");
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    run();
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    tear_down();
}
END_TEST

static char *words(const struct strlist *argv)
{
    struct buf out = {0};

    for (size_t i = 2; i < argv->count; i++) /* behind the command and its -C */
        buf_printf(&out, "%s%s", i > 2 ? " " : "", argv->items[i]);
    return buf_take(&out);
}

START_TEST(arguments)
{
    static const struct {
        int mta;
        const char *sender, *notify, *ret, *envid;
        bool headers_only;
        const char *wanted; /* NULL: refused */
    } rows[] = {
        {0, "a@x", NULL, NULL, NULL, false, "-i -f a@x -- r@y"},
        {0, "", "SUCCESS", "FULL", "id", false, "-i -f <> -- r@y"},
        {0, "", NULL, NULL, NULL, true, "-i -f <> -R hdrs -- r@y"},
        {0, "a@x", "success,failure,delay", "HDRS", "id 7+=", false,
         "-i -f a@x -N success,failure,delay -R HDRS -V id 7+= -- r@y"},
        {0, "a@x", "NEVER", "full", NULL, true, "-i -f a@x -N NEVER -R hdrs -- r@y"},
        {0, "a@x", "NEVER,SUCCESS", "all", "", false, "-i -f a@x -- r@y"},
        {0, "a@x", "SUCCESS,", "", "a\tb", false, "-i -f a@x -- r@y"},
        {0, "a@x", "", NULL, "\xC3\xA4", false, "-i -f a@x -- r@y"},
        {1, "a@x", NULL, NULL, "id+2B7", false, "-i -f a@x -V id+2B7 -- r@y"},
        {1, "a@x", NULL, NULL, "id 7", false, "-i -f a@x -- r@y"},
        {1, "a@x", NULL, NULL, "id+7", false, "-i -f a@x -- r@y"},
        {1, "a@x", NULL, NULL, "a=b", false, "-i -f a@x -- r@y"},
        {0, "a@b\303\274cher.example", NULL, NULL, NULL, false, "-i -f a@xn--bcher-kva.example -- r@y"},
        {0, "bad address", NULL, NULL, NULL, false, NULL},
        {0, "-x@y", NULL, NULL, NULL, false, NULL},
        {0, "<a@x>", NULL, NULL, NULL, false, NULL},
        {0, "a@x,b@x", NULL, NULL, NULL, false, NULL},
    };

    set_up("exit 0");
    strlist_free(&recipients);
    strlist_add(&recipients, "r@y");
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct message_envelope *envelope = &f.message.envelope;
        struct strlist argv = {0};
        bool right;
        char *got;

        f.config.mta = rows[i].mta;
        envelope->dsn_notify = mem_strdup(rows[i].notify);
        envelope->dsn_ret = mem_strdup(rows[i].ret);
        envelope->dsn_envid = mem_strdup(rows[i].envid);
        handoff.sender = rows[i].sender;
        handoff.headers_only = rows[i].headers_only;
        outcome_done(&f.outcome);
        right = handoff_argv(&f.message, &handoff, &recipients, &argv, &f.outcome);
        got = words(&argv);
        ck_assert_msg(right == (rows[i].wanted != NULL), "row %zu", i);
        ck_assert_msg(right || f.outcome.kind == OUTCOME_TEMPORARY, "row %zu", i);
        ck_assert_msg(!right || strcmp(got, rows[i].wanted) == 0, "row %zu: %s", i, got);
        free(got);
        strlist_free(&argv);
        free(envelope->dsn_notify);
        free(envelope->dsn_ret);
        free(envelope->dsn_envid);
        envelope->dsn_notify = envelope->dsn_ret = envelope->dsn_envid = NULL;
    }
    tear_down();
}
END_TEST

/* What sendmail would read as two addresses, as a comment or as a pipe is no recipient. */
START_TEST(dangerous_recipients)
{
    static const char *const rows[] = {"a@x.example,b@x.example",
                                       "a@x.example (comment)",
                                       "a b@x.example",
                                       "<a@x.example>",
                                       "group:a@x.example;",
                                       "",
                                       "a@x.example\nb@x.example",
                                       "a;b@x.example",
                                       "a(b)@x.example",
                                       "|/bin/sh",
                                       "/tmp/file",
                                       "@x.example:a@y"};

    set_up("exit 0");
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct strlist one = {0}, argv = {0};

        strlist_add(&one, rows[i]);
        outcome_done(&f.outcome);
        ck_assert_msg(!handoff_argv(&f.message, &handoff, &one, &argv, &f.outcome), "row %zu: %s", i,
                      rows[i]);
        strlist_free(&one);
        strlist_free(&argv);
    }
    tear_down();
}
END_TEST

UNIT_MAIN("handoff", taken, refused, hanging, missing, busy, journal_full_afterwards, arguments,
          dangerous_recipients)
