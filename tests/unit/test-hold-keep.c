#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/hold_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"
#include "util/tmpfile.h"

static struct hold_fixture f;

static void set_up(void)
{
    hold_fixture_set_up(&f);
}

static void tear_down(void)
{
    hold_fixture_tear_down(&f);
}

static enum hold_found found(const char *id)
{
    struct outcome outcome;
    struct hold *hold;
    enum hold_found result;

    outcome_done(&outcome);
    result = hold_open(f.store, id, &hold, &outcome);
    ck_assert_int_eq(outcome.kind, result == HOLD_FAILED ? OUTCOME_TEMPORARY : OUTCOME_DONE);
    hold_close(hold);
    return result;
}

START_TEST(everything_comes_back)
{
    const struct hold_record *record;
    struct buf text = {0};
    struct hold *hold;
    int fd;

    set_up();
    hold_fixture_keep(&f);
    hold = hold_fixture_open(&f, f.store);
    record = hold_record(hold);
    ck_assert_int_eq(record->kind, HOLD_ORIGINAL);
    ck_assert_str_eq(record->id, f.id);
    ck_assert_str_eq(record->sender, "a@partner.example");
    ck_assert_str_eq(record->node, "gate.behoerde.de");
    ck_assert_str_eq(record->queue_id, "QUEUE1");
    ck_assert_str_eq(record->dsn_notify, "FAILURE");
    ck_assert_ptr_null(record->dsn_ret);
    ck_assert_ptr_null(record->of);
    ck_assert_str_eq(record->message_id, "<1@partner.example>");
    ck_assert_uint_eq(record->recipients.count, 3);
    ck_assert_str_eq(record->recipients.items[2], "z@behoerde.de");
    ck_assert_int_eq(hold_state(hold), HOLD_HELD);
    ck_assert_str_eq(hold_state_name(hold), "held");
    ck_assert_int_eq((int)hold_recipient(hold, "Y@BEHOERDE.de"), 1);
    ck_assert_int_eq((int)hold_recipient(hold, "other@behoerde.de"), -1);
    ck_assert_int_eq(hold_is_copy(hold, hold_fixture_digest), 1);
    fd = hold_message(hold);
    ck_assert_int_eq(fdio_read_fd(fd, 1000, &text), 0);
    ck_assert_str_eq(buf_text(&text), HOLD_FIXTURE_MESSAGE);
    ck_assert_int_eq((int)write(fd, "x", 1), -1);
    fdio_close(&fd);
    buf_free(&text);
    hold_close(hold);
    ck_assert_int_eq(hold_fixture_shell(&f, "test \"$(stat -c %a . key $ID $ID/*|sort -u)\" = '600\n700'"),
                     0);
    tear_down();
}
END_TEST

/* Ids do not depend on the order of recipients, and on everything else. */
START_TEST(ids)
{
    char id[HOLD_ID_LEN + 1], other[HOLD_ID_LEN + 1];
    struct strlist turned = {0}, fewer = {0};

    set_up();
    strlist_add(&turned, "z@behoerde.de");
    strlist_add(&turned, "X@Behoerde.DE");
    strlist_add(&turned, "y@behoerde.de");
    strlist_add(&fewer, "x@behoerde.de");
    ck_assert(hold_id(f.store, &f.base.message, HOLD_ORIGINAL, &f.recipients, id, &f.base.outcome));
    ck_assert(hold_id_valid(id));
    ck_assert(hold_id(f.store, &f.base.message, HOLD_ORIGINAL, &turned, other, &f.base.outcome));
    ck_assert_str_eq(id, other);
    ck_assert(hold_id(f.store, &f.base.message, HOLD_CHANGED, &f.recipients, other, &f.base.outcome));
    ck_assert_str_ne(id, other);
    ck_assert(hold_id(f.store, &f.base.message, HOLD_ORIGINAL, &fewer, other, &f.base.outcome));
    ck_assert_str_ne(id, other);
    ck_assert_int_eq(hold_fixture_shell(&f, "rm key"), 0);
    ck_assert(hold_id(f.store, &f.base.message, HOLD_ORIGINAL, &f.recipients, other, &f.base.outcome));
    ck_assert_str_ne(id, other);
    ck_assert_int_eq(hold_fixture_shell(&f, "echo short >key"), 0);
    ck_assert(!hold_id(f.store, &f.base.message, HOLD_ORIGINAL, &f.recipients, other, &f.base.outcome));
    ck_assert_int_eq(f.base.outcome.kind, OUTCOME_TEMPORARY);
    strlist_free(&turned);
    strlist_free(&fewer);
    tear_down();
}
END_TEST

