#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/hold_fixture.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

static struct hold_fixture f;
static struct hold_aged aged;

static void set_up(void)
{
    hold_fixture_set_up(&f);
    f.base.config.hold_lost = CONFIG_LOST_KEEP;
    hold_fixture_keep(&f);
    fixture_target(&f.base, CONFIG_TARGET_INTERNAL, FIXTURE_STORE);
}

static void tear_down(void)
{
    hold_fixture_tear_down(&f);
}

static enum outcome_kind run(void)
{
    outcome_done(&f.base.outcome);
    hold_age(f.store, deadline_in(20000), &aged, &f.base.outcome);
    return f.base.outcome.kind;
}

/* The entry was kept `time` ago ("2 hours"). */
static void kept(const char *time)
{
    char *command = mem_printf("touch -d '-%s' $ID/record", time);

    ck_assert_int_eq(hold_fixture_shell(&f, command), 0);
    free(command);
}

static enum hold_state state(void)
{
    struct hold *hold = hold_fixture_open(&f, f.store);
    enum hold_state now = hold_state(hold);

    hold_close(hold);
    return now;
}

static int notices(void)
{
    char *text = fixture_file(&f.base, "calls");
    int count = (int)strlen(text) / 2;

    free(text);
    return count;
}

static bool notice_says(const char *words)
{
    char *text = fixture_file(&f.base, "body"), *soft;
    bool says;

    while ((soft = strstr(text, "=\n")) != NULL) /* quoted-printable */
        memmove(soft, soft + 2, strlen(soft + 2) + 1);
    says = strstr(text, words) != NULL;
    free(text);
    return says;
}

START_TEST(overdue_once)
{
    set_up();
    kept("50 minutes");
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(notices(), 0);
    kept("70 minutes");
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(notices(), 1);
    ck_assert_uint_eq(aged.overdue, 1);
    ck_assert(notice_says("To: <postmaster@behoerde.de>"));
    ck_assert(notice_says(f.id));
    ck_assert(notice_says("a@partner.example -> x@behoerde.de y@behoerde.de z@behoerde.de"));
    ck_assert(!notice_says("secret"));
    kept("3 hours");
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(notices(), 1);
    ck_assert_int_eq(state(), HOLD_HELD);
    ck_assert_int_eq(hold_fixture_count(&f, "*"), 2); /* key, entry */
    tear_down();
}
END_TEST

/* A notice that cannot be handed off is tried again. */
START_TEST(notice_fails)
{
    set_up();
    fixture_target(&f.base, CONFIG_TARGET_INTERNAL, "exit 75");
    kept("2 hours");
    ck_assert_int_eq(run(), OUTCOME_TEMPORARY);
    ck_assert_uint_eq(aged.overdue, 0);
    kept("11 days");
    ck_assert_int_eq(run(), OUTCOME_TEMPORARY);
    ck_assert_int_eq(state(), HOLD_HELD); /* nothing happens silently */
    fixture_target(&f.base, CONFIG_TARGET_INTERNAL, FIXTURE_STORE);
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(notices(), 1);
    ck_assert_int_eq(state(), HOLD_EXPIRED);
    tear_down();
}
END_TEST

START_TEST(expired_and_kept)
{
    struct hold *hold;

    set_up();
    kept("11 days");
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(notices(), 1); /* expired; not overdue, too */
    ck_assert(notice_says(f.id));
    hold = hold_fixture_open(&f, f.store);
    ck_assert_str_eq(hold_state_name(hold), "expired");
    ck_assert_uint_eq(hold_deliver(hold, NULL, HOLD_HOW_RELEASED, deadline_in(20000), &f.base.outcome), 3);
    hold_close(hold);
    tear_down();
}
END_TEST

START_TEST(expired_and_removed)
{
    struct hold *hold;
    enum hold_how how;

    set_up();
    f.base.config.hold_lost = CONFIG_LOST_PLAIN;
    kept("11 days");
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_claim(hold, 1), HOLD_CLAIMED); /* its copy is just coming back */
    ck_assert_int_eq(run(), OUTCOME_TEMPORARY);
    ck_assert_int_eq(state(), HOLD_HELD);
    hold_unclaim(hold);
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_uint_eq(aged.expired, 1);
    ck_assert_int_eq(state(), HOLD_GONE);
    ck_assert(hold_finished(hold, 2, &how));
    ck_assert_int_eq(how, HOLD_HOW_EXPIRED);
    ck_assert_int_eq(hold_message(hold), -1);
    hold_close(hold);
    tear_down();
}
END_TEST

/* HOLD_LOST was changed afterwards. */
START_TEST(expired_and_removed_later)
{
    set_up();
    kept("11 days");
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(state(), HOLD_EXPIRED);
    f.base.config.hold_lost = CONFIG_LOST_PLAIN;
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(state(), HOLD_GONE);
    tear_down();
}
END_TEST

START_TEST(refused)
{
    struct hold *hold;

    set_up();
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_refuse(hold, "Eicar"), 0);
    hold_close(hold);
    kept("2 hours");
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(notices(), 0); /* ADMIN was told that it was refused */
    ck_assert_int_eq(state(), HOLD_REFUSED);
    kept("11 days");
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(notices(), 1);
    ck_assert_int_eq(state(), HOLD_GONE);
    tear_down();
}
END_TEST

