/* Where Legacy Display Elements go, and what stays as it is (RFC 9788 5.2). */
#include "outgoing/legacy.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

#define HEAD "From: Anna <a@x.example>\nSubject: =?utf-8?q?Caf=C3=A9_<1>?=\nTo: b@y.example\n"
#define DIV                                                                                                  \
    "<div class=\"header-protection-legacy-display\">\n<pre>Subject: Caf&#233; &#60;1&#62;</pre>\n</div>\n"
#define TEXT "text/plain; charset=utf-8"
#define MARK ";\n hp-legacy-display=\"1\"\n"

static const struct {
    const char *in, *out; /* behind HEAD; out NULL: there is nothing to add */
} rows[] = {
    /* one part of text */
    {"Content-Type: " TEXT "\nContent-Transfer-Encoding: 8bit\n\n\303\244\n",
     "Content-Transfer-Encoding: 8bit\nContent-Type: " TEXT MARK "\nSubject: Caf\303\251 <1>\n\n\303\244\n"},
    {"Content-Type: " TEXT "\n\nhi=\n",
     "Content-Type: " TEXT MARK
     "Content-Transfer-Encoding: quoted-printable\n\nSubject: Caf=C3=A9 <1>\n\nhi=3D\n"},
    {"Content-Type: " TEXT "\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\nc\n",
     "Content-Transfer-Encoding: quoted-printable\nContent-Type: " TEXT MARK
     "\nSubject: Caf=C3=A9 <1>\n\na=3Dbc\n"},
    {"Content-Type: " TEXT "\nContent-Transfer-Encoding: base64\n\naGkNCg==\n",
     "Content-Transfer-Encoding: base64\nContent-Type: " TEXT MARK
     "\nU3ViamVjdDogQ2Fmw6kgPDE+DQoNCmhpDQo=\n"},
    {"\nhi\n", "Content-Type: text/plain; charset=utf-8" MARK
               "Content-Transfer-Encoding: quoted-printable\n\nSubject: Caf=C3=A9 <1>\n\nhi\n"},
    {"Content-Type: text/plain; format=flowed; charset=us-ascii; x=\"\303\244\"\n\nhi",
     "Content-Type: text/plain; charset=utf-8;\n format=\"flowed\"" MARK
     "Content-Transfer-Encoding: quoted-printable\n\nSubject: Caf=C3=A9 <1>\n\nhi"},
    {"Content-Type: text/plain; charset=iso-8859-15\nContent-Transfer-Encoding: 8bit\n\n\344\n",
     "Content-Transfer-Encoding: 8bit\nContent-Type: text/plain; charset=iso-8859-15" MARK
     "\nSubject: Caf\351 <1>\n\n\344\n"},
    {"Content-Type: text/plain; charset=iso-8859-5\nContent-Transfer-Encoding: 8bit\n\n\344\n",
     "Content-Transfer-Encoding: 8bit\nContent-Type: text/plain; charset=iso-8859-5" MARK
     "\nSubject: Caf? <1>\n\n\344\n"},
    /* HTML */
    {"Content-Type: text/html\n\n<!-- <body> --><html>\n<BODY a=\"x>y\"><p>\n",
     "Content-Type: text/html" MARK "\n<!-- <body> --><html>\n<BODY a=\"x>y\">\n" DIV "<p>\n"},
    {"Content-Type: text/html\n\n<bodyguard><p>\n",
     "Content-Type: text/html" MARK "\n" DIV "<bodyguard><p>\n"},
    {"Content-Type: text/html\n\n", "Content-Type: text/html" MARK "\n" DIV},
    {"Content-Type: text/html\n\n<body x\n", "Content-Type: text/html" MARK "\n" DIV "<body x\n"},
    {"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<bo=\ndy>=C3=A4",
     "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/html" MARK
     "\n<body>\n<div class=3D\"header-protection-legacy-display\">\n"
     "<pre>Subject: Caf&#233; &#60;1&#62;</pre>\n</div>\n=C3=A4"},
    /* the main parts of multiparts */
    {"Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\nContent-Type: multipart/alternative; "
     "boundary=c\n\n--c\n"
     "Content-Type: text/plain; charset=iso-8859-1\n\nhi\n--c\nContent-Type: text/html\n\n<body>\n--c\n"
     "Content-Type: text/calendar\n\nx\n--c--\n\n--b\nContent-Type: "
     "text/plain\n\nattached\n--b--\nepilogue\n",
     "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\nContent-Type: multipart/alternative; "
     "boundary=c\n\n--c\n"
     "Content-Type: text/plain; charset=iso-8859-1" MARK
     "Content-Transfer-Encoding: quoted-printable\n\nSubject: Caf=E9 <1>\n\nhi\n--c\nContent-Type: "
     "text/html" MARK "\n<body>\n" DIV
     "\n--c\nContent-Type: text/calendar\n\nx\n--c--\n\n--b\nContent-Type: text/plain\n\nattached\n--b--\n"
     "epilogue\n"},
    /* nothing */
    {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n\nx\n--b\nContent-Type: "
     "text/plain\n\nx\n--b--\n",
     NULL},
    {"Content-Type: text/plain\nContent-Disposition: attachment\n\nx\n", NULL},
    {"Content-Type: text/plain; hp-legacy-display=1\n\nSubject: x\n\nx\n", NULL},
    {"Content-Type: text/plain; charset=utf-16\n\nx\n", NULL},
    {"Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nx\n", NULL},
    {"Content-Type: text/csv\n\nx\n", NULL},
    {"Content-Type: message/rfc822\n\nContent-Type: text/plain\n\nx\n", NULL},
    {"Content-Type: multipart/signed; boundary=b\n\n--b\nContent-Type: text/plain\n\nx\n--b\n\nx\n--b--\n",
     NULL},
};

