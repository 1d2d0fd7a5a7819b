#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/hold_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"

static struct hold_fixture f;

static void set_up(void)
{
    hold_fixture_set_up(&f);
    hold_fixture_keep(&f);
    fixture_target(&f.base, CONFIG_TARGET_INTERNAL, FIXTURE_STORE);
}

static void tear_down(void)
{
    hold_fixture_tear_down(&f);
}

START_TEST(one_has_it)
{
    struct hold *a, *b;
    enum hold_how how;

    set_up();
    a = hold_fixture_open(&f, f.store);
    b = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_claim(a, 1), HOLD_CLAIMED);
    ck_assert_int_eq(hold_claim(a, 1), HOLD_CLAIMED); /* still ours */
    ck_assert_int_eq(hold_claim(b, 1), HOLD_BUSY);
    ck_assert_int_eq(hold_claim(b, 0), HOLD_CLAIMED); /* another recipient */
    hold_unclaim(a);
    ck_assert_int_eq(hold_claim(b, 1), HOLD_CLAIMED);
    ck_assert_int_eq(hold_claim(a, 1), HOLD_BUSY);
    ck_assert_int_eq(hold_done(b, HOLD_HOW_EXCHANGED), 0); /* 0 and 1 */
    ck_assert_int_eq(hold_claim(a, 1), HOLD_DONE_BEFORE);
    ck_assert(hold_finished(a, 0, &how));
    ck_assert_int_eq(how, HOLD_HOW_EXCHANGED);
    ck_assert(!hold_finished(a, 2, NULL));
    ck_assert_int_eq(hold_state(a), HOLD_HELD);
    ck_assert_int_eq(hold_claim(a, 2), HOLD_CLAIMED);
    ck_assert_int_eq(hold_done(a, HOLD_HOW_CHANGED), 0);
    ck_assert_int_eq(hold_state(b), HOLD_GONE);
    ck_assert_int_eq(hold_message(b), -1);
    hold_close(a);
    hold_close(b);
    ck_assert_int_eq(hold_fixture_count(&f, "*/try-*"), 0);
    tear_down();
}
END_TEST

/* Claims recipient 0 in a child as node `name` and dies of it. */
static void claim_and_die(const char *name)
{
    struct config config;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct hold_store *store = hold_fixture_node(&f, name, &config);

        ck_assert_int_eq(hold_claim(hold_fixture_open(&f, store), 0), HOLD_CLAIMED);
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
}

START_TEST(dead_process_here)
{
    struct hold *hold;

    set_up();
    claim_and_die("gate.behoerde.de");
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_claim(hold, 0), HOLD_CLAIMED); /* at once */
    hold_close(hold);
    tear_down();
}
END_TEST

/* Its number was given to another process: that one's beginning tells. */
START_TEST(reused_process_number)
{
    struct hold *hold;

    set_up();
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_claim(hold, 0), HOLD_CLAIMED);
    ck_assert_int_eq(hold_fixture_shell(&f, "sed -i 's/\\( [0-9]*\\) [0-9]* *$/\\1 7/' $ID/claim-0.0 && "
                                            "truncate -s 512 $ID/claim-0.0"),
                     0);
    hold_close(hold_fixture_open(&f, f.store));
    {
        struct hold *other = hold_fixture_open(&f, f.store);

        ck_assert_int_eq(hold_claim(other, 0), HOLD_CLAIMED);
        hold_close(other);
    }
    hold_close(hold);
    tear_down();
}
END_TEST

/* Nothing can be known about another node's process but that it has ended after DEADLINE. */
START_TEST(dead_node)
{
    struct hold *hold;

    set_up();
    claim_and_die("other.behoerde.de");
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_claim(hold, 0), HOLD_BUSY);
    ck_assert_int_eq(hold_claim(hold, 1), HOLD_CLAIMED);
    ck_assert_int_eq(hold_fixture_shell(&f, "touch -d '-70 seconds' $ID/claim-0.0"), 0);
    ck_assert_int_eq(hold_claim(hold, 0), HOLD_BUSY);
    ck_assert_int_eq(hold_fixture_shell(&f, "touch -d '-90 seconds' $ID/claim-0.0"), 0);
    ck_assert_int_eq(hold_claim(hold, 0), HOLD_CLAIMED);
    hold_close(hold);
    tear_down();
}
END_TEST

/* A machine that was started anew, another container: numbers of processes say nothing there. */
START_TEST(same_name_other_system)
{
    struct hold *hold;

    set_up();
    claim_and_die("gate.behoerde.de");
    ck_assert_int_eq(hold_fixture_shell(&f, "sed -i 's/ [0-9a-f-]* pid/ 0000 pid/' $ID/claim-0.0 && "
                                            "truncate -s 512 $ID/claim-0.0"),
                     0);
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_claim(hold, 0), HOLD_BUSY);
    hold_close(hold);
    tear_down();
}
END_TEST

