#include "unit.h"

#include <stdio.h>

#include "mail/mime.h"
#include "mail_input.h"
#include "util/buf.h"

/* A part as "type[body text](children)", with flags: ! not closed, ~ header not ended, # text outside parts,
 * ^ behind them.
 */
static void print_part(const struct mime_part *part, const char *text, struct buf *out)
{
    buf_add_text(out, part->type.value);
    if (part->truncated_header)
        buf_add_char(out, '~');
    if (part->children == NULL) {
        buf_add_char(out, '[');
        buf_add(out, text + part->body, (size_t)(part->end - part->body));
        buf_add_char(out, ']');
        return;
    }
    if (mime_type_is(part, "multipart/") && !part->closed)
        buf_add_char(out, '!');
    if (part->preamble_epilogue_nonblank)
        buf_add_char(out, '#');
    if (part->epilogue_nonblank)
        buf_add_char(out, '^');
    buf_add_char(out, '(');
    for (const struct mime_part *p = part->children; p != NULL; p = p->next) {
        print_part(p, text, out);
        if (p->next != NULL)
            buf_add_char(out, ' ');
    }
    buf_add_char(out, ')');
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct {
    const char *message, *tree;
} rows[] = {
    {"", "text/plain~[]"},
    {"\n", "text/plain[]"},
    {"Subject: x", "text/plain~[]"},
    {"Subject: x\n\nbody", "text/plain[body]"},
    {"Subject: x\r\n\r\nbody\r\n", "text/plain[body\r\n]"},
    {"\nbody", "text/plain[body]"},
    {MIXED "--b\n\none\n--b\n\ntwo\n--b--\n", "multipart/mixed(text/plain[one] text/plain[two])"},
    {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
     "multipart/mixed(text/plain[one])"},
    {MIXED "--b\n\none\n\n--b--\n", "multipart/mixed(text/plain[one\n])"},
    {MIXED "--b\n\none\r\n--b--\n", "multipart/mixed(text/plain[one])"},
    {MIXED "--b \t\n\none\n--b-- \n", "multipart/mixed(text/plain[one])"},
    {MIXED "--bc\n\none\n--b--\n", "multipart/mixed[--bc\n\none\n--b--\n]"},
    {MIXED "--b\n\none\n--b-", "multipart/mixed!(text/plain[one\n--b-])"},
    {MIXED "--b\n\none\n--b--", "multipart/mixed(text/plain[one])"},
    {MIXED "--b\n\none\n-- b\n--b --\n--b--x\n--b--\n",
     "multipart/mixed(text/plain[one\n-- b\n--b --\n--b--x])"},
    {MIXED "pre\n--b\n\none\n--b--\n", "multipart/mixed#(text/plain[one])"},
    {MIXED "\n \n--b\n\none\n--b--\n\n", "multipart/mixed(text/plain[one])"},
    {MIXED "--b\n\none\n--b--\npost", "multipart/mixed#^(text/plain[one])"},
    {MIXED "--b\n\none\n--b--\n--b\n\ntwo", "multipart/mixed#^(text/plain[one])"},
    {MIXED "--b\n\none\n", "multipart/mixed!(text/plain[one\n])"},
    {MIXED "--b\n--b\n\n--b--\n", "multipart/mixed(text/plain~[] text/plain[])"},
    {MIXED "--b\nA: x\n\n--b\nA: x\n--b--\n", "multipart/mixed(text/plain[] text/plain~[])"},
    {MIXED "", "multipart/mixed[]"},
    {MIXED "--b--\n", "multipart/mixed[--b--\n]"},
    {"Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n", "multipart/mixed[--b\n\none\n--b--\n]"},
    {"Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\none\n----\n",
     "multipart/mixed[--\n\none\n----\n]"},
    /* nested, the inner boundary begins with the outer one */
    {MIXED "--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\none\n--bb--\n--b\n\ntwo\n--b--\n",
     "multipart/mixed(multipart/mixed(text/plain[one]) text/plain[two])"},
    {"Content-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: multipart/mixed; "
     "boundary=b\n\n--b\n\none\n--b--\n"
     "--bb\n\ntwo\n--bb--\n",
     "multipart/mixed(multipart/mixed(text/plain[one]) text/plain[two])"},
    /* the same boundary twice: the innermost open one counts */
    {MIXED "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n",
     "multipart/mixed(multipart/mixed(text/plain[one]) text/plain[two])"},
    /* the inner one never ends: the outer boundary ends it */
    {MIXED "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--b--\n",
     "multipart/mixed(multipart/mixed!(text/plain[one]) text/plain[two])"},
    /* a boundary that ends like a closing one */
    {"Content-Type: multipart/mixed; boundary=\"b--\"\n\n--b--\n\none\n--b----\n",
     "multipart/mixed(text/plain[one])"},
    {"Content-Type: message/rfc822\n\nSubject: x\n\nbody", "message/rfc822(text/plain[body])"},
    {"Content-Type: message/rfc822\n\n", "message/rfc822(text/plain~[])"},
    {"Content-Type: message/rfc822", "message/rfc822~(text/plain~[])"},
    {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nxx==", "message/rfc822[xx==]"},
    {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\none\n--b\nContent-Type: "
     "text/plain\n\ntwo\n--b\n\n--b--\n",
     "multipart/digest(message/rfc822(text/plain[one]) text/plain[two] message/rfc822(text/plain~[]))"},
    {MIXED "--b\nContent-Type: message/rfc822\n\n--b--\n", "multipart/mixed(message/rfc822(text/plain~[]))"},
    {"content-type: TEXT/html (c); charset=x\n\n<p>", "text/html[<p>]"},
    {"Content-Type: nonsense\n\nx", "text/plain[x]"},
};

START_TEST(test_trees)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        size_t len = strlen(rows[i].message);
        int fd = input_file(rows[i].message, len);
        struct buf tree = {0};
        struct mime mime;

        ck_assert_int_eq(mime_parse(&mime, fd, 0, len, NULL), 0);
        print_part(mime.root, rows[i].message, &tree);
        ck_assert_msg(strcmp(buf_text(&tree), rows[i].tree) == 0, "row %zu: %s", i, buf_text(&tree));
        buf_free(&tree);
        mime_free(&mime);
        close(fd);
    }
}
END_TEST

