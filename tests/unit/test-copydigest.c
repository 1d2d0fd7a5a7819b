#include "incoming/copydigest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mail/encoding_check.h"
#include "tests/unit/mail_input.h"
#include "tests/unit/unit.h"
#include "util/buf.h"
#include "util/fdio.h"
#include "util/mem.h"

/* A letter with an attachment; the rows below change something in it. */
static const char letter[] = "Received: by gate\n"
                             "From: a@x.example\n"
                             "Subject: hello\n"
                             "MIME-Version: 1.0\n"
                             "Content-Type: multipart/mixed; boundary=\"bbb\"\n"
                             "\n"
                             "for old readers\n"
                             "--bbb\n"
                             "Content-Type: text/plain; charset=utf-8\n"
                             "Content-Transfer-Encoding: quoted-printable\n"
                             "\n"
                             "Gr=C3=BC=C3=9Fe\n"
                             "line two\n"
                             "\n"
                             "--bbb\n"
                             "Content-Type: application/octet-stream; name=\"tool  x.exe\"\n"
                             "Content-Disposition: attachment; filename=\"tool  x.exe\"\n"
                             "Content-Transfer-Encoding: base64\n"
                             "\n"
                             "TVqQAAMAAAAEAAAA//8AALgAAAAAAAAA\n"
                             "QAAAAA==\n"
                             "--bbb--\n"
                             "after\n";

static void digest_of(const char *data, size_t len, char hex[SHA256_HEX_LEN + 1])
{
    unsigned char digest[SHA256_LEN];
    int fd = input_file(data, len);

    ck_assert_int_eq(copydigest(fd, 0, len, digest), 0);
    for (size_t i = 0; i < SHA256_LEN; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    close(fd);
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    char one[SHA256_HEX_LEN + 1], other[SHA256_HEX_LEN + 1];

    digest_of(a, a_len, one);
    digest_of(b, b_len, other);
    return strcmp(one, other) == 0;
}

/* The first `from` in it becomes `to`. */
static char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    ck_assert_msg(at != NULL, "\"%s\" is not there", from);
    return mem_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static char *with_crlf(const char *text)
{
    struct buf out = {0};

    for (; *text != '\0'; text++)
        buf_printf(&out, "%s%c", *text == '\n' ? "\r" : "", *text);
    return buf_take(&out);
}

struct change {
    const char *from, *to;
};

/* What happens on the way without meaning. */
START_TEST(relays)
{
    static const struct change rows[] = {
        {"Received: by gate", "Received: by scanner\nX-Virus-Scanned: yes\nReceived: by gate"},
        {"Subject: hello", "Subject: [spam] hello"},
        {"From: a@x.example\n", ""},
        {"multipart/mixed; boundary=\"bbb\"", "multipart/mixed;\n\tboundary=bbb"},
        {"Content-Type: multipart", "content-type:   multipart"},
        {"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n",
         "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n"},
        {"quoted-printable\n\nGr=C3=BC=C3=9Fe", "8bit\n\nGr\303\274\303\237e"},
        {"quoted-printable\n\nGr=C3=BC=C3=9Fe\nline two", "base64\n\nR3LDvMOfZQ0KbGluZSB0d28NCg=="},
        {"Gr=C3=BC=C3=9Fe", "Gr=c3=bc=\n=C3=9F=65"},
        {"line two\n\n", "line two\n"},
        {"AAAA\nQAAAAA==", "AAAAQAA\nAAA=="},
        {"--bbb--\nafter\n", "--bbb--\nafter"},
        {"--bbb\n", "--bbb  \n"},
    };
    char *crlf = with_crlf(letter);

    ck_assert(same(letter, strlen(letter), crlf, strlen(crlf)));
    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text = changed(letter, rows[i].from, rows[i].to), *both = with_crlf(text);

        ck_assert_msg(same(letter, strlen(letter), text, strlen(text)), "row %zu", i);
        ck_assert_msg(same(letter, strlen(letter), both, strlen(both)), "row %zu with CRLF", i);
        free(text);
        free(both);
    }
    free(crlf);
}
END_TEST