/* A claim that cannot be understood is somebody's until it is old. */
START_TEST(damaged_claim)
{
    struct hold *hold;

    set_up();
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_fixture_shell(&f, "touch $ID/claim-0.0; echo nonsense >$ID/claim-1.0"), 0);
    ck_assert_int_eq(hold_claim(hold, 0), HOLD_BUSY);
    ck_assert_int_eq(hold_claim(hold, 1), HOLD_BUSY);
    ck_assert_int_eq(hold_fixture_shell(&f, "touch -d '-2 minutes' $ID/claim-?.0"), 0);
    ck_assert_int_eq(hold_claim(hold, 0), HOLD_CLAIMED);
    ck_assert_int_eq(hold_claim(hold, 1), HOLD_CLAIMED);
    ck_assert_int_eq(hold_fixture_shell(&f, "ln -s /etc/passwd $ID/claim-2.0"), 0);
    ck_assert_int_eq(hold_claim(hold, 2), HOLD_CLAIM_FAILED);
    hold_close(hold);
    tear_down();
}
END_TEST

/* Takes and gives back; each time it has the claim alone, or it says so. */
static int compete(const char *name)
{
    struct config config;
    struct hold_store *store = hold_fixture_node(&f, name, &config);
    struct hold *hold = hold_fixture_open(&f, store);
    char *mark = mem_printf("%s/mark", f.base.folder);
    int had = 0;

    for (int i = 0; i < 400 && had < 20; i++) {
        if (hold_claim(hold, 0) != HOLD_CLAIMED)
            continue;
        if (mkdir(mark, 0700) != 0)
            return 1; /* somebody else has it, too */
        rmdir(mark);
        had++;
        if (had == 10)
            kill(getpid(), SIGKILL); /* mark is gone: the next one finds a dead claim */
        hold_unclaim(hold);
    }
    hold_close(hold);
    hold_store_close(store);
    free(config.myhostname);
    free(mark);
    return 0;
}

START_TEST(never_two)
{
    pid_t pids[8];
    int status;

    set_up();
    for (size_t i = 0; i < ROWS(pids); i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(compete("gate.behoerde.de"));
    }
    for (size_t i = 0; i < ROWS(pids); i++) {
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_ne(WIFEXITED(status) ? WEXITSTATUS(status) : 0, 1);
    }
    tear_down();
}
END_TEST

#define MANY 150

/* Finishes what it gets; says how many that were. */
static int finish_many(int start)
{
    struct config config;
    struct hold_store *store = hold_fixture_node(&f, "gate.behoerde.de", &config);
    struct hold *hold = hold_fixture_open(&f, store);
    int had = 0;

    for (size_t i = 0; i < MANY; i++) {
        size_t number = (i + (size_t)start) % MANY;

        enum hold_claim claim = hold_claim(hold, number);

        if (claim == HOLD_DONE_BEFORE && !hold_finished(hold, number, NULL))
            return -MANY; /* it is being done: not the same */
        if (claim != HOLD_CLAIMED)
            continue;
        had++;
        ck_assert_int_eq(hold_done(hold, HOLD_HOW_EXCHANGED), 0);
    }
    hold_close(hold);
    hold_store_close(store);
    free(config.myhostname);
    return had;
}

/* Whoever looked before another one had claimed and finished must notice. */
START_TEST(finished_once)
{
    int pipes[2], sum = 0, had;
    pid_t pids[4];

    set_up();
    for (int i = 0; i < MANY; i++)
        strlist_add_take(&f.recipients, mem_printf("user_%d@behoerde.de", i));
    hold_fixture_keep(&f);
    ck_assert_int_eq(pipe(pipes), 0);
    for (size_t i = 0; i < ROWS(pids); i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            had = finish_many(0);
            _exit(write(pipes[1], &had, sizeof(had)) == sizeof(had) ? 0 : 1);
        }
    }
    for (size_t i = 0; i < ROWS(pids); i++) {
        ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
        ck_assert_int_eq((int)read(pipes[0], &had, sizeof(had)), (int)sizeof(had));
        sum += had;
    }
    ck_assert_int_eq(sum, MANY);
    tear_down();
}
END_TEST

/* ---- delivering ---- */

static int calls(void)
{
    char *text = fixture_file(&f.base, "calls");
    int count = (int)strlen(text) / 2;

    free(text);
    return count;
}

