#include "unit.h"

#include "mail/qp.h"
#include "mail/source.h"
#include "mail_input.h"

/* in octets by a step, so that every state falls on an edge */
static char *decode_qp(const char *text, size_t step)
{
    struct qp_decoder d = {0};
    struct buf out = {0};

    for (size_t at = 0, len = strlen(text); at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        char *in = input_exact(text + at, n);

        qp_decode_update(&d, in, n, &out);
        free(in);
    }
    qp_decode_final(&d, &out);
    buf_add_text(&out, "");
    return buf_take(&out);
}

static const struct {
    const char *in, *out;
} qp_rows[] = {
    {"plain", "plain"},
    {"a=20b=3D", "a b="},
    {"=e4=E4", "\344\344"},
    {"soft=\nline", "softline"},
    {"soft=\r\nline", "softline"},
    {"soft= \t\r\nline", "softline"},
    {"trailing \t\nx", "trailing\nx"},
    {"trailing \r\nx", "trailing\r\nx"},
    {"inner  blank", "inner  blank"},
    {"end  ", "end  "},
    {"bad=", "bad"},
    {"bad=4", "bad=4"},
    {"bad=4\nx", "bad=4\nx"},
    {"bad=4G", "bad=4G"},
    {"bad=G4", "bad=G4"},
    {"==41", "=A"},
    {"a\rb", "a\rb"},
    {"\r\n\r\n", "\r\n\r\n"},
};

START_TEST(test_qp_decode)
{
    for (size_t i = 0; i < ROWS(qp_rows); i++)
        for (size_t step = 1; step < 4; step++) {
            char *out = decode_qp(qp_rows[i].in, step);

            ck_assert_msg(strcmp(out, qp_rows[i].out) == 0, "row %zu step %zu: %s", i, step, out);
            free(out);
        }
}
END_TEST

static const char *const qp_texts[] = {
    "plain\n",
    "\344\366\374 =\n",
    "trailing \ntab\t\n",
    "From here\n.\n..\n",
    "no line end",
    "blank ",
    "cr\rin\r\r\nside",
    "a line that is longer than the seventy-six characters that quoted-printable allows it\n\n",
    "\n",
    "1234567890123456789012345678901234567890123456789012345678901234567890123456 \n",
    "12345678901234567890123456789012345678901234567890123456789012345678901234\344From .x\n",
};

/* Encoded text has short lines, no 8-bit, no trailing blanks, no dangerous line beginnings, and decodes to
 * the same (line ends: LF). */
START_TEST(test_qp_encode)
{
    for (size_t i = 0; i < ROWS(qp_texts); i++)
        for (size_t step = 1; step < 4; step++) {
            struct qp_encoder e = {.eol = "\n"};
            struct buf out = {0};
            char *back;

            for (size_t at = 0, len = strlen(qp_texts[i]); at < len; at += step)
                qp_encode_update(&e, qp_texts[i] + at, len - at < step ? len - at : step, &out);
            qp_encode_final(&e, &out);
            for (const char *line = buf_text(&out), *end; *line != '\0';
                 line = *end == '\0' ? end : end + 1) {
                end = line + strcspn(line, "\n");
                ck_assert_msg(end - line <= 76, "row %zu: line of %td", i, end - line);
                ck_assert_msg(*line != '.' && strncmp(line, "From ", 5) != 0, "row %zu: %s", i, line);
                ck_assert_msg(end == line || (end[-1] != ' ' && end[-1] != '\t'), "row %zu: trailing blank",
                              i);
            }
            back = decode_qp(buf_text(&out), 1);
            if (i != 6) /* CRLF and LF are both line ends there */
                ck_assert_msg(strcmp(back, qp_texts[i]) == 0, "row %zu: %s", i, back);
            else
                ck_assert_str_eq(back, "cr\rin\r\nside");
            free(back);
            buf_free(&out);
        }
}
END_TEST

static const struct {
    const char *in, *out;
    enum mime_encoding encoding;
    enum source_eol eol;
    bool strange;
} rows[] = {
    {"a\nb\r\nc\r", "a\nb\r\nc\r", MIME_7BIT, SOURCE_EOL_KEEP, false},
    {"a\nb\r\nc\r", "a\r\nb\r\nc\r", MIME_7BIT, SOURCE_EOL_CRLF, false},
    {"a\nb\r\nc\r", "a\nb\nc\r", MIME_7BIT, SOURCE_EOL_LF, false},
    {"\n\n\r\r\n", "\r\n\r\n\r\r\n", MIME_8BIT, SOURCE_EOL_CRLF, false},
    {"\r\r\n\rx\r\n", "\r\n\rx\n", MIME_8BIT, SOURCE_EOL_LF, false},
    {"", "", MIME_7BIT, SOURCE_EOL_CRLF, false},
    {"YQpi\nCg==\n", "a\nb\n", MIME_BASE64, SOURCE_EOL_KEEP, false},
    {"YQpi\nCg==\n", "a\r\nb\r\n", MIME_BASE64, SOURCE_EOL_CRLF, false},
    {"YQ==YQ==", "a", MIME_BASE64, SOURCE_EOL_KEEP, true},
    {"Y*Q==", "a", MIME_BASE64, SOURCE_EOL_KEEP, true},
    {"a=\nb=0D=0A", "ab\n", MIME_QP, SOURCE_EOL_LF, false},
    {"a=3D", "a=", MIME_QP, SOURCE_EOL_KEEP, false},
};

START_TEST(test_source)
{
    for (size_t i = 0; i < ROWS(rows); i++)
        for (size_t step = 1; step < 20; step += 6) {
            size_t len = strlen(rows[i].in);
            int fd = input_file(rows[i].in, len);
            struct source *source = source_new(fd, 0, len, rows[i].encoding, rows[i].eol);
            struct buf out = {0};
            char piece[20];
            ssize_t n;

            while ((n = source_read(source, piece, step)) > 0)
                buf_add(&out, piece, (size_t)n);
            ck_assert_int_eq(n, 0);
            ck_assert_int_eq(source_read(source, piece, step), 0);
            ck_assert_msg(strcmp(buf_text(&out), rows[i].out) == 0, "row %zu: %s", i, buf_text(&out));
            ck_assert_msg(source_strange(source) == rows[i].strange, "row %zu: strange", i);
            source_free(source);
            buf_free(&out);
            close(fd);
        }
}
END_TEST

/* Line ends on the edge of the reading window. */
START_TEST(test_source_edges)
{
    size_t len = 200000;
    char *text = malloc(len);
    int from, to = input_file("", 0);
    uint64_t written = 0;
    struct source *source;

    for (size_t i = 0; i < len; i++)
        text[i] = "\r\n"[i & 1];
    from = input_file(text, len);
    source = source_new(from, 1, len - 1, MIME_7BIT, SOURCE_EOL_LF);
    ck_assert_int_eq(source_copy(source, to, &written), 0);
    ck_assert_uint_eq(written, len / 2);
    source_free(source);
    source = source_new(from, 0, len, MIME_7BIT, SOURCE_EOL_CRLF);
    written = 0;
    ck_assert_int_eq(source_copy(source, to, &written), 0);
    ck_assert_uint_eq(written, len);
    source_free(source);
    source = source_new(from, 0, len + 1, MIME_7BIT, SOURCE_EOL_KEEP);
    ck_assert_int_eq(source_copy(source, to, NULL), -1);
    source_free(source);
    free(text);
    close(from);
    close(to);
}
END_TEST

UNIT_MAIN("source", test_qp_decode, test_qp_encode, test_source, test_source_edges)