/* What waits for a person is not touched. */
START_TEST(returned_copies_stay)
{
    set_up();
    f.entry.kind = HOLD_CHANGED;
    f.entry.digest = NULL;
    f.entry.of = f.id;
    hold_fixture_keep(&f);
    kept("100 days");
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(notices(), 0);
    ck_assert_int_eq(state(), HOLD_HELD);
    tear_down();
}
END_TEST

START_TEST(tombstones)
{
    struct hold *hold;

    set_up();
    hold = hold_fixture_open(&f, f.store);
    ck_assert(hold_drop(hold, HOLD_HOW_DROPPED, &f.base.outcome));
    hold_close(hold);
    kept("100 days");
    ck_assert_int_eq(hold_fixture_shell(&f, "echo left >$ID/message; chmod 600 $ID/message"), 0);
    ck_assert_int_eq(run(), OUTCOME_DONE); /* finished just now */
    ck_assert_int_eq(state(), HOLD_GONE);
    ck_assert_int_eq(hold_fixture_count(&f, "*/message"), 0);
    ck_assert_int_eq(hold_fixture_shell(&f, "touch -d '-11 days' $ID"), 0);
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_uint_eq(aged.removed, 1);
    ck_assert_int_eq(hold_fixture_count(&f, "*"), 1); /* the key */
    ck_assert_int_eq(notices(), 0);
    tear_down();
}
END_TEST

START_TEST(leftovers)
{
    set_up();
    ck_assert_int_eq(
        hold_fixture_shell(
            &f,
            "mkdir new-1 new-2 old-1 other; touch new-1/message new-2/message old-1/record "
            "try-1 try-2 other/file; ln -s /etc new-link; chmod 700 *-?; touch -d '-25 hours' new-1 old-1 "
            "try-1 other; touch -h -d '-25 hours' new-link"),
        0);
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(hold_fixture_count(&f, "new-1 old-1 try-1"), 0);
    ck_assert_int_eq(hold_fixture_count(&f, "new-2 try-2 other other/file new-link"), 5);
    tear_down();
}
END_TEST

START_TEST(one_at_a_time)
{
    struct config config;
    int status;
    pid_t pid;

    set_up();
    kept("2 hours");
    pid = fork();
    if (pid == 0) { /* killed in the middle of it */
        struct hold_store *store = hold_fixture_node(&f, "gate.behoerde.de", &config);

        fixture_target(&f.base, CONFIG_TARGET_INTERNAL, "kill -9 $PPID");
        config.targets[CONFIG_TARGET_INTERNAL] = f.base.config.targets[CONFIG_TARGET_INTERNAL];
        hold_age(store, deadline_in(20000), &aged, &f.base.outcome);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(hold_fixture_count(&f, "ageing"), 1);
    ck_assert_int_eq(run(), OUTCOME_DONE); /* at once: it is dead */
    ck_assert(!aged.busy);
    ck_assert_int_eq(notices(), 1);
    ck_assert_int_eq(hold_fixture_shell(&f, "echo claim other - - 1 1 >ageing; chmod 600 ageing"), 0);
    kept("11 days");
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert(aged.busy);
    ck_assert_int_eq(state(), HOLD_HELD);
    ck_assert_int_eq(hold_fixture_shell(&f, "touch -d '-2 minutes' ageing"), 0);
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_int_eq(state(), HOLD_EXPIRED);
    tear_down();
}
END_TEST

/* Many at once are one notice. */
START_TEST(many)
{
    set_up();
    for (int i = 0; i < 20; i++) {
        char *text = mem_printf("Subject: %d\n\nx\n", i);

        fixture_message(&f.base, text, strlen(text), "a@partner.example");
        f.entry.fd = f.base.message.fd;
        hold_fixture_keep(&f);
        free(text);
    }
    ck_assert_int_eq(hold_fixture_shell(&f, "touch -d '-2 hours' */record"), 0);
    ck_assert_int_eq(run(), OUTCOME_DONE);
    ck_assert_uint_eq(aged.overdue, 21);
    ck_assert_int_eq(notices(), 1);
    ck_assert(notice_says("COUNT: 21"));
    tear_down();
}
END_TEST

START_TEST(damaged_entry)
{
    set_up();
    kept("2 hours");
    ck_assert_int_eq(hold_fixture_shell(&f, "mkdir -m 700 00000000000000000000000000000000"), 0);
    ck_assert_int_eq(run(), OUTCOME_TEMPORARY); /* somebody should look */
    ck_assert_msg(strstr(f.base.outcome.text, "00000000000000000000000000000000") != NULL, "%s",
                  f.base.outcome.text);
    ck_assert_int_eq(notices(), 1); /* the others are looked after */
    tear_down();
}
END_TEST

UNIT_MAIN("hold-age", overdue_once, notice_fails, expired_and_kept, expired_and_removed,
          expired_and_removed_later, refused, returned_copies_stay, tombstones, leftovers, one_at_a_time,
          many, damaged_entry)
