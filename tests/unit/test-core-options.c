#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include "core/options.h"
#include "tests/unit/unit.h"

#define WORDS_MAX 20

static bool parse(struct options *options, struct outcome *outcome, const char *const *list)
{
    char *argv[WORDS_MAX] = {(char *)(uintptr_t) "julia"};
    int n = 1;
    for (; *list != NULL; list++)
        argv[n++] = (char *)(uintptr_t)*list; /* options_parse() writes to none of them */
    memset(options, 0, sizeof(*options));
    outcome_done(outcome);
    return options_parse(options, n, argv, outcome);
}

START_TEST(a_whole_line)
{
    static const char *const line[] = {
        "-c",      "/x/julia.conf", "-client",   "10.0.0.1",    "-peer",     "h [10.0.0.1]",
        "-sender", "a@x.example",   "-auth",     "login",       "-queue-id", "ABC",
        "-dsn",    "NEVER,HDRS,id", "-readmail", "b@y.example", "-c",        NULL};
    struct options o;
    struct outcome outcome;
    ck_assert(!parse(&o, &outcome, line)); /* "-c" behind -readmail is a recipient, and no address */
    ck_assert_str_eq(outcome.dsn, "5.1.3");
    options_free(&o);
    static const char *const good[] = {
        "-c",      "/x/julia.conf", "-client",   "10.0.0.1",    "-peer",       "h [10.0.0.1]",
        "-sender", "a@x.example",   "-auth",     "login",       "-queue-id",   "ABC",
        "-dsn",    "NEVER,HDRS,id", "-readmail", "b@y.example", "B@Y.example", NULL};
    ck_assert(parse(&o, &outcome, good));
    ck_assert_str_eq(o.config, "/x/julia.conf");
    ck_assert_str_eq(o.envelope.client, "10.0.0.1");
    ck_assert_str_eq(o.envelope.peer, "h [10.0.0.1]");
    ck_assert_str_eq(o.envelope.sender, "a@x.example");
    ck_assert_str_eq(o.envelope.auth, "login");
    ck_assert_str_eq(o.envelope.queue_id, "ABC");
    ck_assert_uint_eq(o.envelope.recipients.count, 1); /* the same address twice */
    options_free(&o);
}
END_TEST

START_TEST(empty_values)
{
    static const char *const line[] = {
        "-client", "",     "-peer", "",          "-sender",     "",  "-auth", "", "-queue-id",
        "",        "-dsn", ",,",    "-readmail", "b@y.example", NULL};
    struct options o;
    struct outcome outcome;
    ck_assert(parse(&o, &outcome, line));
    ck_assert_str_eq(o.envelope.sender, "");
    ck_assert_str_eq(o.envelope.client, "");
    ck_assert_ptr_null(o.envelope.peer);
    ck_assert_ptr_null(o.envelope.auth);
    ck_assert_ptr_null(o.envelope.queue_id);
    ck_assert_ptr_null(o.envelope.dsn_notify);
    options_free(&o);
}
END_TEST

/* What Sendmail does to the concept's mailer: flag s strips quotes. And its own notices have a name as
 * sender. */
START_TEST(stripped_quotes)
{
    static const struct {
        const char *given, *meant; /* NULL: refused */
    } rows[] = {
        {"carl x@y.example", "\"carl x\"@y.example"},
        {"q\"u\\o@y.example", "\"q\\\"u\\\\o\"@y.example"},
        {"a@b@y.example", "\"a@b\"@y.example"},
        {"a,b@y.example", "\"a,b\"@y.example"},
        {"@y.example", "\"\"@y.example"},
        {"\"carl x\"@y.example", "\"carl x\"@y.example"},
        {"carl x", NULL},
        {"carl x@", NULL},
        {"carl x@y example", NULL},
        {"-f x@y.example", "\"-f x\"@y.example"},
        {"-x@y.example", "\"-x\"@y.example"},
        {"-x", NULL},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *const line[] = {"-client",     "",  "-sender", "MAILER-DAEMON", "-readmail",
                                    rows[i].given, NULL};
        struct options o;
        struct outcome outcome;
        bool ok = parse(&o, &outcome, line);
        ck_assert_msg(ok == (rows[i].meant != NULL), "row %zu", i);
        if (ok) {
            ck_assert_str_eq(o.envelope.recipients.items[0], rows[i].meant);
            ck_assert_str_eq(o.envelope.sender, "");
        }
        options_free(&o);
    }
}
END_TEST