/* The signed entity is exactly what lies between the line ends around it (RFC 2046 5.1.1, RFC 1847 2.1). */
START_TEST(test_ranges)
{
    static const char text[] = "junk before" MIXED "--b\nA: x\n\n--b\nA: x\n\ny\n--b--\n";
    size_t junk = strlen("junk before"), len = strlen(text) - junk;
    int fd = input_file(text, sizeof(text) - 1);
    struct mime mime;
    const struct mime_part *one, *two;

    ck_assert_int_eq(mime_parse(&mime, fd, junk, len, NULL), 0);
    one = mime.root->children;
    two = one->next;
    ck_assert_uint_eq(one->end - one->start, strlen("A: x\n"));
    ck_assert_int_eq(memcmp(text + one->start, "A: x\n\n--b", 9), 0);
    ck_assert_uint_eq(one->body, one->end);
    ck_assert_int_eq(memcmp(text + two->start, "A: x\n\ny\n--b--", 13), 0);
    ck_assert_uint_eq(two->end - two->start, strlen("A: x\n\ny"));
    ck_assert_uint_eq(mime.root->end, junk + len);
    ck_assert_uint_eq(mime.parts, 3);
    mime_free(&mime);
    /* shorter than promised: a read error, not a shorter message */
    ck_assert_int_eq(mime_parse(&mime, fd, 0, sizeof(text) + 5, NULL), -1);
    close(fd);
}
END_TEST

/* An empty part between two boundaries: the line end between them belongs to both, and every part still lies
 * inside its parent. */
START_TEST(test_empty_part)
{
    static const char text[] =
        MIXED "--b\nContent-Type: multipart/mixed; boundary=i\n\n--i\n--b\n\nx\n--b--\n";
    int fd = input_file(text, sizeof(text) - 1);
    const struct mime_part *inner;
    struct mime mime;

    ck_assert_int_eq(mime_parse(&mime, fd, 0, sizeof(text) - 1, NULL), 0);
    inner = mime.root->children;
    ck_assert_int_eq(memcmp(text + inner->children->end, "--b\n\nx", 6), 0);
    ck_assert_uint_eq(inner->children->start, inner->children->end);
    ck_assert_uint_eq(inner->end, inner->children->end);
    ck_assert_uint_eq(inner->next->start, inner->end + 4);
    mime_free(&mime);
    close(fd);
}
END_TEST