START_TEST(delivered_once)
{
    struct strlist some = {0};
    struct hold *hold;
    char *text;

    set_up();
    strlist_add(&some, "Z@behoerde.de");
    strlist_add(&some, "stranger@behoerde.de");
    strlist_add(&some, "x@behoerde.de");
    hold = hold_fixture_open(&f, f.store);
    ck_assert_uint_eq(hold_deliver(hold, &some, HOLD_HOW_EXCHANGED, deadline_in(20000), &f.base.outcome), 2);
    ck_assert_int_eq(f.base.outcome.kind, OUTCOME_DONE);
    text = fixture_file(&f.base, "args");
    ck_assert_str_eq(
        text, "-C\n-i\n-f\na@partner.example\n-N\nFAILURE\n-R\nhdrs\n--\nx@behoerde.de\nz@behoerde.de\n");
    free(text);
    text = fixture_file(&f.base, "body");
    ck_assert_str_eq(text, HOLD_FIXTURE_MESSAGE);
    free(text);
    ck_assert_uint_eq(hold_deliver(hold, &some, HOLD_HOW_EXCHANGED, deadline_in(20000), &f.base.outcome), 0);
    ck_assert_uint_eq(hold_deliver(hold, NULL, HOLD_HOW_RELEASED, deadline_in(20000), &f.base.outcome), 1);
    ck_assert_int_eq(hold_state(hold), HOLD_GONE);
    ck_assert_uint_eq(hold_deliver(hold, NULL, HOLD_HOW_RELEASED, deadline_in(20000), &f.base.outcome), 0);
    ck_assert_int_eq(f.base.outcome.kind, OUTCOME_DONE);
    ck_assert_int_eq(calls(), 2);
    hold_close(hold);
    strlist_free(&some);
    tear_down();
}
END_TEST

START_TEST(target_refuses)
{
    struct hold *hold, *other;

    set_up();
    fixture_target(&f.base, CONFIG_TARGET_INTERNAL, "exit 69");
    hold = hold_fixture_open(&f, f.store);
    for (int i = 0; i < 3; i++) {
        outcome_done(&f.base.outcome);
        ck_assert_uint_eq(hold_deliver(hold, NULL, HOLD_HOW_EXCHANGED, deadline_in(20000), &f.base.outcome),
                          0);
        ck_assert_int_eq(f.base.outcome.kind, OUTCOME_TEMPORARY);
    }
    ck_assert_int_eq(hold_state(hold), HOLD_HELD);
    other = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_claim(other, 0), HOLD_CLAIMED); /* it is not kept from others */
    hold_close(other);
    fixture_target(&f.base, CONFIG_TARGET_INTERNAL, FIXTURE_STORE);
    outcome_done(&f.base.outcome);
    ck_assert_uint_eq(hold_deliver(hold, NULL, HOLD_HOW_EXCHANGED, deadline_in(20000), &f.base.outcome), 3);
    hold_close(hold);
    tear_down();
}
END_TEST

START_TEST(busy_waits)
{
    struct hold *a, *b;

    set_up();
    a = hold_fixture_open(&f, f.store);
    b = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_claim(a, 0), HOLD_CLAIMED);
    ck_assert(!hold_drop(b, HOLD_HOW_DROPPED, &f.base.outcome));
    ck_assert_int_eq(f.base.outcome.kind, OUTCOME_TEMPORARY);
    ck_assert(!hold_finished(b, 1, NULL)); /* all or nothing */
    outcome_done(&f.base.outcome);
    ck_assert_uint_eq(hold_deliver(b, NULL, HOLD_HOW_RELEASED, deadline_in(20000), &f.base.outcome), 2);
    ck_assert_int_eq(f.base.outcome.kind, OUTCOME_TEMPORARY);
    ck_assert_int_eq(hold_state(b), HOLD_HELD);
    hold_close(a);
    hold_close(b);
    tear_down();
}
END_TEST

START_TEST(refused_never_leaves)
{
    struct hold *hold;
    enum hold_how how;
    char *words;

    set_up();
    hold = hold_fixture_open(&f, f.store);
    ck_assert_ptr_null(hold_refusal(hold));
    ck_assert_int_eq(hold_refuse(hold, "554 5.7.1\r\nEicar\x1b[2J FOUND"), 0);
    ck_assert_int_eq(hold_refuse(hold, "again"), 0);
    ck_assert_str_eq(hold_state_name(hold), "refused");
    words = hold_refusal(hold);
    ck_assert_str_eq(words, "554 5.7.1  Eicar [2J FOUND");
    free(words);
    ck_assert_int_eq(hold_claim(hold, 0), HOLD_CLAIM_REFUSED);
    ck_assert_uint_eq(hold_deliver(hold, NULL, HOLD_HOW_RELEASED, deadline_in(20000), &f.base.outcome), 0);
    ck_assert_int_eq(f.base.outcome.kind, OUTCOME_PERMANENT);
    ck_assert_int_eq(calls(), 0);
    outcome_done(&f.base.outcome);
    ck_assert(hold_drop(hold, HOLD_HOW_DROPPED, &f.base.outcome));
    ck_assert_int_eq(hold_state(hold), HOLD_GONE);
    ck_assert(hold_finished(hold, 2, &how));
    ck_assert_int_eq(how, HOLD_HOW_DROPPED);
    ck_assert_int_eq(hold_message(hold), -1);
    hold_close(hold);
    tear_down();
}
END_TEST