/* What is written, newly allocated; NULL: nothing. */
static char *written(const char *text, struct entity_header *how)
{
    struct buf out = {0};
    struct outcome outcome;
    struct core core;
    int fd;
    core_set_up(&core, "", NULL);
    core_message(&core, text, strlen(text), "10.0.0.1", "a@x.example");
    how->message = &core.message;
    outcome_done(&outcome);
    ck_assert(legacy_write(how, &fd, &outcome));
    if (fd >= 0) {
        core_slurp(fd, &out);
        fdio_close(&fd);
    }
    core_tear_down(&core);
    return out.len > 0 ? buf_take(&out) : NULL;
}

START_TEST(places)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct entity_header how = {.protection = CONFIG_PROTECTION_BASELINE, .encrypted = true};
        char *in = mem_printf(HEAD "%s", rows[i].in), *out = written(in, &how);
        if (rows[i].out == NULL)
            ck_assert_msg(out == NULL, "row %zu:\n%s", i, out);
        else
            ck_assert_msg(out != NULL && strncmp(out, HEAD, strlen(HEAD)) == 0 &&
                              strcmp(out + strlen(HEAD), rows[i].out) == 0,
                          "row %zu:\n%s", i, out);
        free(in);
        free(out);
    }
}
END_TEST

START_TEST(policies)
{
    static const char text[] =
        HEAD "Date: Sat, 20 Feb 2021 10:12:02 -0500\nKeywords: k\n"
             "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n";
    struct entity_header how = {.protection = CONFIG_PROTECTION_CLEAR, .encrypted = true};
    ck_assert_ptr_null(written(text, &how));
    how.protection = CONFIG_PROTECTION_SHY;
    how.encrypted = false;
    ck_assert_ptr_null(written(text, &how));
    how.encrypted = true;
    how.kept_inside = true;
    ck_assert_ptr_null(written(text, &how));
    how.kept_inside = false;
    char *out = written(text, &how);
    struct buf wanted = {0};
    static const char lines[] = "Subject: Caf\303\251 <1>\r\nFrom: Anna <a@x.example>\r\n"
                                "Date: Sat, 20 Feb 2021 10:12:02 -0500\r\n\r\n";
    struct base64_encoder encoder = {.eol = "\n"};
    char room[BASE64_ENCODE_MAX(sizeof(lines))];
    buf_add(&wanted, room, base64_encode_update(&encoder, lines, strlen(lines), room));
    buf_add(&wanted, room, base64_encode_final(&encoder, room));
    ck_assert_ptr_nonnull(out);
    ck_assert_str_eq(strstr(out, "\n\n") + 2, wanted.data);
    free(out);
    buf_free(&wanted);
}
END_TEST

UNIT_MAIN("core-legacy", places, policies)