static const struct {
    const char *body;
    bool crlf, b8, nul, cr, lf, length;
} flags[] = {
    {"plain\r\n", true, false, false, false, false, false},
    {"\344\r\n", true, true, false, false, false, false},
    {"a\rb\r\n", true, false, false, true, false, false},
    {"a\r\r\n", true, false, false, true, false, false},
    {"a\nb\r\n", true, false, false, false, true, false},
    {"a\nb\n", false, false, false, false, false, false},
    {"a\r", false, false, false, true, false, false},
};

START_TEST(test_flags)
{
    for (size_t i = 0; i < ROWS(flags); i++) {
        struct buf text = {0};
        struct mime mime;
        int fd;

        buf_printf(&text, "A: x%s%s%s", flags[i].crlf ? "\r\n" : "\n", flags[i].crlf ? "\r\n" : "\n",
                   flags[i].body);
        fd = input_file(text.data, text.len);
        ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, NULL), 0);
        ck_assert_msg(mime.eol_crlf == flags[i].crlf, "row %zu", i);
        ck_assert_msg(mime.root->has_8bit == flags[i].b8, "row %zu: 8bit", i);
        ck_assert_msg(mime.root->has_bare_cr == flags[i].cr, "row %zu: bare CR", i);
        ck_assert_msg(mime.root->has_bare_lf == flags[i].lf, "row %zu: bare LF", i);
        mime_free(&mime);
        buf_free(&text);
        close(fd);
    }
}
END_TEST

/* Lines around 998 octets, and lines that do not fit the window: the pieces make one line, a CRLF is never
 * cut. */
START_TEST(test_long_lines)
{
    static const struct {
        size_t length;
        bool is_long;
    } lengths[] = {{998, false},  {999, true},   {65000, true}, {65529, true},
                   {65530, true}, {65531, true}, {200000, true}};

    for (size_t i = 0; i < ROWS(lengths); i++) {
        struct buf text = {0};
        struct mime mime;
        int fd;

        buf_add_text(&text, "A: x\r\n\r\n");
        for (size_t k = 0; k < lengths[i].length; k++)
            buf_add_char(&text, k == 70000 ? '\0' : 'x');
        buf_add_text(&text, "\r\nend\r\n");
        fd = input_file(text.data, text.len);
        ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, NULL), 0);
        ck_assert_msg(mime.root->has_long_line == lengths[i].is_long, "row %zu", i);
        ck_assert_msg(!mime.root->has_bare_cr && !mime.root->has_bare_lf, "row %zu", i);
        ck_assert_msg(mime.root->has_nul == (lengths[i].length > 70000), "row %zu", i);
        mime_free(&mime);
        buf_free(&text);
        close(fd);
    }
}
END_TEST

/* Boundary lines at every place relative to the window's edge. */
START_TEST(test_window_edge)
{
    for (size_t fill = 65536 - 70; fill < 65536 + 10; fill++) {
        struct buf text = {0};
        struct mime mime;
        int fd;

        buf_add_text(&text, "Content-Type: multipart/mixed; boundary=bound\r\n\r\n--bound\r\n\r\n");
        while (text.len < fill)
            buf_add_char(&text, text.len % 70 == 0 ? '\n' : 'x');
        buf_add_text(&text, "\r\n--bound\r\n\r\ntwo\r\n--bound--\r\n");
        fd = input_file(text.data, text.len);
        ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, NULL), 0);
        ck_assert_uint_eq(mime.parts, 3);
        ck_assert_uint_eq(mime.root->children->end, fill);
        ck_assert(mime.root->closed);
        mime_free(&mime);
        buf_free(&text);
        close(fd);
    }
}
END_TEST

/* 10,000 multiparts inside each other, once with the default limits, once with none that matter. */
START_TEST(test_deep)
{
    struct mime_limits wide = {.max_depth = 20000, .max_parts = 30000};
    struct buf text = {0};
    struct mime mime;
    int fd;

    buf_add_text(&text, "Subject: x\n");
    for (int i = 0; i < 10000; i++)
        buf_printf(&text, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
    fd = input_file(text.data, text.len);
    ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, NULL), 0);
    ck_assert_int_eq(mime.fault, MIME_TOO_DEEP);
    ck_assert(mime.incomplete);
    ck_assert_uint_eq(mime.parts, 101);
    mime_free(&mime);
    ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, &wide), 0);
    ck_assert_int_eq(mime.fault, MIME_OK);
    ck_assert_uint_eq(mime.parts, 10001);
    mime_free(&mime);
    close(fd);
    buf_free(&text);
}
END_TEST