/* Another boundary is none, a multipart made anew by a scanner that changed nothing. */
START_TEST(boundaries)
{
    char *text = mem_strdup(letter), *at;

    while ((at = strstr(text, "bbb")) != NULL)
        memcpy(at, "xyz", 3);
    ck_assert(same(letter, strlen(letter), text, strlen(text)));
    free(text);
}
END_TEST

/* What a scanner does to a message, or an attacker with it. */
START_TEST(changes)
{
    static const struct change rows[] = {
        /* the attachment is removed, emptied, replaced, renamed, another type */
        {"--bbb\nContent-Type: application/octet-stream; name=\"tool  x.exe\"\nContent-Disposition: "
         "attachment; "
         "filename=\"tool  x.exe\"\nContent-Transfer-Encoding: "
         "base64\n\nTVqQAAMAAAAEAAAA//8AALgAAAAAAAAA\nQAAAAA==\n",
         ""},
        {"TVqQAAMAAAAEAAAA//8AALgAAAAAAAAA\nQAAAAA==\n", ""},
        {"TVqQAAMAAAAEAAAA//8AALgAAAAAAAAA\nQAAAAA==\n", "cmVtb3ZlZA==\n"},
        {"QAAAAA==", "QAAAAQ=="},
        {"QAAAAA==", "QAAA"},
        {"filename=\"tool  x.exe\"", "filename=\"tool  x.exe.txt\""},
        {"filename=\"tool  x.exe\"", "filename=\"tool x.exe\""},
        {"name=\"tool  x.exe\"", "name=\"other.exe\""},
        {"application/octet-stream", "application/x-removed"},
        {"Content-Disposition: attachment", "Content-Disposition: inline"},
        {"Content-Disposition: attachment; filename=\"tool  x.exe\"\n", ""},
        {"base64\n\nTVqQ", "7bit\n\nTVqQ"},
        {"Content-Transfer-Encoding: base64\n\n", "\n"},
        {"base64\n\nTVqQ", "x-unknown\n\nTVqQ"},
        /* text is added or changed */
        {"line two", "line 2"},
        {"line two\n", "line two\n\n-- \nchecked by scanner\n"},
        {"line two\n", "line two \n"},
        {"Gr=C3=BC", "\nGr=C3=BC"},
        {"charset=utf-8", "charset=utf-7"},
        {"text/plain; charset=utf-8", "text/html; charset=utf-8"},
        {"--bbb--", "--bbb\nContent-Type: text/plain\n\nthe scanner's report\n--bbb--"},
        {"--bbb\n", "--bbb\nContent-Type: text/plain\n\nwarning\n--bbb\n"},
        {"--bbb\n", "--bbb\n\n--bbb\n"},
        /* outside of parts */
        {"for old readers", "for very old readers"},
        {"for old readers\n", ""},
        {"for old readers\n", "for old readers\n\n"},
        {"after\n", "after\nbegin 644 tool.exe\n"},
        {"after\n", ""},
        /* the structure */
        {"multipart/mixed", "multipart/alternative"},
        {"multipart/mixed", "multipart/related"},
        {"multipart/mixed; ", "multipart/mixed; charset=x; "},
        {"--bbb--", "--bbb- -"},
        {"--bbb--\n", ""},
        {"MIME-Version: 1.0\n", ""},
        {"Content-Type: multipart/mixed; boundary=\"bbb\"\n", ""},
        {"Content-Type: multipart/mixed; boundary=\"bbb\"\n", "Content-Type: text/plain\n"},
        {"\n\nfor old", "\nContent-Disposition: attachment\n\nfor old"},
        {"\n\nfor old", "\nContent-Description: x\n\nfor old"},
        {"\n\nfor old", "\nContent-Transfer-Encoding: base64\n\nfor old"},
        /* what readers disagree about */
        {"\n\nfor old", "\nContent-Type: text/html\n\nfor old"},
        {"Content-Type: multipart", "Content-Type: text/html\nContent-Type: multipart"},
        {"boundary=\"bbb\"", "boundary=\"bbb\"; boundary=\"ccc\""},
        {"\n\nfor old", "\n\rContent-Type: text/html\n\nfor old"},
        {"Subject: hello", "Subject: hello\rContent-Type: text/html"},
        {"Subject: hello\n", "Subject: hello\nno field at all\n"},
        {"Content-Disposition: attachment", "Content-Disposition: attachment\nContent-Disposition: inline"},
        {"Content-Transfer-Encoding: base64",
         "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit"},
        {"QAAAAA==\n", "QAAAAA==\nTVqQ\n"},
        {"QAAAAA==\n", "QAAA!AA==\n"},
        {"QAAAAA==\n", "QAAAAA=\n"},
        {"Gr=C3=BC", "Gr=C3=B\303"},
        {"Gr=C3=BC", "Gr=C3\274"},
        {"line two\n", "line =74wo=2\n"},
        {"line two\n", "line two  \n"},
        {"--bbb\n", "--bbbx\n--bbb\n"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text = changed(letter, rows[i].from, rows[i].to);

        ck_assert_msg(!same(letter, strlen(letter), text, strlen(text)), "row %zu: %s", i, rows[i].to);
        free(text);
    }
}
END_TEST

/* Once readers can disagree, nothing but header fields and line ends may change. */
START_TEST(odd_letters)
{
    static const struct change oddities[] = {
        {"--bbb--\nafter\n", ""},
        {"QAAAAA==\n", "QAAAAA==\nTVqQ\n"},
        {"\n\nfor old", "\nContent-Type: text/html\n\nfor old"},
        {"Gr=C3=BC", "Gr=C3\274"},
        {"line two\n", "line two \n"},
        {"Subject: hello\n", "Subject: hello\nno field at all\n"},
        {"boundary=\"bbb\"", "boundary=\"bbb\"; boundary=\"ccc\""},
        {"for old readers\n", "for old readers\n--bbbx\n"},
        {"application/octet-stream", "message/rfc822"}, /* with its base64 */
    };
    static const struct change rows[] = {
        {"quoted-printable\n", "QUOTED-printable\n"},
        {"=C3", "=c3"},
        {"AAAA\nQAAA", "AAAAQAA\nA"},
        {"--bbb\nContent-Type: text", "--bbb \nContent-Type: text"},
        {"Content-Type: text/plain; charset", "Content-Type: text/plain;\n charset"},
    };

    for (size_t i = 0; i < ROWS(oddities); i++) {
        char *odd = changed(letter, oddities[i].from, oddities[i].to), *crlf = with_crlf(odd),
             *more = changed(odd, "Received:", "X-Virus-Scanned: x\nReceived:");

        ck_assert_msg(same(odd, strlen(odd), crlf, strlen(crlf)), "oddity %zu", i);
        ck_assert_msg(same(odd, strlen(odd), more, strlen(more)), "oddity %zu", i);
        for (size_t j = 0; j < ROWS(rows); j++) {
            char *text = changed(odd, rows[j].from, rows[j].to);

            ck_assert_msg(!same(odd, strlen(odd), text, strlen(text)), "oddity %zu row %zu", i, j);
            free(text);
        }
        free(odd);
        free(crlf);
        free(more);
    }
}
END_TEST

/* A field that hides behind a bare CR in another one counts. */
START_TEST(hidden_fields)
{
    static const char text[] = "Subject: x\rContent-Type: text/html\n\nbody\n";
    char *other = changed(text, "html", "rtf");

    ck_assert(!same(text, strlen(text), other, strlen(other)));
    free(other);
}
END_TEST

/* A line of the header that is no field: to some readers the body begins there. */
START_TEST(strays)
{
    static const char text[] = "Subject: x\nno field at all\nFrom: a@x.example\n\nbody\n";
    char *other = changed(text, "at all", "or body");

    ck_assert(!same(text, strlen(text), other, strlen(other)));
    free(other);
}
END_TEST

/* Binary content keeps its line ends; text has none of its own. */
START_TEST(line_ends_in_base64)
{
    static const char binary[] = "MIME-Version: 1.0\nContent-Type: application/zip\n"
                                 "Content-Transfer-Encoding: base64\n\nYQ0KYg==\n";
    char *lf = changed(binary, "YQ0KYg==", "YQpi"), *text = changed(binary, "application/zip", "text/plain"),
         *text_lf = changed(text, "YQ0KYg==", "YQpi");

    ck_assert(!same(binary, strlen(binary), lf, strlen(lf)));
    ck_assert(same(text, strlen(text), text_lf, strlen(text_lf)));
    free(lf);
    free(text);
    free(text_lf);
}
END_TEST

/* Attached messages: every field counts, and what is in them. */
START_TEST(attached_messages)
{
    static const char outer[] = "Subject: x\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n"
                                "Subject: inner\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                                "Content-Transfer-Encoding: 8bit\n\n\303\244\n";
    static const struct change equal[] = {
        {"Subject: x", "Subject: y"},
        {"8bit\n\n\303\244", "quoted-printable\n\n=C3=A4"},
    };
    static const struct change other[] = {
        {"Subject: inner", "Subject: outer"},
        {"Subject: inner", "X-Spam: no\nSubject: inner"},
        {"\303\244", "\303\245"},
        {"message/rfc822\n", "message/rfc822\nContent-Transfer-Encoding: base64\n"},
        {"message/rfc822", "text/plain"},
    };

    for (size_t i = 0; i < ROWS(equal) + ROWS(other); i++) {
        bool wanted = i < ROWS(equal);
        const struct change *row = wanted ? &equal[i] : &other[i - ROWS(equal)];
        char *text = changed(outer, row->from, row->to);

        ck_assert_msg(same(outer, strlen(outer), text, strlen(text)) == wanted, "row %zu", i);
        free(text);
    }
}
END_TEST

/* Boundaries that begin alike, one in the other: some readers see other parts. Then octets count. */
START_TEST(boundaries_alike)
{
    static const char text[] = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n"
                               "--a\nContent-Type: multipart/mixed; boundary=ab\n\n"
                               "--ab\nContent-Transfer-Encoding: quoted-printable\n\n=41\n--ab--\n--a--\n";
    char *other = changed(text, "=41", "A");

    ck_assert(!same(text, strlen(text), other, strlen(other)));
    free(other);
}
END_TEST

/* Text and bodies of their own: no part can stand for another. */
START_TEST(ambiguity)
{
    static const struct change rows[] = {
        {"Content-Type: a/b; x=c\n\n", "Content-Type: a/b;x=c\n\n"},
        {"MIME-Version: 1.0\n\nContent-Type: a/b\n\n", "MIME-Version: 1.0\nContent-Type: a/b\n\n\n"},
        {"\nx\n", "x\n"},
        {"\n\nx", "\nx"},
        {"", "\nx"},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        ck_assert_msg(!same(rows[i].from, strlen(rows[i].from), rows[i].to, strlen(rows[i].to)), "row %zu",
                      i);
}
END_TEST

static void read_data(const char *name, struct buf *out)
{
    const char *source = getenv("JULIA_SOURCE");
    char *path = mem_printf("%s/tests/data/copydigest/%s", source != NULL ? source : ".", name);

    ck_assert_msg(fdio_read_file(path, 1 << 20, out) == 0, "%s: %s", path, strerror(errno));
    free(path);
}

/* Letters with 8-bit text, and what real relays made of them for a receiver without 8BITMIME. */
START_TEST(real_relays)
{
    static const char *const pairs[][2] = {
        {"parts.eml", "parts-postfix.eml"},
        {"text.eml", "text-postfix.eml"},
        {"parts.eml", "parts-sendmail.eml"},
        {"text.eml", "text-sendmail.eml"},
    };

    for (size_t i = 0; i < ROWS(pairs); i++) {
        struct buf sent = {0}, came = {0};

        read_data(pairs[i][0], &sent);
        read_data(pairs[i][1], &came);
        ck_assert_ptr_nonnull(strstr(sent.data, "8bit\n\n"));
        ck_assert_ptr_null(strstr(came.data, "8bit\n\n"));
        ck_assert_msg(same(sent.data, sent.len, came.data, came.len), "%s", pairs[i][1]);
        came.data[came.len - 20] ^= 1;
        ck_assert_msg(!same(sent.data, sent.len, came.data, came.len), "%s", pairs[i][1]);
        buf_free(&sent);
        buf_free(&came);
    }
}
END_TEST

START_TEST(ranges)
{
    unsigned char one[SHA256_LEN], other[SHA256_LEN];
    char *text = mem_printf("From x Mon\n%strailer", letter);
    int fd = input_file(text, strlen(text)), plain = input_file(letter, strlen(letter));

    ck_assert_int_eq(copydigest(fd, 11, strlen(letter), one), 0);
    ck_assert_int_eq(copydigest(plain, 0, strlen(letter), other), 0);
    ck_assert_mem_eq(one, other, SHA256_LEN);
    ck_assert_int_eq(copydigest(fd, 11, strlen(letter) + 100, one), -1);
    ck_assert_int_eq(errno, EIO);
    close(fd);
    close(plain);
    free(text);
}
END_TEST

START_TEST(correct_encodings)
{
    static const struct {
        enum mime_encoding encoding;
        const char *text;
        bool correct;
    } rows[] = {
        {MIME_QP, "", true},           {MIME_QP, "a=\n", true},      {MIME_QP, "a=\r\nb\r\n", true},
        {MIME_QP, "a=3D b\tc", true},  {MIME_QP, "a=", false},       {MIME_QP, "a=3", false},
        {MIME_QP, "a=3\n", false},     {MIME_QP, "a =\n", true},     {MIME_QP, "a \n", false},
        {MIME_QP, "a \r\n", false},    {MIME_QP, "a ", false},       {MIME_QP, "a\rb", false},
        {MIME_QP, "a=\rb", false},     {MIME_QP, "\303", false},     {MIME_QP, "\033", false},
        {MIME_QP, "= \n", false},      {MIME_BASE64, "", true},      {MIME_BASE64, "QUJD\nQUI=\n", true},
        {MIME_BASE64, "QQ==", true},   {MIME_BASE64, "QQ=", false},  {MIME_BASE64, "Q", false},
        {MIME_BASE64, "QQ===", false}, {MIME_BASE64, "Q===", false}, {MIME_BASE64, "QUI=QUI=", false},
        {MIME_BASE64, "QU-D", false},  {MIME_8BIT, "\303 \n", true}, {MIME_ENCODING_UNKNOWN, "a", false},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        int fd = input_file(rows[i].text, strlen(rows[i].text));
        bool correct;

        ck_assert_int_eq(encoding_check(fd, 0, strlen(rows[i].text), rows[i].encoding, &correct), 0);
        ck_assert_msg(correct == rows[i].correct, "row %zu \"%s\"", i, rows[i].text);
        close(fd);
    }
}
END_TEST

UNIT_MAIN("copydigest", relays, boundaries, changes, odd_letters, hidden_fields, strays, line_ends_in_base64,
          attached_messages, boundaries_alike, ambiguity, real_relays, ranges, correct_encodings)