START_TEST(dsn_values)
{
    static const struct {
        const char *value, *notify, *ret, *envid; /* notify "?": refused */
    } rows[] = {
        {"SUCCESS,FAILURE,FULL,abc", "SUCCESS,FAILURE", "FULL", "abc"},
        {"NEVER,,", "NEVER", NULL, NULL},
        {"NEVER", "NEVER", NULL, NULL},
        {",HDRS,", NULL, "HDRS", NULL},
        {",,a,b", NULL, NULL, "a,b"},
        {"delay,hdrs,x+2By", "delay", "hdrs", "x+2By"},
        {"SUCCESS,FAILURE,DELAY,,QQ314159", "SUCCESS,FAILURE,DELAY", NULL, "QQ314159"},
        {",BODY,", "?", NULL, NULL},
        {",,a b", "?", NULL, NULL},
        {"", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *const line[] = {"-client",   "10.0.0.1",    "-dsn", rows[i].value,
                                    "-readmail", "b@y.example", NULL};
        struct options o;
        struct outcome outcome;
        bool ok = parse(&o, &outcome, line);
        bool wanted = rows[i].notify == NULL || strcmp(rows[i].notify, "?") != 0;
        ck_assert_msg(ok == wanted, "row %zu", i);
        if (wanted) {
            ck_assert_pstr_eq(o.envelope.dsn_notify, rows[i].notify);
            ck_assert_pstr_eq(o.envelope.dsn_ret, rows[i].ret);
            ck_assert_pstr_eq(o.envelope.dsn_envid, rows[i].envid);
        }
        options_free(&o);
    }
}
END_TEST

START_TEST(wrong_lines)
{
    static const struct {
        const char *line[8];
        int status;
        const char *dsn;
    } rows[] = {
        {{"-client", "10.0.0.1", "-readmail", NULL}, EX_TEMPFAIL, "4.3.5"},
        {{"-readmail", "b@y.example", NULL}, EX_TEMPFAIL, "4.3.5"},
        {{"-client", "10.0.0.1", "-wrong", "x", NULL}, EX_TEMPFAIL, "4.3.5"},
        {{"-client", NULL}, EX_TEMPFAIL, "4.3.5"},
        {{"-check", "-readmail", "b@y.example", NULL}, EX_TEMPFAIL, "4.3.5"},
        {{"-client", "10.0.0.1", "-readmail", "b@y\nX: y", NULL}, EX_DATAERR, "5.5.4"},
        {{"-client", "10.0.0.1\r", "-readmail", "b@y.example", NULL}, EX_DATAERR, "5.5.4"},
        {{"-client", "10.0.0.1", "-sender", "a b@x y", "-readmail", "b@y.example", NULL},
         EX_DATAERR,
         "5.1.7"},
        {{"-client", "10.0.0.1", "-readmail", "", NULL}, EX_DATAERR, "5.1.3"},
        {{"-client", "10.0.0.1", "-readmail", "-f", NULL}, EX_DATAERR, "5.1.3"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct options o;
        struct outcome outcome;
        ck_assert_msg(!parse(&o, &outcome, rows[i].line), "row %zu", i);
        ck_assert_msg(outcome.exit_code == rows[i].status && strcmp(outcome.dsn, rows[i].dsn) == 0,
                      "row %zu: %d %s", i, outcome.exit_code, outcome.dsn);
        options_free(&o);
    }
}
END_TEST

UNIT_MAIN("core-options", a_whole_line, empty_values, stripped_quotes, dsn_values, wrong_lines)