/* A copy that came back of something refused is refused, too. */
START_TEST(refused_copies)
{
    char original[HOLD_ID_LEN + 1];
    struct hold *hold;

    set_up();
    memcpy(original, f.id, sizeof(original));
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_refuse(hold, "Eicar"), 0);
    hold_close(hold);
    f.entry = (struct hold_new){
        .kind = HOLD_LOST, .recipients = &f.recipients, .fd = f.base.message.fd, .of = original};
    hold_fixture_keep(&f);
    hold = hold_fixture_open(&f, f.store);
    ck_assert_str_eq(hold_record(hold)->of, original);
    ck_assert_str_eq(hold_state_name(hold), "refused");
    ck_assert_uint_eq(hold_deliver(hold, NULL, HOLD_HOW_RELEASED, deadline_in(20000), &f.base.outcome), 0);
    ck_assert_int_eq(calls(), 0);
    hold_close(hold);
    tear_down();
}
END_TEST

/* Killed behind the hand-off: the retry may send it again, and only that. */
START_TEST(killed_behind_the_handoff)
{
    struct hold *hold;
    int status;
    pid_t pid;

    set_up();
    fixture_target(&f.base, CONFIG_TARGET_INTERNAL, FIXTURE_STORE "; kill -9 $PPID");
    pid = fork();
    if (pid == 0) {
        struct config config;

        hold = hold_fixture_open(&f, hold_fixture_node(&f, "gate.behoerde.de", &config));
        hold_deliver(hold, NULL, HOLD_HOW_EXCHANGED, deadline_in(20000), &f.base.outcome);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    fixture_target(&f.base, CONFIG_TARGET_INTERNAL, FIXTURE_STORE);
    hold = hold_fixture_open(&f, f.store);
    hold_deliver(hold, NULL, HOLD_HOW_EXCHANGED, deadline_in(20000), &f.base.outcome);
    ck_assert_msg(f.base.outcome.kind == OUTCOME_DONE, "%s", f.base.outcome.text);
    ck_assert_int_eq(calls(), 2);
    ck_assert_uint_eq(hold_deliver(hold, NULL, HOLD_HOW_EXCHANGED, deadline_in(20000), &f.base.outcome), 0);
    hold_close(hold);
    tear_down();
}
END_TEST

static int deliver_in_child(void)
{
    struct config config;
    struct hold_store *store = hold_fixture_node(&f, "gate.behoerde.de", &config);
    struct hold *hold = hold_fixture_open(&f, store);

    hold_deliver(hold, NULL, HOLD_HOW_EXCHANGED, deadline_in(20000), &f.base.outcome);
    return f.base.outcome.kind == OUTCOME_DONE ? 0 : 75;
}

/* Whenever it is killed: the retry works at once, everybody gets it, twice only if the relay had taken it. */
START_TEST(killed_anywhere)
{
    int rc, twice = 0, number = 0;

    do {
        int before;
        struct hold *hold;

        set_up();
        rc = hold_fixture_kill(deliver_in_child, number);
        number += 5;
        before = calls();
        hold = hold_fixture_open(&f, f.store);
        hold_deliver(hold, NULL, HOLD_HOW_EXCHANGED, deadline_in(20000), &f.base.outcome);
        ck_assert_msg(f.base.outcome.kind == OUTCOME_DONE, "%d: %s", number, f.base.outcome.text);
        ck_assert_int_eq(hold_state(hold), HOLD_GONE);
        ck_assert_int_eq(hold_message(hold), -1);
        ck_assert_int_ge(calls(), 1);
        ck_assert_int_le(calls(), before + 1);
        twice += calls() == 2;
        hold_close(hold);
        tear_down();
    } while (rc < 0);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(number, 100);
    ck_assert_int_gt(twice, 0);
    ck_assert_int_lt(twice, number / 10);
}
END_TEST

UNIT_MAIN("hold-claim", one_has_it, dead_process_here, reused_process_number, dead_node,
          same_name_other_system, damaged_claim, never_two, finished_once, delivered_once, target_refuses,
          busy_waits, refused_never_leaves, refused_copies, killed_behind_the_handoff, killed_anywhere)
