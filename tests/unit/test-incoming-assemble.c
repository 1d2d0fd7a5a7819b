#include "unit.h"

#include <string.h>

#include "incoming/assemble.h"
#include "mail_input.h"
#include "util/buf.h"
#include "util/fdio.h"
#include "util/mem.h"

static char authserv_id[] = "gw.example";
static char spool[] = "/tmp";
static const struct config config = {
    .authserv_id = authserv_id, .spool = spool, .spool_memory = 1u << 20, .max_depth = 50, .max_parts = 100};

struct fixture {
    struct message message;
    struct unwrap_node root, inner;
    struct unwrap_strand strand;
    struct protected protected;
};

/* A message, and the entity that came out of its encrypted layer (NULL: nothing was opened). */
static void fixture_open(struct fixture *f, const char *outer, const char *inner)
{
    memset(f, 0, sizeof(*f));
    f->message.config = &config;
    f->message.size = strlen(outer);
    f->message.fd = input_file(outer, strlen(outer));
    ck_assert_int_eq(mime_parse(&f->message.mime, f->message.fd, 0, f->message.size, NULL), 0);
    f->message.eol = f->message.mime.eol_crlf ? "\r\n" : "\n";
    f->root.entity = (struct layer_entity){f->message.fd, 0, f->message.size};
    f->strand.inner = &f->root;
    if (inner != NULL) {
        f->inner.outer = &f->root;
        f->inner.layer.kind = LAYER_ENCRYPTED;
        f->inner.entity = (struct layer_entity){input_file(inner, strlen(inner)), 0, strlen(inner)};
        f->strand.inner = &f->inner;
    }
    ck_assert_int_eq(protected_read(&f->protected, &f->message, &f->strand, NULL), 0);
}

static void fixture_close(struct fixture *f)
{
    protected_free(&f->protected);
    mime_free(&f->message.mime);
    close(f->message.fd);
    if (f->inner.outer != NULL)
        close(f->inner.entity.fd);
}

static char *write_all(const struct fixture *f, const char *subject, const struct buf *report)
{
    struct buf fields = {0}, out = {0};
    struct assemble a = {&f->message, f->strand.inner, &f->protected, &fields, subject, report};
    struct outcome outcome;
    int fd = input_file("", 0);

    outcome_done(&outcome);
    buf_printf(&fields, "X-JULIA-Encryption: w%s", f->message.eol);
    ck_assert_int_eq(assemble_write(&a, fd, &outcome), 0);
    ck_assert_int_eq(outcome.kind, OUTCOME_DONE);
    lseek(fd, 0, SEEK_SET);
    ck_assert_int_eq(fdio_read_fd(fd, 1u << 20, &out), 0);
    close(fd);
    buf_free(&fields);
    return buf_take(&out);
}

#define FIELDS "X-JULIA-Encryption: w\n"
#define OUTER                                                                                                \
    "From: Alice <a@x.example>\nSubject: ...\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime\n"

