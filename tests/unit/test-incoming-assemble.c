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
    struct unwrap_node root, inner, sealed;
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
    ck_assert_int_eq(protected_read(&f->protected, &f->message, &f->strand), 0);
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

/* Reads again when what came out of the encrypted layer is signed; `encrypted` false: was signed only. */
static void fixture_sign(struct fixture *f, struct layer_signer *signer, bool encrypted)
{
    protected_free(&f->protected);
    f->sealed = (struct unwrap_node){.outer = encrypted ? &f->inner : &f->root, .entity = f->inner.entity};
    f->sealed.layer.kind = LAYER_SIGNED;
    f->sealed.layer.signers = signer;
    f->sealed.layer.signer_count = 1;
    f->strand.inner = &f->sealed;
    ck_assert_int_eq(protected_read(&f->protected, &f->message, &f->strand), 0);
}

static void signer_says(struct layer_signer *signer, const char *verdict)
{
    free(signer->verdict.verdict);
    signer->verdict.verdict = mem_strdup(verdict);
}

/* The inner From is shown only if somebody who may use that address signed it. */
START_TEST(test_from)
{
    static const char inner[] =
        "From: Boss <boss@x.example>\r\nContent-Type: text/plain; hp=cipher\r\n\r\nhi";
    struct layer_signer signer = {.result = LAYER_SIGNATURE_GOOD};
    struct fixture f;
    char *out;

    signer_says(&signer, "valid");
    strlist_add(&signer.verdict.addresses, "boss@x.example");
    fixture_open(&f, OUTER "\nMII=\n", inner);
    ck_assert_str_eq(protected_from(&f.protected), "a@x.example");
    ck_assert(!protected_other_signed(&f.protected));
    fixture_sign(&f, &signer, true);
    ck_assert_str_eq(protected_from(&f.protected), "boss@x.example");
    ck_assert(!protected_other_signed(&f.protected));
    out = write_all(&f, NULL, NULL);
    ck_assert_ptr_nonnull(strstr(out, "\nFrom: Boss <boss@x.example>\n"));
    ck_assert_ptr_null(strstr(out, "Alice"));
    free(out);
    protected_forgo(&f.protected);
    ck_assert_str_eq(protected_from(&f.protected), "a@x.example");
    ck_assert(protected_other_signed(&f.protected));
    signer_says(&signer, "untrusted-root");
    fixture_sign(&f, &signer, true);
    ck_assert_str_eq(protected_from(&f.protected), "a@x.example");
    ck_assert(protected_other_signed(&f.protected));
    fixture_close(&f);
    free(signer.verdict.verdict);
    strlist_free(&signer.verdict.addresses);
}
END_TEST

#define DATE "Date: Sat, 20 Feb 2021 15:12:02 +0000"

/* Fields of a message that was only signed. */
static const struct {
    const char *outer, *inside, *verdict, *told, *out;
} signed_rows[] = {
    {"From: a@x.example\nTo: b@y.example\nSubject: s\n",
     "Subject: s\r\nTo: <b@y.example>\r\nFrom: A <a@x.example>\r\n", "valid", "protected; differs: From, To",
     "Subject: s\nFrom: A <a@x.example>\nTo: <b@y.example>\n"},
    {"From: A <a@x.example>\nX-A: b\n" DATE "\nSubject: [list]\n s\nReply-To: l@l.example\n",
     "Subject: s\r\nFrom: \"A\" <A@x.example>\r\n" DATE "\r\n", "valid",
     "protected; differs: Subject, Reply-To", "From: A <a@x.example>\nX-A: b\n" DATE "\nSubject: s\n"},
    {"From: a@x.example\nSubject: s\nReply-To: l@l.example\n", "Subject: s\r\nFrom: a@x.example\r\n", "valid",
     "protected", "From: a@x.example\nSubject: s\nReply-To: l@l.example\n"},
    {"From: a@x.example\nSubject: pay\nSubject: more\n", "From: a@x.example\r\nSubject: s\r\n",
     "untrusted-root", "protected; differs: Subject", "From: a@x.example\nSubject: pay\nSubject: more\n"},
    {"From: c@x.example\nSubject: pay\n", "From: a@x.example\r\nSubject: s\r\n", "valid",
     "protected; differs: Subject, From", "Subject: s\nFrom: a@x.example\n"},
    {"From: a@x.example\nSubject: pay\n", "From: c@x.example\r\nSubject: s\r\n", "valid",
     "protected; differs: Subject, From", "From: a@x.example\nSubject: pay\n"},
    {"From: a@x.example\nSubject: pay\n", "From: a@x.example\r\nFrom: c@x.example\r\nSubject: s\r\n", "valid",
     "protected; differs: Subject, From", "From: a@x.example\nSubject: pay\n"},
    {"From: a@x.example\nSubject: pay\n", "Subject: s\r\n", "valid", "protected; differs: Subject",
     "From: a@x.example\nSubject: s\n"},
};

