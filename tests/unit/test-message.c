#include "core/message.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/envelope_line.h"
#include "tests/unit/delivery_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"

START_TEST(envelope_lines)
{
    static const struct {
        const char *text;
        const char *sender; /* NULL: no envelope line */
        uint64_t skip;
    } rows[] = {
        {"From a@x.example Sat Nov 21 20:00:00 2026\nSubject: x\n", "a@x.example", 42},
        {"From a@x.example Sat\r\nX", "a@x.example", 22},
        {"From  Sat Nov 21 20:00:00 2026\n", "", 31},
        {"From MAILER-DAEMON Sat\n", "", 23},
        {"From <> Sat\n", "", 12},
        {"From <a@x> Sat\n", "a@x", 15},
        {"From \"d x\"@a.example Sat\n", "\"d x\"@a.example", 25},
        {"From \"d\\\" x\"@a Sat\n", "\"d\\\" x\"@a", 19},
        {"From \n", "", 6},
        {"From a@x", NULL, 0},
        {"From: a@x.example\n", NULL, 0},
        {">From a@x\n", NULL, 0},
        {"from a@x\n", NULL, 0},
        {"From\n", NULL, 0},
        {"\nFrom a@x\n", NULL, 0},
        {"", NULL, 0},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        size_t len = strlen(rows[i].text);
        char *copy = mem_alloc(len), *sender = NULL;
        uint64_t skip;

        memcpy(copy, rows[i].text, len); /* without the NUL, so that a reader beyond the end is caught */
        skip = envelope_line_parse(copy, len, &sender);
        ck_assert_msg(skip == rows[i].skip, "row %zu: %llu", i, (unsigned long long)skip);
        ck_assert_msg((sender == NULL) == (rows[i].sender == NULL), "row %zu", i);
        ck_assert_msg(sender == NULL || strcmp(sender, rows[i].sender) == 0, "row %zu: %s", i, sender);
        free(sender);
        free(copy);
    }
}
END_TEST

START_TEST(long_envelope_line)
{
    char *text = mem_alloc(ENVELOPE_LINE_MAX + 10), *sender = NULL;

    memset(text, 'x', ENVELOPE_LINE_MAX + 9);
    memcpy(text, "From ", 5);
    text[ENVELOPE_LINE_MAX] = '\n';
    ck_assert_uint_eq(envelope_line_parse(text, ENVELOPE_LINE_MAX + 9, &sender), 0);
    text[ENVELOPE_LINE_MAX - 1] = '\n';
    ck_assert_uint_eq(envelope_line_parse(text, ENVELOPE_LINE_MAX + 9, &sender), ENVELOPE_LINE_MAX);
    free(sender);
    free(text);
}
END_TEST

/* The same mail has the same key, however its envelope came and wherever it is stored. */
START_TEST(digest)
{
    static const char plain[] = "Subject: x\n\nbody\n";
    static const char with_line[] = "From a@x.example Sat Nov 21 20:00:00 2026\nSubject: x\n\nbody\n";
    unsigned char first[SHA256_LEN];
    struct fixture f;

    fixture_set_up(&f, plain, "a@x.example");
    memcpy(first, f.message.digest, SHA256_LEN);
    ck_assert_uint_eq(f.message.offset, 0);
    ck_assert_uint_eq(f.message.size, strlen(plain));
    fixture_message(&f, with_line, strlen(with_line), NULL);
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    ck_assert_str_eq(f.message.envelope.sender, "a@x.example");
    ck_assert_uint_eq(f.message.offset, 42);
    ck_assert_uint_eq(f.message.size, strlen(plain));
    ck_assert(memcmp(first, f.message.digest, SHA256_LEN) == 0);
    f.config.spool_memory = 0;
    fixture_message(&f, plain, strlen(plain), "a@x.example");
    ck_assert(memcmp(first, f.message.digest, SHA256_LEN) == 0);
    fixture_message(&f, plain, strlen(plain), "b@x.example");
    ck_assert(memcmp(first, f.message.digest, SHA256_LEN) != 0);
    fixture_message(&f, with_line, strlen(with_line), "b@x.example"); /* -sender outranks the line */
    ck_assert_str_eq(f.message.envelope.sender, "b@x.example");
    fixture_tear_down(&f);
}
END_TEST

START_TEST(structure)
{
    static const char text[] =
        "From: A <a@x.example>, b@x.example\r\nSubject: x\r\nFROM: c@x.example\r\n\r\nbody\r\n";
    struct fixture f;

    fixture_set_up(&f, text, "");
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    ck_assert_str_eq(f.message.eol, "\r\n");
    ck_assert_uint_eq(f.message.header_from.count, 3);
    ck_assert_str_eq(f.message.header_from.items[2], "c@x.example");
    ck_assert_uint_eq(f.message.mime.root->end, strlen(text));
    fixture_message(&f, "\n", 1, "");
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    ck_assert_uint_eq(f.message.size, 1);
    ck_assert_str_eq(f.message.eol, "\n");
    fixture_tear_down(&f);
}
END_TEST

