/* What relays would change is gone before signing, everything else stays octet for octet. */
#include "outgoing/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "mail/source.h"
#include "outgoing/entity.h"
#include "outgoing/prepare_field.h"
#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"

static char *prepared(struct core *core, const char *text, size_t len, bool *needed, bool *fragile)
{
    struct buf inner = {0}, out = {0};
    struct entity_header how = {.message = &core->message};
    core_message(core, text, len, "10.0.0.1", "a@x.example");
    entity_inner_header(&how, &inner);
    *needed = prepare_needed(core->message.mime.root, &inner, core->message.fd);
    int fd = core_file("", 0);
    ck_assert_int_eq(prepare_write(core->message.mime.root, &inner, core->message.fd, fd, fragile), 0);
    core_slurp(fd, &out);
    buf_free(&inner);
    fdio_close(&fd);
    return buf_take(&out);
}

#define LONG_100                                                                                             \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_1000 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100

START_TEST(texts)
{
    static const struct {
        const char *message, *entity; /* entity NULL: nothing needed */
    } rows[] = {
        {"From: a\nContent-Type: text/plain\n\nplain\n", NULL},
        {"From: a\n\nplain\n", NULL},
        /* a little 8-bit text stays readable */
        {"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nEine l\xc3\xa4ngere "
         "Zeile = Text.\n",
         "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
         "Eine l=C3=A4ngere Zeile =3D Text.\n"},
        /* much of it: base64, of CRLF lines */
        {"Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: 8bit\n\n\xd0\xd2\xc9\n",
         "Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64\n\n0NLJDQo=\n"},
        /* no encoding named: one is added */
        {"Content-Type: application/octet-stream\n\n\xff\xfe\n",
         "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n//4NCg==\n"},
        {"Content-Type: text/plain\n\na\rb\n",
         "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nYQ1iDQo=\n"},
        /* a message with CRLF: its bare LF is an octet that is meant */
        {"Content-Type: application/x\r\n\r\na\nb\r\n",
         "Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\nYQpiDQo=\r\n"},
        /* base64 in one line is decoded and written anew */
        {"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n" LONG_1000 "\n", "="},
        /* multiparts: 8bit around becomes 7bit, untouched parts stay, the preamble becomes harmless */
        {"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 8bit\n\npre\xe4mble\n--b\n"
         "Content-Type: text/html\nX-Any:  field \n\n<p>\n--b\nContent-Type: text/plain; "
         "charset=utf-8\n\nviel Text \xc3\xa4\n--b--\n"
         "epilogue\n",
         "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 7bit\n\npre?mble\n--b\n"
         "Content-Type: text/html\nX-Any:  field \n\n<p>\n--b\nContent-Type: text/plain; charset=utf-8\n"
         "Content-Transfer-Encoding: quoted-printable\n\nviel Text =C3=A4\n--b--\nepilogue\n"},
        /* inside of message/rfc822 */
        {"Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nSubject: x\nContent-Type: "
         "text/plain\n"
         "Content-Transfer-Encoding: 8bit\n\nviel Text \xc3\xa4\n",
         "Content-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\nSubject: x\nContent-Type: "
         "text/plain\n"
         "Content-Transfer-Encoding: quoted-printable\n\nviel Text =C3=A4\n"},
        /* fields */
        {"Content-Type: application/pdf; name=\"\xc3\xbc.pdf\"\n\nx\n",
         "Content-Type: application/pdf;\n name*=utf-8''%C3%BC.pdf\n\nx\n"},
        {"Content-Type: application/pdf; name*2*4=\"\xc3\xbc\"; a'b=\"\xc3\xbc\"; name=x\n\nx\n",
         "Content-Type: application/pdf;\n name=x\n\nx\n"},
        {"Content-Type: message/rfc822\n\nSubject: Gr\xc3\xbc\xc3\x9f"
         "e\n\nx\n",
         "Content-Type: message/rfc822\n\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\n\nx\n"},
    };
    struct core core;
    core_set_up(&core, "", NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        bool needed, fragile;
        char *got = prepared(&core, rows[i].message, strlen(rows[i].message), &needed, &fragile);
        ck_assert_msg(needed == (rows[i].entity != NULL), "row %zu", i);
        ck_assert_msg(!fragile, "row %zu", i);
        if (rows[i].entity != NULL && strcmp(rows[i].entity, "=") != 0)
            ck_assert_msg(strcmp(got, rows[i].entity) == 0, "row %zu:\n%s", i, got);
        ck_assert_msg(!prepare_text_unsafe(got, strlen(got), strstr(got, "\r\n") != NULL), "row %zu:\n%s", i,
                      got);
        free(got);
    }
    core_tear_down(&core);
}
END_TEST