/* The MTA's retry: one entry, which knows both copies. */
START_TEST(twice_is_once)
{
    static const unsigned char other[SHA256_LEN] = {9};
    struct hold *hold;

    set_up();
    hold_fixture_keep(&f);
    f.entry.digest = other;
    hold_fixture_keep(&f);
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_is_copy(hold, hold_fixture_digest), 1);
    ck_assert_int_eq(hold_is_copy(hold, other), 1);
    ck_assert(hold_drop(hold, HOLD_HOW_DROPPED, &f.base.outcome));
    hold_close(hold);
    hold_fixture_keep(&f); /* a tombstone stays one */
    hold = hold_fixture_open(&f, f.store);
    ck_assert_int_eq(hold_state(hold), HOLD_GONE);
    ck_assert_int_eq(hold_message(hold), -1);
    hold_close(hold);
    ck_assert_int_eq(hold_fixture_count(&f, "*"), 2); /* key, entry */
    tear_down();
}
END_TEST

START_TEST(no_ids)
{
    static const char *const rows[] = {
        "",
        "none",
        "..",
        "../../../../etc/passwd",
        "key",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0",
        "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef/123456789abcdef",
        "/../../../../../../../etc/passwd",
        "0123456789abcdef0123456789abcde\n",
    };

    set_up();
    /* a store whose directory is gone fails for whatever it looks at */
    ck_assert_int_eq(hold_fixture_shell(&f, "mv ../hold ../away && touch ../hold"), 0);
    for (size_t i = 0; i < ROWS(rows); i++) {
        ck_assert_msg(!hold_id_valid(rows[i]), "row %zu", i);
        ck_assert_msg(found(rows[i]) == HOLD_UNKNOWN, "row %zu", i);
    }
    tear_down();
}
END_TEST

/* What others put there is neither believed nor touched. */
START_TEST(hostile_contents)
{
    static const struct {
        const char *command;
        enum hold_found wanted;
    } rows[] = {
        {"mv $ID real && ln -s real $ID", HOLD_FAILED},
        {"mv $ID/record real-record && ln -s ../real-record $ID/record", HOLD_FAILED},
        {"chmod 777 $ID", HOLD_FAILED},
        {"chmod 666 $ID/record", HOLD_FAILED},
        {"chown 12345 $ID", HOLD_FAILED},
        {"chown 12345 $ID/record", HOLD_FAILED},
        {"rm -r $ID && touch $ID", HOLD_FAILED},
        {"rm $ID/record && mkfifo $ID/record", HOLD_FAILED},
        {"sed -i '$d' $ID/record", HOLD_FAILED},
        {"sed -i '/^recipient/d' $ID/record", HOLD_FAILED},
        {"sed -i 's/^kind .*/kind other/' $ID/record", HOLD_FAILED},
        {"sed -i 's/^sender/sender x\\nsender/' $ID/record", HOLD_FAILED},
        {"printf '\\0' >>$ID/record", HOLD_FAILED},
        {"rm $ID/record", HOLD_FAILED},
        {"mv $ID elsewhere", HOLD_UNKNOWN},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct strlist listed = {0};

        if (geteuid() != 0 && strncmp(rows[i].command, "chown", 5) == 0)
            continue;
        set_up();
        hold_fixture_keep(&f);
        ck_assert_int_eq(hold_fixture_shell(&f, rows[i].command), 0);
        ck_assert_msg(found(f.id) == rows[i].wanted, "row %zu", i);
        ck_assert(hold_keep(f.store, &f.base.message, &f.entry, &f.base.outcome) ==
                  (rows[i].wanted == HOLD_UNKNOWN));
        ck_assert_int_eq(hold_fixture_shell(&f, "touch foreign .hidden; mkdir 0123; ln -s /etc new-link"), 0);
        ck_assert_int_eq(hold_list(f.store, &listed), 0);
        ck_assert_uint_eq(listed.count, 1); /* it is named, so that somebody can look */
        strlist_free(&listed);
        tear_down();
    }
}
END_TEST

