#include "unit.h"

#include "mail/header.h"
#include "mail_input.h"

START_TEST(test_fields)
{
    static const char text[] =
        "Subject: one\r\n two\r\nX-Empty:\r\nbroken line\r\n folded too\r\nFrom : a@x.example\r\n"
        "subject: second\r\nTo: \tb\0c \r\n";
    char *data = input_exact(text, sizeof(text) - 1);
    struct header header;
    char *value;

    header_parse(&header, data, sizeof(text) - 1);
    ck_assert_uint_eq(header.count, 6);
    ck_assert_str_eq(header.eol, "\r\n");
    value = header_value_of(&header, "SUBJECT");
    ck_assert_str_eq(value, "one two");
    free(value);
    value = header_value_of(&header, "x-empty");
    ck_assert_str_eq(value, "");
    free(value);
    value = header_value_of(&header, "from");
    ck_assert_str_eq(value, "a@x.example");
    free(value);
    value = header_value_of(&header, "to");
    ck_assert_str_eq(value, "b c");
    free(value);
    ck_assert(header_value_of(&header, "Sub") == NULL);
    ck_assert_int_eq(header_find(&header, "Subject", 1), 4);
    ck_assert_int_eq(header_find(&header, "Subject", 2), -1);
    ck_assert_int_eq(header_next(&header, "subject", 0), header_find(&header, "Subject", 0));
    ck_assert_int_eq(header_next(&header, "Subject", 4), 4);
    ck_assert_int_eq(header_next(&header, "Subject", 5), -1);
    ck_assert_int_eq(header_next(&header, "Subject", header.count), -1);
    ck_assert_uint_eq(header_count(&header, "Subject"), 2);
    ck_assert_uint_eq(header.fields[2].name_len, 0);
    ck_assert_uint_eq(header.fields[2].end - header.fields[2].start,
                      strlen("broken line\r\n folded too\r\n"));
    header_free(&header);
    free(data);
}
END_TEST

static const struct {
    const char *text;
    size_t count, named;
} sections[] = {
    {"", 0, 0},
    {" begins with a blank\n", 1, 0},
    {"a:b", 1, 1},
    {":no name\n", 1, 0},
    {"a b: c\n", 1, 0},
    {"a\t:c\n", 1, 1},
    {"a", 1, 0},
    {"\001: x\n", 1, 0},
    {"a:\nb:\n", 2, 2},
    {"a: x\rb: y\n", 1, 1},
    {"\303\244: x\n", 1, 0},
};

START_TEST(test_odd_sections)
{
    for (size_t i = 0; i < ROWS(sections); i++) {
        size_t len = strlen(sections[i].text), named = 0;
        char *data = input_exact(sections[i].text, len);
        struct header header;

        header_parse(&header, data, len);
        for (size_t k = 0; k < header.count; k++)
            named += header.fields[k].name_len > 0;
        ck_assert_msg(header.count == sections[i].count && named == sections[i].named,
                      "row %zu: %zu fields, %zu named", i, header.count, named);
        header_free(&header);
        free(data);
    }
}
END_TEST

static const struct {
    const char *value, *type, *name, *param; /* param NULL: absent */
} typed_rows[] = {
    {"text/plain; charset=utf-8", "text/plain", "charset", "utf-8"},
    {"TEXT/Plain ;CHARSET=UTF-8", "text/plain", "charset", "UTF-8"},
    {"multipart/mixed; boundary=\"a b\\\"c\"", "multipart/mixed", "boundary", "a b\"c"},
    {"multipart/mixed; boundary=----=_Part_1", "multipart/mixed", "boundary", "----=_Part_1"},
    {"multipart/mixed (comment; boundary=x); boundary=y", "multipart/mixed", "boundary", "y"},
    {"text / plain; a=b", "text/plain", "a", "b"},
    {"text", "text", "a", NULL},
    {"text/", "", "a", NULL},
    {"/plain", "", "a", NULL},
    {"", "", "a", NULL},
    {"a/b;;; x = 1 ; y=2", "a/b", "x", "1"},
    {"a/b; x=1; x=2", "a/b", "x", "1"},
    {"a/b; x", "a/b", "x", ""},
    {"a/b; x=\"unclosed; y=2", "a/b", "x", "unclosed; y=2"},
    {"a/b; n*0=one; n*1=two; n*2=\" three\"", "a/b", "n", "onetwo three"},
    {"a/b; n*1=two; n*0=one", "a/b", "n", "onetwo"},
    {"a/b; n*=utf-8'de'%C3%A4%20b", "a/b", "n", "\303\244 b"},
    {"a/b; n*=iso-8859-1''%E4", "a/b", "n", "\303\244"},
    {"a/b; n*0*=iso-8859-1''%E4; n*1=\"%41\"; n*2*=%41", "a/b", "n", "\303\244%41A"},
    {"a/b; n=plain; n*=utf-8''better", "a/b", "n", "better"},
    {"a/b; n*=bad%C", "a/b", "n", "bad%C"},
    {"a/b; n*=utf-8''a%00b", "a/b", "n", "a b"},
    {"a/b; (c) x (d) = (e) y", "a/b", "x", "y"},
    {"application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"", "application/pkcs7-mime", "name",
     "smime.p7m"},
};