/* Encoding changes nothing that a reader decodes. */
START_TEST(octets_survive)
{
    static const char head[] = "Content-Type: application/octet-stream\r\n\r\n";
    char text[sizeof(head) + 5000];
    size_t len = sizeof(head) - 1;
    struct core core;
    struct mime mime;
    memcpy(text, head, len);
    for (size_t i = 0; i < 5000; i++)
        text[len++] = (char)(i * 7 + i / 256);
    core_set_up(&core, "", NULL);
    bool needed, fragile;
    char *got = prepared(&core, text, len, &needed, &fragile);
    int fd = core_file(got, strlen(got)), decoded = core_file("", 0);
    ck_assert_int_eq(mime_parse(&mime, fd, 0, strlen(got), NULL), 0);
    struct source *source = source_new(fd, mime.root->body, mime.root->end - mime.root->body,
                                       mime.root->encoding, SOURCE_EOL_KEEP);
    struct buf out = {0};
    ck_assert_int_eq(source_copy(source, decoded, NULL), 0);
    core_slurp(decoded, &out);
    ck_assert_uint_eq(out.len, 5000);
    ck_assert_mem_eq(out.data, text + sizeof(head) - 1, 5000);
    source_free(source);
    buf_free(&out);
    mime_free(&mime);
    fdio_close(&fd);
    fdio_close(&decoded);
    free(got);
    core_tear_down(&core);
}
END_TEST

/* What cannot be made safe says so; somebody else's signature is never touched. */
START_TEST(fragile_ones)
{
    static const char *const rows[] = {
        "Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\n\xe4\n",
        "Content-Type: multipart/mixed; boundary=\"\xe4\"\n\n--\xe4\n\nx\n--\xe4--\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/signed; boundary=c; "
        "protocol=x\n\n"
        "--c\nContent-Type: text/plain\n\n\xe4\n--c\nContent-Type: application/x\n\ny\n--c--\n--b--\n",
        "Content-Type: message/delivery-status\n\nX: \xe4\n",
        "Content-Type: multipart/mixed; boundary=b\n\nno part\xe4\n",
    };
    struct core core;
    core_set_up(&core, "", NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        bool needed, fragile;
        char *got = prepared(&core, rows[i], strlen(rows[i]), &needed, &fragile);
        ck_assert_msg(needed && fragile, "row %zu", i);
        const char *body = strstr(rows[i], "\n\n");
        ck_assert_msg(strstr(got, body) != NULL, "row %zu:\n%s", i, got);
        free(got);
    }
    core_tear_down(&core);
}
END_TEST

