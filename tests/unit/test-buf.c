/* Buffers, lists, arrays, outcomes, digests. */
#include "util/buf.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/deadline.h"
#include "util/mem.h"
#include "util/outcome.h"
#include "util/sha256.h"
#include "util/strlist.h"

START_TEST(buffers)
{
    struct buf buf = {0}, other = {0};
    char *text;

    ck_assert_str_eq(buf_text(&buf), "");
    buf_add(&buf, NULL, 0);
    ck_assert_ptr_nonnull(buf.data);
    buf_add(&buf, "a\0b", 3);
    ck_assert_uint_eq(buf.len, 3);
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "%d,", i);
    ck_assert_uint_eq(buf.len, 3 + 3890);
    ck_assert_str_eq(buf.data + buf.len - 4, "999,");
    buf_clear(&buf);
    ck_assert_str_eq(buf_text(&buf), "");
    buf_printf(&buf, "%0500d", 7);
    ck_assert_uint_eq(strlen(buf_text(&buf)), 500);
    text = buf_take(&buf);
    ck_assert_uint_eq(strlen(text), 500);
    ck_assert_ptr_null(buf.data);
    free(text);
    text = buf_take(&buf);
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert(buf_equal(&buf, &other));
    buf_add(&buf, "a\0b", 3);
    ck_assert(!buf_equal(&buf, &other));
    buf_add(&other, "a\0c", 3);
    ck_assert(!buf_equal(&buf, &other));
    other.data[2] = 'b';
    ck_assert(buf_equal(&buf, &other));
    buf_free(&other);
    buf_add_char(&buf, 'x');
    buf_wipe(&buf);
    ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(lists)
{
    struct strlist list = {0};

    ck_assert(!strlist_has(&list, "x"));
    strlist_split(&list, "  one two\tthree\n");
    strlist_split(&list, " \t ");
    ck_assert_uint_eq(list.count, 3);
    for (int i = 0; i < 100; i++) {
        strlist_add_take(&list, mem_printf("item %d", i));
        ck_assert_ptr_null(list.items[list.count]);
    }
    ck_assert_str_eq(list.items[2], "three");
    ck_assert_str_eq(list.items[102], "item 99");
    ck_assert(strlist_has(&list, "item 50"));
    ck_assert(!strlist_has(&list, "ITEM 50"));
    ck_assert(strlist_has_nocase(&list, "ITEM 50"));
    strlist_free(&list);
    ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(arrays)
{
    struct thing {
        int a, b;
    } *things = NULL;
    size_t count = 0;

    for (int i = 0; i < 1000; i++) {
        struct thing *thing = mem_push(&things, &count, sizeof(*thing));

        ck_assert_int_eq(thing->a, 0);
        thing->a = thing->b = i;
    }
    ck_assert_uint_eq(count, 1000);
    ck_assert_int_eq(things[577].b, 577);
    free(things);
}
END_TEST

/* Out of memory must make the MTA keep the mail. */
START_TEST(exhaustion)
{
    int out[2], status;
    char text[100] = "";
    pid_t pid;

    ck_assert_int_eq(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        mem_array(SIZE_MAX / 2, 3);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 75);
    ck_assert_int_gt((int)read(out[0], text, sizeof(text) - 1), 0);
    ck_assert_msg(strncmp(text, "4.3.0 ", 6) == 0, "%s", text);
}
END_TEST

START_TEST(outcomes)
{
    struct outcome o;
    char long_text[600];

    outcome_done(&o);
    ck_assert_int_eq(o.exit_code, 0);
    outcome_permanent(&o, 77, "5.7.1", "refused %s", "x\r\ny");
    outcome_permanent(&o, 65, "5.6.0", "second");
    ck_assert_str_eq(o.text, "refused x  y");
    ck_assert_int_eq(o.exit_code, 77);
    outcome_temporary(&o, "4.3.0", "disk full");
    ck_assert_int_eq(o.kind, OUTCOME_TEMPORARY);
    ck_assert_int_eq(o.exit_code, 75);
    ck_assert_str_eq(o.dsn, "4.3.0");
    outcome_temporary(&o, "4.4.1", "second");
    outcome_permanent(&o, 77, "5.7.1", "never");
    ck_assert_str_eq(o.text, "disk full");
    outcome_done(&o);
    outcome_temporary(&o, "5.7.1", "the class follows the kind");
    ck_assert_str_eq(o.dsn, "4.7.1");
    memset(long_text, 'x', sizeof(long_text));
    memcpy(long_text + 509, "\xE2\x82\xAC", 4); /* its first two octets would fit */
    outcome_done(&o);
    outcome_temporary(&o, "4.0.0", "%sand more", long_text);
    ck_assert_uint_eq(strlen(o.text), 509);
    outcome_done(&o);
    outcome_temporary(&o, "4.0.0", "x%.508sand more", long_text + 1);
    ck_assert_uint_eq(strlen(o.text), 511);
}
END_TEST

START_TEST(digests)
{
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const char million_a[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    struct sha256 *s = sha256_new();
    unsigned char digest[SHA256_LEN];
    char hex[SHA256_HEX_LEN + 1], *a = mem_alloc(1000000);

    memset(a, 'a', 1000000);
    sha256_hex("abc", 3, hex);
    ck_assert_str_eq(hex, abc);
    sha256_hex(a, 1000000, hex);
    ck_assert_str_eq(hex, million_a);
    for (size_t step = 1; step < 200; step += 7) { /* every way of cutting gives the same */
        for (size_t at = 0; at < 1000000; at += step * 997)
            sha256_update(s, a, 1000000 - at < step * 997 ? 1000000 - at : step * 997);
        sha256_final(s, digest);
        for (size_t i = 0; i < SHA256_LEN; i++)
            snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        ck_assert_msg(strcmp(hex, million_a) == 0, "step %zu", step);
    }
    sha256_free(s);
    free(a);
}
END_TEST

START_TEST(deadlines)
{
    deadline soon = deadline_in(5000);

    ck_assert(deadline_in(DEADLINE_NEVER) == DEADLINE_NEVER);
    ck_assert_int_eq(deadline_poll_timeout(DEADLINE_NEVER), -1);
    ck_assert_int_eq(deadline_poll_timeout(deadline_in((int64_t)1 << 50)), INT32_MAX);
    ck_assert(deadline_min(soon, DEADLINE_NEVER) == soon);
    ck_assert(!deadline_passed(soon) && !deadline_passed(DEADLINE_NEVER));
    ck_assert(deadline_left(soon) > 0 && deadline_left(soon) <= 5000);
    ck_assert(deadline_passed(deadline_in(-1)));
    ck_assert_int_eq(deadline_poll_timeout(deadline_in(-1)), 0);
}
END_TEST

UNIT_MAIN("buf", buffers, lists, arrays, exhaustion, outcomes, digests, deadlines)