START_TEST(hostile_directory)
{
    static const char *const rows[] = {"chmod 770 .", "chmod 707 .", "mv ../hold ../real; ln -s real ../hold",
                                       "rmdir ../hold; touch ../hold", "chown 12345 ."};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct hold_store *store;

        if (geteuid() != 0 && strncmp(rows[i], "chown", 5) == 0)
            continue;
        set_up();
        hold_fixture_shell(&f, rows[i]);
        store = hold_store_open(&f.base.config, &f.base.outcome);
        ck_assert_msg(store == NULL, "row %zu", i);
        ck_assert_int_eq(f.base.outcome.kind, OUTCOME_TEMPORARY);
        ck_assert_msg(strstr(f.base.outcome.text, "HOLD_DIR") != NULL, "%s", f.base.outcome.text);
        tear_down();
    }
}
END_TEST

/* Values of the sender's cannot add lines. */
START_TEST(record_is_safe)
{
    struct hold *hold;

    set_up();
    free(f.base.message.envelope.queue_id);
    f.base.message.envelope.queue_id = mem_strdup("Q\nrecipient evil@behoerde.de\nend");
    hold_fixture_keep(&f);
    hold = hold_fixture_open(&f, f.store);
    ck_assert_uint_eq(hold_record(hold)->recipients.count, 3);
    ck_assert_str_eq(hold_record(hold)->queue_id, "Q recipient evil@behoerde.de end");
    hold_close(hold);
    tear_down();
}
END_TEST

/* ---- faults ---- */

static int keep_in_child(void)
{
    struct outcome outcome;
    bool kept;

    outcome_done(&outcome);
    kept = hold_keep(f.store, &f.base.message, &f.entry, &outcome);
    return kept ? 0 : outcome.kind == OUTCOME_TEMPORARY ? 75 : 1;
}

START_TEST(killed_anywhere)
{
    int number = 0, rc, whole = 0;

    set_up();
    ck_assert(hold_id(f.store, &f.base.message, HOLD_ORIGINAL, &f.recipients, f.id, &f.base.outcome));
    do {
        struct hold *hold;

        hold_fixture_shell(&f, "rm -rf $ID new-* try-*");
        rc = hold_fixture_kill(keep_in_child, number++);
        if (found(f.id) == HOLD_FOUND) {
            whole++;
            ck_assert_int_eq(hold_fixture_shell(&f, "grep -q ^end $ID/record && ls $ID/copy-* >/dev/null"),
                             0);
        } else {
            ck_assert_int_ne(rc, 0);
        }
        ck_assert_int_le(hold_fixture_count(&f, "new-* try-*"), 1);
        hold_fixture_keep(&f); /* the retry */
        hold = hold_fixture_open(&f, f.store);
        ck_assert_int_eq(hold_is_copy(hold, hold_fixture_digest), 1);
        ck_assert_int_eq(hold_fixture_shell(&f, "grep -q ^secret $ID/message"), 0);
        hold_close(hold);
        ck_assert_int_eq(hold_fixture_count(&f, "????????????????????????????????"), 1);
    } while (rc < 0);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(number, 40); /* it was killed at that many places */
    ck_assert_int_gt(whole, 1);
    tear_down();
}
END_TEST