START_TEST(test_signed)
{
    for (size_t i = 0; i < ROWS(signed_rows); i++) {
        char *outer = mem_printf("%sContent-Type: multipart/signed\n\n--b\n...\n", signed_rows[i].outer);
        char *inner = mem_printf("%sContent-Type: text/plain; hp=\"clear\"\r\n\r\nhi", signed_rows[i].inside);
        struct layer_signer signer = {.result = LAYER_SIGNATURE_GOOD};
        struct fixture f;
        char *out, *wanted;

        signer_says(&signer, signed_rows[i].verdict);
        strlist_add(&signer.verdict.addresses, "a@x.example");
        fixture_open(&f, outer, inner);
        fixture_sign(&f, &signer, false);
        ck_assert_msg(strcmp(f.protected.told, signed_rows[i].told) == 0, "row %zu: %s", i, f.protected.told);
        f.strand.inner = &f.root; /* what is delivered */
        out = write_all(&f, NULL, NULL);
        wanted = mem_printf(FIELDS "%s", signed_rows[i].out);
        for (char *line = strtok(wanted, "\n"); line != NULL; line = strtok(NULL, "\n"))
            ck_assert_msg(strstr(out, line) != NULL, "row %zu: \"%s\" in\n%s", i, line, out);
        ck_assert_msg(strlen(out) ==
                          strlen(FIELDS) + strlen(signed_rows[i].out) + strlen(strstr(outer, "Content-Type")),
                      "row %zu:\n%s", i, out);
        ck_assert_ptr_nonnull(strstr(out, "\n\n--b\n...\n"));
        free(out);
        free(outer);
        free(inner);
        free(wanted);
        free(signer.verdict.verdict);
        strlist_free(&signer.verdict.addresses);
        fixture_close(&f);
    }
}
END_TEST