START_TEST(unknown_sender)
{
    struct fixture f;

    fixture_set_up(&f, "Subject: x\n\n", NULL);
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    fixture_message(&f, "From -x y@z Sat\n\n", 17, NULL);
    ck_assert_int_eq(f.outcome.kind, OUTCOME_PERMANENT);
    ck_assert_str_eq(f.outcome.dsn, "5.1.7");
    fixture_message(&f, "From -x@y Sat\n\n", 15, NULL);
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    ck_assert_str_eq(f.message.envelope.sender, "\"-x\"@y");
    fixture_tear_down(&f);
}
END_TEST

/* Every octet arrives, on both sides of the border between memory and disk and of the reader's pieces. */
START_TEST(every_octet)
{
    static const size_t sizes[] = {1, 4095, 4096, 4097, 65535, 65536, 65537, 200000};
    char *text = mem_alloc(200000), *back = mem_alloc(200000);
    struct fixture f;

    for (size_t i = 0; i < 200000; i++)
        text[i] = (char)('a' + i % 23);
    fixture_set_up(&f, "", "");
    for (size_t i = 0; i < ROWS(sizes); i++) {
        fixture_message(&f, text, sizes[i], "");
        ck_assert_msg(f.outcome.kind == OUTCOME_DONE, "row %zu: %s", i, f.outcome.text);
        ck_assert_msg(f.message.size == sizes[i], "row %zu", i);
        ck_assert_int_eq(fdio_pread_all(f.message.fd, back, sizes[i], 0), 0);
        ck_assert_msg(memcmp(back, text, sizes[i]) == 0, "row %zu", i);
    }
    free(text);
    free(back);
    fixture_tear_down(&f);
}
END_TEST

START_TEST(limits)
{
    struct fixture f;
    int fd[2], size;
    char *text = mem_alloc(70000);

    memset(text, 'x', 70000);
    fixture_set_up(&f, "", "");
    f.config.max_size = 69990;
    memcpy(text, "From  Sat\n", 10); /* the envelope line does not count */
    fixture_message(&f, text, 70000, "");
    ck_assert_int_eq(f.outcome.kind, OUTCOME_DONE);
    f.config.max_size = 69989;
    fixture_message(&f, text, 70000, "");
    ck_assert_int_eq(f.outcome.kind, OUTCOME_PERMANENT);
    ck_assert_int_eq(f.outcome.exit_code, EX_DATAERR);
    ck_assert_str_eq(f.outcome.dsn, "5.3.4");

    f.config.max_size = 100; /* an input that is refused is still read to its end */
    ck_assert_int_eq(pipe(fd), 0);
    size = (int)write(fd[1], text, 60000);
    close(fd[1]);
    outcome_done(&f.outcome);
    message_read(&f.message, fd[0], &f.outcome);
    ck_assert_int_eq(size, 60000);
    ck_assert_int_eq((int)read(fd[0], text, 1), 0);
    close(fd[0]);
    free(text);
    fixture_tear_down(&f);
}
END_TEST

START_TEST(faults)
{
    struct fixture f;
    char *text = mem_alloc(10000);

    memset(text, 'x', 10000);
    fixture_set_up(&f, "", "");
    free(f.config.spool);
    f.config.spool = mem_strdup("/nonexistent");
    fixture_message(&f, text, 10000, "");
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    ck_assert_msg(strstr(f.outcome.text, "/nonexistent") != NULL, "%s", f.outcome.text);
    ck_assert_int_eq(message_output(&f.message, 10000, &f.outcome), -1);
    outcome_done(&f.outcome);
    message_free(&f.message);
    f.message.config = &f.config;
    f.message.envelope.sender = mem_strdup("");
    message_read(&f.message, -1, &f.outcome); /* standard input that is closed */
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    message_free(&f.message);
    f.message.config = &f.config;
    f.message.envelope.sender = mem_strdup("");
    outcome_done(&f.outcome);
    message_read(&f.message, open("/dev/null", O_RDONLY | O_CLOEXEC), &f.outcome); /* no message at all */
    ck_assert_int_eq(f.outcome.kind, OUTCOME_TEMPORARY);
    free(text);
    fixture_tear_down(&f);
}
END_TEST

UNIT_MAIN("message", envelope_lines, long_envelope_line, digest, structure, unknown_sender, every_octet,
          limits, faults)