/* A file system that is full: nothing half-made has the entry's name, and it works when there is room again.
 */
START_TEST(full_disk)
{
    struct buf big = {0};

    set_up();
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", f.base.config.hold_dir, "tmpfs", 0, "size=64k,mode=700") != 0) {
        tear_down(); /* not root: file_too_large must do */
        return;
    }
    hold_store_close(f.store);
    f.store = hold_store_open(&f.base.config, &f.base.outcome);
    ck_assert(hold_id(f.store, &f.base.message, HOLD_ORIGINAL, &f.recipients, f.id, &f.base.outcome));
    for (size_t i = 0; i < 20000; i++)
        buf_add_text(&big, "0123456789");
    f.entry.fd = tmpfile_open("/tmp", 0, 1 << 20);
    ck_assert_int_eq(fdio_write_all(f.entry.fd, big.data, big.len), 0);
    ck_assert_int_eq(keep_in_child(), 75);
    ck_assert_int_eq(found(f.id), HOLD_UNKNOWN);
    ck_assert_int_eq(hold_fixture_count(&f, "*"), 1); /* the key */
    ck_assert_int_eq(ftruncate(f.entry.fd, 100), 0);
    hold_fixture_keep(&f);
    ck_assert_int_eq(hold_fixture_shell(&f, "dd if=/dev/zero of=fill bs=4k 2>/dev/null; true"), 0);
    { /* what is claimed and delivered needs no room to be finished */
        struct hold *hold = hold_fixture_open(&f, f.store);

        ck_assert_int_eq(hold_claim(hold, 0), HOLD_CLAIM_FAILED);
        ck_assert_int_eq(hold_fixture_shell(&f, "rm fill"), 0);
        ck_assert_int_eq(hold_claim(hold, 0), HOLD_CLAIMED);
        ck_assert_int_eq(hold_fixture_shell(&f, "dd if=/dev/zero of=fill bs=4k 2>/dev/null; true"), 0);
        ck_assert_int_eq(hold_done(hold, HOLD_HOW_EXCHANGED), 0);
        ck_assert(hold_finished(hold, 0, NULL));
        hold_close(hold);
    }
    buf_free(&big);
    fdio_close(&f.entry.fd);
    hold_store_close(f.store);
    f.store = NULL;
    ck_assert_int_eq(umount(f.base.config.hold_dir), 0);
    tear_down();
}
END_TEST

START_TEST(file_too_large)
{
    const struct rlimit little = {.rlim_cur = 60, .rlim_max = 60};
    int status;
    pid_t pid;

    set_up();
    ck_assert(hold_id(f.store, &f.base.message, HOLD_ORIGINAL, &f.recipients, f.id, &f.base.outcome));
    pid = fork();
    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &little);
        _exit(keep_in_child());
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 75);
    ck_assert_int_eq(found(f.id), HOLD_UNKNOWN);
    ck_assert_int_eq(hold_fixture_count(&f, "*"), 1);
    hold_fixture_keep(&f);
    tear_down();
}
END_TEST

/* Many at once: one entry, everybody content. */
START_TEST(many_at_once)
{
    pid_t pids[8];
    int status;

    set_up();
    for (size_t i = 0; i < ROWS(pids); i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(keep_in_child());
    }
    for (size_t i = 0; i < ROWS(pids); i++) {
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_eq(WEXITSTATUS(status), 0);
    }
    ck_assert_int_eq(hold_fixture_count(&f, "*"), 2); /* key, entry: nothing is left */
    tear_down();
}
END_TEST

UNIT_MAIN("hold-keep", everything_comes_back, ids, twice_is_once, no_ids, hostile_contents, hostile_directory,
          record_is_safe, killed_anywhere, full_disk, file_too_large, many_at_once)