/* What is told of fields that came encrypted, and which are shown. */
static const struct {
    const char *outer, *inner, *told, *shown;
} told_rows[] = {
    {"Subject: [...]\n", "Subject: s\nContent-Type: a/b; hp=cipher\nHP-Outer: Subject: [...]\n",
     "protected; hidden: Subject", "Subject: s"},
    {"Subject: [...]\n", "Subject: s\nContent-Type: a/b; hp=cipher\n", "protected; hidden: Subject",
     "Subject: s"},
    {"Subject: Hi\n", "Subject: s\nContent-Type: a/b; hp=cipher\nHP-Outer: Subject: [...]\n",
     "protected; differs: Subject", "Subject: s"},
    {"Subject: Hi\n", "Subject: Hi\nContent-Type: a/b; hp=cipher\nHP-Outer: Subject: [...]\n",
     "protected; differs: Subject", "Subject: Hi"},
    {"Subject: s\n", "Subject: s\nContent-Type: a/b; hp=cipher\nHP-Outer: Subject: s\n", "protected",
     "Subject: s"},
    {"Subject: Hi\n", "Subject: s\nContent-Type: a/b; hp=clear\nHP-Outer: Subject: Hi\n",
     "protected; differs: Subject", "Subject: s"},
    {"Subject: ...\n", "Subject: s\nContent-Type: a/b; protected-headers=v1\n", "protected; hidden: Subject",
     "Subject: s"},
    {"Subject: Hi\n", "Subject: s\nContent-Type: a/b; protected-headers=v1\n", "protected; differs: Subject",
     "Subject: s"},
    {"Subject: s\nReply-To: c@x.example\n", "Subject: s\nContent-Type: a/b; protected-headers=v1\n",
     "protected", "Reply-To: c@x.example"},
    {DATE "\nReply-To: c@x.example\nCc: d@x.example\n",
     "From: a@x.example\n" DATE
     "\nCc: E <d@x.example>\nContent-Type: a/b; hp=cipher\nHP-Outer: Cc: d@x.example\n"
     "HP-Outer: From: a@x.example\nHP-Outer: " DATE "\n",
     "protected; hidden: Cc; differs: Reply-To", "Cc: E <d@x.example>"},
    {DATE "\nReply-To: c@x.example\n", DATE "\nSubject: s\nContent-Type: a/b; hp=cipher\n",
     "protected; hidden: Subject", "Reply-To: c@x.example"},
    {"Date: Sat, 20 Feb 2021 15:12:02 +0000\nMessage-ID: <2@x>\n",
     "Date: Sat, 20 Feb 2021 10:12:02 -0500\nMessage-ID: <1@x>\nContent-Type: a/b; hp=cipher\n"
     "HP-Outer: Date: Sat, 20 Feb\n 2021 15:12:02 +0000\nHP-Outer: Message-ID: <1@x>\n",
     "protected; hidden: Date; differs: Message-ID", "Message-ID: <2@x>"},
    /* the fields in a part of their own */
    {"Subject: ...\n",
     "Content-Type: multipart/mixed; boundary=b; protected-headers=\"v1\"\nTo: x@x.example\n\n--b\n"
     "Content-Type: text/rfc822-headers; protected-headers=\"v1\"\n\nSubject: s\nTo: "
     "y@x.example\n\n--b\n\nx\n--b--\n",
     "protected; hidden: Subject, To", "To: x@x.example"},
    {"Subject: ...\n",
     "Content-Type: multipart/mixed; boundary=b\nTo: x@x.example\n\n--b\n"
     "Content-Type: text/rfc822-headers; protected-headers=\"v1\"\nContent-Transfer-Encoding: base64\n\n"
     "U3ViamVjdDogcwo=\n--b\n\nx\n--b--\n",
     "protected; hidden: Subject", "Subject: s"},
    /* none of these is protected */
    {"Subject: ...\n", "Subject: s\nContent-Type: a/b\n", NULL, "Subject: ..."},
    {"Subject: ...\n", "Subject: s\nContent-Type: a/b; x=\"; hp=cipher\"\n", NULL, "Subject: ..."},
    {"Subject: ...\n", "Subject: s\nContent-Type: a/b; hp=cipher\nContent-Type: a/b\n", NULL, "Subject: ..."},
    {"Subject: ...\n",
     "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; hp=cipher\nSubject: "
     "s\n\nx\n--b--\n",
     NULL, "Subject: ..."},
    {"Subject: ...\n",
     "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n"
     "Content-Type: text/rfc822-headers; protected-headers=\"v1\"\n\nSubject: s\n--b--\n",
     NULL, "Subject: ..."},
    {"Subject: ...\n",
     "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/rfc822-headers\n\nSubject: "
     "s\n--b--\n",
     NULL, "Subject: ..."},
};

START_TEST(test_told)
{
    for (size_t i = 0; i < ROWS(told_rows); i++) {
        bool whole = strstr(told_rows[i].inner, "\n\n") != NULL;
        char *outer = mem_printf("From: a@x.example\n%sContent-Type: x/y\n\nMII=\n", told_rows[i].outer);
        char *inner = mem_printf("%s%s", told_rows[i].inner, whole ? "" : "\nhi\n"), *line;
        struct fixture f;
        char *out;

        fixture_open(&f, outer, inner);
        if (told_rows[i].told == NULL)
            ck_assert_msg(f.protected.told == NULL, "row %zu: %s", i, f.protected.told);
        else
            ck_assert_msg(f.protected.told != NULL && strcmp(f.protected.told, told_rows[i].told) == 0,
                          "row %zu: %s", i, f.protected.told);
        out = write_all(&f, NULL, NULL);
        line = mem_printf("\n%s\n", told_rows[i].shown);
        ck_assert_msg(strstr(out, line) != NULL && strstr(strstr(out, line) + 1, line) == NULL,
                      "row %zu:\n%s", i, out);
        ck_assert_msg(strstr(out, "\nHP-Outer") == NULL, "row %zu:\n%s", i, out);
        free(line);
        free(out);
        free(outer);
        free(inner);
        fixture_close(&f);
    }
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

UNIT_MAIN("incoming-assemble", test_assemble, test_from, test_signed, test_told, test_report)