START_TEST(test_typed)
{
    for (size_t i = 0; i < ROWS(typed_rows); i++) {
        struct header_typed typed;
        const char *param;

        header_typed_parse(&typed, typed_rows[i].value);
        param = header_typed_param(&typed, typed_rows[i].name);
        ck_assert_msg(strcmp(typed.value, typed_rows[i].type) == 0, "row %zu: type %s", i, typed.value);
        if (typed_rows[i].param == NULL)
            ck_assert_msg(param == NULL, "row %zu: %s", i, param);
        else
            ck_assert_msg(param != NULL && strcmp(param, typed_rows[i].param) == 0, "row %zu: %s", i,
                          param == NULL ? "(absent)" : param);
        header_typed_free(&typed);
    }
}
END_TEST

START_TEST(test_typed_repeated)
{
    static const struct {
        const char *value;
        bool repeated;
    } values[] = {{"a/b; x=1; y=2", false},         {"a/b; x=1; X=2", true},
                  {"a/b; x=1; x*=utf-8''1", false}, {"a/b; x*0=1; x*1=2", false},
                  {"a/b; x*0=1; x*0=2", true},      {"a/b; x=1; y=2; x=\"1\"", false},
                  {"a/b; x=1; x=1; x=2", true}};

    for (size_t i = 0; i < ROWS(values); i++) {
        struct header_typed typed;

        header_typed_parse(&typed, values[i].value);
        ck_assert_msg(typed.repeated == values[i].repeated, "row %zu", i);
        header_typed_free(&typed);
    }
}
END_TEST