static const struct {
    const char *outer, *inner, *subject, *out;
} rows[] = {
    /* as it came */
    {"A: x\n\nbody\n\n", NULL, NULL, FIELDS "A: x\n\nbody\n\n"},
    {"A: x\nbody?", NULL, NULL, FIELDS "A: x\nbody?"},
    {"A: x\r\n\r\nbody", NULL, NULL, "X-JULIA-Encryption: w\r\nA: x\r\n\r\nbody"},
    {" folded\nA: x\n\n", NULL, NULL,
     FIELDS "X-JULIA-Folded: this line belonged to no field\n folded\nA: x\n\n"},
    {"\nbody", NULL, NULL, FIELDS "\nbody"},
    {"A: x\nsubject : s\n\nbody", NULL, "new \303\244",
     FIELDS "A: x\nSubject: new =?UTF-8?Q?=C3=A4?=\n\nbody"},
    {"A: x", NULL, "new", FIELDS "A: x\nSubject: new\n"},
    /* decrypted */
    {OUTER "\nMII=\n", "Content-Type: text/plain\r\n\r\nhi\r\n", NULL,
     FIELDS "From: Alice <a@x.example>\nSubject: ...\nMIME-Version: 1.0\nContent-Type: text/plain\n\nhi\n"},
    {OUTER "\nMII=\n", "MIME-Version: 1.0\r\n\r\nhi\r\n", NULL,
     FIELDS "From: Alice <a@x.example>\nSubject: ...\nMIME-Version: 1.0\n\nhi\n"},
    {OUTER "\nMII=\n", "no header\r\nat all\r\n", NULL,
     FIELDS "From: Alice <a@x.example>\nSubject: ...\nMIME-Version: 1.0\n\nno header\nat all\n"},
    {OUTER "\nMII=\n",
     "X-JULIA-Signature: valid\r\nReceived: x\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n"
     "Content-Language: de\rX-JULIA-Signature: valid\r\nSubject: not protected\r\n\r\nhi",
     NULL,
     FIELDS "From: Alice <a@x.example>\nSubject: ...\nMIME-Version: 1.0\nContent-Type: text/plain;\n "
            "charset=utf-8\n\nhi"},
    {OUTER "\nMII=\n", "Content-Type: application/x\r\nContent-Transfer-Encoding: binary\r\n\r\na\rb\n", NULL,
     FIELDS "From: Alice <a@x.example>\nSubject: ...\nMIME-Version: 1.0\nContent-Type: application/x\n"
            "Content-Transfer-Encoding: base64\n\nYQ1iCg==\n"},
    /* protected header fields */
    {OUTER "\nMII=\n",
     "Subject: real\r\nCc: c@x.example\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nhi", NULL,
     FIELDS "From: Alice <a@x.example>\nSubject: real\nCc: c@x.example\nMIME-Version: 1.0\n"
            "Content-Type: text/plain; hp=\"cipher\"\n\nhi"},
    {OUTER "\nMII=\n", "Subject: real\r\nContent-Type: text/plain; protected-headers=\"v1\"\r\n\r\nhi",
     "[x] real",
     FIELDS "From: Alice <a@x.example>\nSubject: [x] real\nMIME-Version: 1.0\n"
            "Content-Type: text/plain; protected-headers=\"v1\"\n\nhi"},
    {OUTER "\nMII=\n",
     "From: Boss <boss@x.example>\r\nReceived: x\r\nX-JULIA-A: b\r\nContent-Type: text/plain; "
     "hp=cipher\r\n\r\nhi",
     NULL,
     FIELDS
     "From: Alice <a@x.example>\nSubject: ...\nMIME-Version: 1.0\nContent-Type: text/plain; hp=cipher\n\nhi"},
    {OUTER "\nMII=\n", "From: A. Liddell <A@x.example>\r\nContent-Type: text/plain; hp=cipher\r\n\r\nhi",
     NULL,
     FIELDS "Subject: ...\nFrom: A. Liddell <A@x.example>\nMIME-Version: 1.0\nContent-Type: text/plain; "
            "hp=cipher\n\nhi"},
    {OUTER "\nMII=\n", "From: a@x.example, b@x.example\r\nContent-Type: text/plain; hp=cipher\r\n\r\nhi",
     NULL,
     FIELDS
     "From: Alice <a@x.example>\nSubject: ...\nMIME-Version: 1.0\nContent-Type: text/plain; hp=cipher\n\nhi"},
    {"Subject: one\nSubject: two\nFrom: a@x.example\n\nMII=\n",
     "Subject: real\r\nContent-Type: text/plain; hp=cipher\r\n\r\nhi", NULL,
     FIELDS "From: a@x.example\nSubject: real\nMIME-Version: 1.0\nContent-Type: text/plain; hp=cipher\n\nhi"},
    {OUTER "\nMII=\n", "Subject: real\r\nContent-Type: text/plain; hp=other\r\n\r\nhi", NULL,
     FIELDS
     "From: Alice <a@x.example>\nSubject: ...\nMIME-Version: 1.0\nContent-Type: text/plain; hp=other\n\nhi"},
    /* line ends of the message */
    {"From: a@x.example\r\n\r\nMII=\r\n", "Content-Type: text/plain\n\nhi\n", NULL,
     "X-JULIA-Encryption: w\r\nFrom: a@x.example\r\nMIME-Version: 1.0\r\nContent-Type: "
     "text/plain\r\n\r\nhi\r\n"},
    {"From: a@x.example", "Content-Type: text/plain\n\nhi\n", NULL,
     FIELDS "From: a@x.example\nMIME-Version: 1.0\nContent-Type: text/plain\n\nhi\n"},
};