START_TEST(test_many)
{
    struct mime_limits few = {.max_parts = 5};
    struct buf text = {0};
    struct mime mime;
    size_t children = 0;
    int fd;

    buf_add_text(&text, MIXED);
    for (int i = 0; i < 10000; i++)
        buf_add_text(&text, "--b\n\nx\n");
    buf_add_text(&text, "--b--\n");
    fd = input_file(text.data, text.len);
    ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, &few), 0);
    ck_assert_int_eq(mime.fault, MIME_TOO_MANY_PARTS);
    ck_assert(mime.incomplete);
    ck_assert_uint_eq(mime.parts, 5);
    for (const struct mime_part *p = mime.root->children; p != NULL; p = p->next)
        children++;
    ck_assert_uint_eq(children, 4);
    ck_assert(mime.root->closed);
    mime_free(&mime);
    close(fd);
    buf_free(&text);
}
END_TEST

/* A header line of 1 MB is kept; a section beyond the limit is cut, flagged, and its body still found. Nor do
   many header sections add up to more. */
START_TEST(test_big_headers)
{
    struct buf text = {0};
    struct mime mime;
    int fd;

    buf_add_text(&text, "Subject: ");
    for (int i = 0; i < 1000000; i++)
        buf_add_char(&text, 'x');
    buf_add_text(&text, "\n\nbody");
    fd = input_file(text.data, text.len);
    ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, NULL), 0);
    ck_assert_int_eq(mime.fault, MIME_OK);
    ck_assert_uint_eq(mime.root->header.len, 1000010);
    mime_free(&mime);
    close(fd);
    buf_clear(&text);
    for (int i = 0; i < 3000; i++)
        buf_printf(&text, "X-%04d: %0999d\n", i, 0);
    buf_add_text(&text, "\nbody");
    fd = input_file(text.data, text.len);
    ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, NULL), 0);
    ck_assert_int_eq(mime.fault, MIME_HEADER_TOO_LONG);
    ck_assert(!mime.incomplete && mime.root->header_cut);
    ck_assert_uint_eq(mime.root->end - mime.root->body, 4);
    ck_assert_uint_le(mime.root->header.len, HEADER_SECTION_MAX);
    mime_free(&mime);
    close(fd);
    buf_clear(&text);
    for (int i = 0; i < 20000; i++)
        buf_add_text(&text, "x:\n");
    buf_add_text(&text, "\nbody");
    fd = input_file(text.data, text.len);
    ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, NULL), 0);
    ck_assert_int_eq(mime.fault, MIME_HEADER_TOO_LONG);
    mime_free(&mime);
    close(fd);
    buf_free(&text);
}
END_TEST

START_TEST(test_encodings)
{
    static const struct {
        const char *value;
        enum mime_encoding encoding;
    } encodings[] = {{"7bit", MIME_7BIT},           {"8BIT", MIME_8BIT},
                     {" base64 (c)", MIME_BASE64},  {"binary;", MIME_BINARY},
                     {"Quoted-Printable", MIME_QP}, {"x-uuencode", MIME_ENCODING_UNKNOWN},
                     {"", MIME_ENCODING_UNKNOWN}};

    for (size_t i = 0; i < ROWS(encodings); i++) {
        struct buf text = {0};
        struct mime mime;
        int fd;

        buf_printf(&text, "Content-Transfer-Encoding: %s\n\n", encodings[i].value);
        fd = input_file(text.data, text.len);
        ck_assert_int_eq(mime_parse(&mime, fd, 0, text.len, NULL), 0);
        ck_assert_msg(mime.root->encoding == encodings[i].encoding, "row %zu", i);
        mime_free(&mime);
        buf_free(&text);
        close(fd);
    }
}
END_TEST

UNIT_MAIN("mime", test_trees, test_ranges, test_empty_part, test_flags, test_long_lines, test_window_edge,
          test_deep, test_many, test_big_headers, test_encodings)