static const struct {
    const char *value, *decoded;
} decodings[] = {
    {"plain text", "plain text"},
    {"=?utf-8?q?a=20b_c?=", "a b c"},
    {"=?ISO-8859-1?Q?=E4?= x", "\303\244 x"},
    {"=?utf-8?b?w6Q=?=", "\303\244"},
    {"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
    {"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"},
    {"=?utf-8?q?a?=  =?iso-8859-1?q?=E4?=", "a\303\244"},
    {"=?utf-8?b?w6?= =?utf-8?b?Q=?=", "\303\244"},   /* base64 cut between words */
    {"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "\303\244"}, /* a character cut between words */
    {"=?utf-8?q?=FF?=", "=?utf-8?q?=FF?="},
    {"=?no-such?q?a?=", "=?no-such?q?a?="},
    {"=?utf-8?q?a?= =?utf-8?q?=FF?= =?utf-8?q?b?= c", "a =?utf-8?q?=FF?= b c"}, /* one bad spoils no others */
    {"=?utf-8?q?=C3?= =?utf-8?q?=A4?= =?utf-8?q?=FF?= =?iso-8859-1?q?=E4?=",
     "=?utf-8?q?=C3?= =?utf-8?q?=A4?= =?utf-8?q?=FF?= \303\244"},
    {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
    {"=?utf-8?q?a", "=?utf-8?q?a"},
    {"=?windows-1252?q?=80=85?=", "\342\202\254\342\200\246"},
    {"=?iso-8859-15?q?=A4?=", "\342\202\254"},
    {"=?koi8-r?q?=C1?=", "\320\260"},
    {"=?utf-8*de?q?a?=", "a"},
    {"raw \344", "raw \303\244"},
    {"raw \303\244", "raw \303\244"},
    {"=?utf-8?q?a=0D=0AX-Evil:_b?=", "a  X-Evil: b"},
    {"[=?utf-8?q?tag?=] x", "[tag] x"},
    {"", ""},
    {"a  b", "a  b"},
    {"a =?utf-8?q?b?=", "a b"},
    {"=?utf-8?q??"
     "= =?",
     " =?"},
};

START_TEST(test_decode)
{
    for (size_t i = 0; i < ROWS(decodings); i++) {
        char *decoded = header_decode(decodings[i].value);

        ck_assert_msg(strcmp(decoded, decodings[i].decoded) == 0, "row %zu: %s", i, decoded);
        free(decoded);
    }
}
END_TEST

/* As decoded, and as mail programs may show it. */
static const struct {
    const char *value, *decoded, *guessed;
} guesses[] = {
    {"=?no-such?q?=5Ba=5D?= b", "=?no-such?q?=5Ba=5D?= b", "[a] b"},
    {"=?utf-8?q?=FFa?=", "=?utf-8?q?=FFa?=", "\303\277a"},
    {"=?no-such?b?AGEA?=", "=?no-such?b?AGEA?=", " a "},
    {"=?utf-7?q?+AFs-a+AF0-?=", "[a]", "[a]"},
    {"=?utf-8?x?a?=", "=?utf-8?x?a?=", "=?utf-8?x?a?="},
};

START_TEST(test_guess)
{
    for (size_t i = 0; i < ROWS(guesses); i++) {
        char *decoded = header_decode(guesses[i].value), *guessed = header_decode_guess(guesses[i].value);

        ck_assert_msg(strcmp(decoded, guesses[i].decoded) == 0, "row %zu: %s", i, decoded);
        ck_assert_msg(strcmp(guessed, guesses[i].guessed) == 0, "row %zu: %s", i, guessed);
        free(decoded);
        free(guessed);
    }
}
END_TEST

static const char *const writings[] = {
    "short",
    "words that are so many that they cannot stand on one line of seventy-eight columns, so it is folded "
    "twice or even more often",
    "\303\204rger mit \303\234mlauten und \342\202\254 in einer sehr langen Zeile, die gefaltet und "
    "\303\274berall kodiert werden mu\303\237",
    "plain \303\244 plain \303\266 \303\274 plain",
    "looks =?utf-8?q?like?= a word",
    "and in=?utf-8?q?side?= one",
    "",
};

/* What was written is one field, with short lines, and reads as before. */
START_TEST(test_write)
{
    for (size_t i = 0; i < ROWS(writings); i++) {
        struct buf out = {0};
        struct header header;
        char *value, *decoded;
        const char *line, *end;

        header_write(&out, "X-Test", writings[i], "\r\n");
        header_parse(&header, out.data, out.len);
        ck_assert_msg(header.count == 1, "row %zu: %s", i, out.data);
        value = header_value(&header, 0);
        decoded = header_decode(value);
        ck_assert_msg(strcmp(decoded, writings[i]) == 0, "row %zu: %s", i, decoded);
        for (line = out.data; *line != '\0'; line = end + 2) {
            end = strstr(line, "\r\n");
            ck_assert_msg(end != NULL && end - line <= 78, "row %zu: long line", i);
        }
        free(decoded);
        free(value);
        header_free(&header);
        buf_free(&out);
    }
}
END_TEST

START_TEST(test_write_hostile)
{
    struct buf out = {0};
    char longest[3000];

    header_write(&out, "X-A", "a\r\nX-Evil: b\n c\001\177", "\n");
    ck_assert_str_eq(out.data, "X-A: a??X-Evil: b? c??\n");
    buf_clear(&out);
    header_write(&out, "X-A", "\377\300", "\n");
    ck_assert_str_eq(out.data, "X-A: ??\n");
    buf_clear(&out);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    header_write(&out, "X-A", longest, "\n");
    for (const char *line = out.data, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        ck_assert_int_le(end - line, 998);
    }
    buf_free(&out);
}
END_TEST

/* What readers disagree about was found by giving each form to fourteen of them. */
static const struct {
    const char *field;
    bool plain;
} plain_rows[] = {
    {"Content-Type: text/plain\n", true},
    {"Content-Type:text/plain", true},
    {"Content-Type: multipart/signed; boundary=\"b\"; micalg=sha-256\n", true},
    {"content-type: Multipart/Signed;\r\n\tboundary=\"b\";\r\n protocol=\"a/b\"\r\n", true},
    {"Content-Type:\n multipart/signed;boundary=b;\n", true},
    {"Content-Type: multipart/signed ; boundary=\"=_a'()+_,-./:? b\"\n", true},
    {"Content-Type: a/b; boundary=\"Boundary_(ID_1)\"\n", true},
    {"Content-Type: a/b; name*=utf-8''x\n", true},
    {"Content-Type: a/b; boundary=\"123456789012345678901234567890123456789012345678901234567890123456789"
     "0\"\n",
     true},
    {"Content-Type: a/b; boundary=\"123456789012345678901234567890123456789012345678901234567890123456789"
     "01\"\n",
     false},
    {"Content-Type : a/b\n", false},
    {"Content-Type\t: a/b\n", false},
    {"Content-Type: a/b;\n \n c=d\n", false},
    {"Content-Type: a/b\n\t\n", false},
    {"Content-Type: \n", false},
    {"Content-Type: text\n", false},
    {"Content-Type: /b\n", false},
    {"Content-Type: a/\n", false},
    {"Content-Type: a/b/c\n", false},
    {"Content-Type: a /b\n", false},
    {"Content-Type: a/ b\n", false},
    {"Content-Type: a(x)/b\n", false},
    {"Content-Type: a/b (x)\n", false},
    {"Content-Type: (x) a/b\n", false},
    {"Content-Type: \"a/b\"\n", false},
    {"Content-Type: a/b,\n", false},
    {"Content-Type: a/b\f\n", false},
    {"Content-Type: a/b\r; c=d\n", false},
    {"Content-Type: a/b\303\244\n", false},
    {"Content-Type: a/b c=d\n", false},
    {"Content-Type: a/b;; c=d\n", false},
    {"Content-Type: a/b; c\n", false},
    {"Content-Type: a/b; =d\n", false},
    {"Content-Type: a/b; c=\n", false},
    {"Content-Type: a/b; c =d\n", false},
    {"Content-Type: a/b; c= d\n", false},
    {"Content-Type: a/b; c=\n d\n", false},
    {"Content-Type: a/b; c=d/e\n", false},
    {"Content-Type: a/b; protocol=d/e; boundary=f\n", true},
    {"Content-Type: a/b; boundary=d/e\n", false},
    {"Content-Type: a/b; c=d=e\n", false},
    {"Content-Type: a/b; c='d'\n", false},
    {"Content-Type: a/b; c=d e=f\n", false},
    {"Content-Type: a/b; c=\"d\n", false},
    {"Content-Type: a/b; c=\"d\"e\n", false},
    {"Content-Type: a/b; c=\"d\\e\"\n", false},
    {"Content-Type: a/b; c=\"d\te\"\n", false},
    {"Content-Type: a/b; c=\"d\"; (x) boundary=e\n", false},
    {"Content-Type: a/b; boundary*=us-ascii''x\n", false},
    {"Content-Type: a/b; boundary*0=x\n", false},
    {"Content-Type: a/b; boundary=x; boundary=y\n", false},
    {"Content-Type: a/b; boundary=x; Boundary=x\n", false},
    {"Content-Type: a/b; name=\"; boundary = y\"; boundary=x\n", false},
    {"Content-Type: a/b; boundary=\"\"\n", false},
    {"Content-Type: a/b; boundary=\" x\"\n", false},
    {"Content-Type: a/b; boundary=\"x \"\n", false},
    {"Content-Type: a/b; boundary=\"<x>\"\n", false},
    {"Content-Type: a/b; boundary=\"=?us-ascii?q?x?=\"\n", false},
};

START_TEST(test_typed_plain)
{
    static const char nul[] = "Content-Type: a/b\0\n";
    struct header header;

    for (size_t i = 0; i < ROWS(plain_rows); i++) {
        char *data = input_exact(plain_rows[i].field, strlen(plain_rows[i].field));

        header_parse(&header, data, strlen(plain_rows[i].field));
        ck_assert_uint_eq(header.count, 1);
        ck_assert_msg(header_typed_plain(&header, 0) == plain_rows[i].plain, "row %zu: %s", i,
                      plain_rows[i].field);
        header_free(&header);
        free(data);
    }
    header_parse(&header, nul, sizeof(nul) - 1);
    ck_assert(!header_typed_plain(&header, 0));
    header_free(&header);
}
END_TEST

/* A copy has no octets that some take for the end of a field; nor does it make a field of what was none. */
START_TEST(test_copy_controls)
{
    static const char text[] = "A: b\0c\rd\r\n e\nContent-Type\0: x\nBcc\r: y\n";
    struct header header;
    struct buf out = {0};

    header_parse(&header, text, sizeof(text) - 1);
    for (size_t i = 0; i < header.count; i++)
        header_copy(&header, i, &out);
    ck_assert_str_eq(out.data, "A: b c d\r\n e\nContent-Type?: x\nBcc?: y\n");
    header_free(&header);
    buf_free(&out);
}
END_TEST

START_TEST(test_field_in)
{
    static const char text[] = "content-TYPE: a\nContent-: b\nContent: c\nto: d\nTom: e\nno field\n";
    static const char *const names[] = {"Content-", "To", NULL};
    static const bool expected[] = {true, false, false, true, false, false};
    struct header header;

    header_parse(&header, text, sizeof(text) - 1);
    ck_assert_uint_eq(header.count, ROWS(expected));
    for (size_t i = 0; i < header.count; i++)
        ck_assert_msg(header_field_in(&header, i, names) == expected[i], "field %zu", i);
    ck_assert(header_field_is_content(&header, 0) && !header_field_is_content(&header, 3));
    header_free(&header);
}
END_TEST

UNIT_MAIN("header", test_fields, test_odd_sections, test_typed, test_typed_repeated, test_decode, test_guess,
          test_write, test_write_hostile, test_typed_plain, test_copy_controls, test_field_in)