START_TEST(test_assemble)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct fixture f;
        char *out;

        fixture_open(&f, rows[i].outer, rows[i].inner);
        out = write_all(&f, rows[i].subject, NULL);
        ck_assert_msg(strcmp(out, rows[i].out) == 0, "row %zu:\n%s", i, out);
        free(out);
        fixture_close(&f);
    }
}
END_TEST

/* The inner From is shown only if somebody who may use that address signed. */
START_TEST(test_from)
{
    static const char inner[] =
        "From: Boss <boss@x.example>\r\nContent-Type: text/plain; hp=cipher\r\n\r\nhi";
    struct layer_signer signer = {.result = LAYER_SIGNATURE_GOOD};
    struct layer layer = {.signers = &signer, .signer_count = 1};
    struct fixture f;
    char *out;

    signer.verdict.verdict = mem_strdup("valid");
    strlist_add(&signer.verdict.addresses, "boss@x.example");
    fixture_open(&f, OUTER "\nMII=\n", inner);
    ck_assert_str_eq(protected_from(&f.protected), "a@x.example");
    protected_free(&f.protected);
    ck_assert_int_eq(protected_read(&f.protected, &f.message, &f.strand, &layer), 0);
    ck_assert_str_eq(protected_from(&f.protected), "boss@x.example");
    out = write_all(&f, NULL, NULL);
    ck_assert_ptr_nonnull(strstr(out, "\nFrom: Boss <boss@x.example>\n"));
    ck_assert_ptr_null(strstr(out, "Alice"));
    free(out);
    protected_free(&f.protected);
    free(signer.verdict.verdict);
    signer.verdict.verdict = mem_strdup("untrusted-root");
    ck_assert_int_eq(protected_read(&f.protected, &f.message, &f.strand, &layer), 0);
    ck_assert_str_eq(protected_from(&f.protected), "a@x.example");
    fixture_close(&f);
    /* signed only: the header stays, whatever is inside */
    fixture_open(&f, OUTER "\nMII=\n", inner);
    protected_free(&f.protected);
    f.inner.layer.kind = LAYER_SIGNED;
    ck_assert_int_eq(protected_read(&f.protected, &f.message, &f.strand, &layer), 0);
    ck_assert(!f.protected.active);
    f.inner.layer.kind = LAYER_ENCRYPTED;
    fixture_close(&f);
    free(signer.verdict.verdict);
    strlist_free(&signer.verdict.addresses);
}
END_TEST

/* The report stands in a part of its own; the letter is the part before it, as it was. */
START_TEST(test_report)
{
    struct buf report = {0};
    struct fixture f;
    struct mime mime;
    char *out;
    int fd;

    buf_add_text(&report, "Content-Type: text/x-report\n\nGr\303\274n\n");
    fixture_open(&f, OUTER "\nMII=\n", "Content-Type: text/html\r\n\r\n<p>\r\n");
    out = write_all(&f, NULL, &report);
    fd = input_file(out, strlen(out));
    ck_assert_int_eq(mime_parse(&mime, fd, 0, strlen(out), NULL), 0);
    ck_assert_str_eq(mime.root->type.value, "multipart/mixed");
    ck_assert(mime.root->closed);
    ck_assert_uint_eq(mime.parts, 3);
    ck_assert_str_eq(mime.root->children->type.value, "text/html");
    ck_assert_int_eq(memcmp(out + mime.root->children->body, "<p>\n\n--", 7), 0);
    ck_assert_str_eq(mime.root->children->next->type.value, "text/x-report");
    ck_assert_int_eq(memcmp(out + mime.root->children->next->body, "Gr\303\274n\n", 6), 0);
    mime_free(&mime);
    close(fd);
    free(out);
    buf_free(&report);
    fixture_close(&f);
}
END_TEST

UNIT_MAIN("incoming-assemble", test_assemble, test_from, test_report)