START_TEST(headers)
{
    static const char text[] =
        "Received: x\nFrom: a@x.example\nTo: b@y.example\nBcc: secret@z.example\nSubject: [sign] s\n"
        "Content-Type: text/plain\n  ; charset=utf-8\nMIME-Version: 1.0\nmime-version: 1.0\n"
        "Content-Language: de\nResent-Bcc: secret@z.example\nContent-Length: 7\nno field\nX-Y: z\n\nx\n";
    struct core core;
    struct buf out = {0};
    core_set_up(&core, "POLICY = both\n", NULL);
    core_message(&core, text, strlen(text), "10.0.0.1", "a@x.example");
    struct entity_header how = {.message = &core.message, .trigger = {.sign = true}};
    entity_outer_header(&how, &out);
    ck_assert_str_eq(
        out.data,
        "Received: x\nFrom: a@x.example\nTo: b@y.example\nSubject: s\nMIME-Version: 1.0\nno field\nX-Y: z\n");
    buf_clear(&out);
    entity_inner_header(&how, &out);
    ck_assert_str_eq(out.data, "Content-Type: text/plain\n  ; charset=utf-8\nContent-Language: de\n");
    buf_clear(&out);
    how.protection = CONFIG_PROTECTION_BASELINE;
    how.encrypted = true;
    entity_outer_header(&how, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "\nSubject: [...]\n"));
    buf_clear(&out);
    entity_inner_header(&how, &out);
    ck_assert_str_eq(out.data,
                     "From: a@x.example\nTo: b@y.example\nSubject: s\nX-Y: z\nHP-Outer: From: a@x.example\n"
                     "HP-Outer: To: b@y.example\nHP-Outer: Subject: [...]\nHP-Outer: X-Y: z\nContent-Type: "
                     "text/plain\n  ; charset=utf-8;\n"
                     " hp=\"cipher\"\nContent-Language: de\n");
    buf_free(&out);
    core_tear_down(&core);
}
END_TEST

/* The last field of a header that nothing ends: what follows it begins on a line of its own. */
START_TEST(header_without_end)
{
    static const char text[] = "Subject: [sign] s\nsubject: t";
    struct core core;
    struct buf out = {0};
    core_set_up(&core, "POLICY = both\n", NULL);
    core_message(&core, text, strlen(text), "10.0.0.1", "a@x.example");
    struct entity_header how = {.message = &core.message, .trigger = {.sign = true}};
    entity_outer_header(&how, &out);
    ck_assert_str_eq(out.data, "Subject: s\nsubject: t\nMIME-Version: 1.0\n");
    buf_free(&out);
    core_tear_down(&core);
}
END_TEST

/* Without any header, line ends are those of the first line all the same. */
START_TEST(no_header)
{
    static const char text[] = "\r\na\nb\r\n";
    struct core core;
    bool needed, fragile;
    core_set_up(&core, "", NULL);
    char *out = prepared(&core, text, strlen(text), &needed, &fragile);
    ck_assert(needed && !fragile);
    ck_assert_str_eq(out,
                     "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: base64\r\n"
                     "\r\nYQpiDQo=\r\n");
    free(out);
    core_tear_down(&core);
}
END_TEST

/* A message that came protected has hp already: it is said once, whatever surrounds it. */
START_TEST(protected_before)
{
    static const char *const rows[][2] = {
        {"text/plain; hp=\"cipher\"", "text/plain;\n hp=\"cipher\""},
        {"text/plain; hp=clear; charset=utf-8", "text/plain; charset=utf-8;\n hp=\"cipher\""},
        {"text/plain;\n HP = \"a;b\\\"\" ;hp=x ; a=b", "text/plain  ; a=b;\n hp=\"cipher\""},
        {"text/plain; a=\"; hp=x\"; hpx=1", "text/plain; a=\"; hp=x\"; hpx=1;\n hp=\"cipher\""},
        {"text/plain (; hp=x); xhp=1; hp", "text/plain (; hp=x); xhp=1; hp;\n hp=\"cipher\""},
        {"text/plain; hp=", "text/plain;\n hp=\"cipher\""},
        {"text/plain; hp=\"open", "text/plain;\n hp=\"cipher\""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct core core;
        struct buf out = {0};
        char *text = mem_printf("Content-Type: %s\n\nx\n", rows[i][0]);
        char *wanted = mem_printf("Content-Type: %s\n", rows[i][1]);
        core_set_up(&core, "", NULL);
        core_message(&core, text, strlen(text), "10.0.0.1", "a@x.example");
        struct entity_header how = {
            .message = &core.message, .protection = CONFIG_PROTECTION_CLEAR, .encrypted = true};
        entity_inner_header(&how, &out);
        ck_assert_str_eq(buf_text(&out), wanted);
        buf_free(&out);
        free(text);
        free(wanted);
        core_tear_down(&core);
    }
}
END_TEST

UNIT_MAIN("core-prepare", texts, octets_survive, fragile_ones, headers, header_without_end, no_header,
          protected_before)
