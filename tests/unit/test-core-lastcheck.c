/* Outputs as a broken or hostile smime module could write them: the last check must see each. */
#include "outgoing/lastcheck.h"

#include <string.h>

#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

/* DER by hand: tag, length, contents. */
static void der(struct buf *out, int tag, const struct buf *contents)
{
    buf_add_char(out, (char)tag);
    if (contents->len >= 128) {
        buf_add_char(out, (char)0x82);
        buf_add_char(out, (char)(contents->len >> 8));
    }
    buf_add_char(out, (char)(contents->len & 0xff));
    buf_add(out, buf_text(contents), contents->len);
}

static void der_octets(struct buf *out, int tag, const char *data, size_t len)
{
    struct buf contents = {0};
    buf_add(&contents, data, len);
    der(out, tag, &contents);
    buf_free(&contents);
}

#define DER_TEXT(out, tag, text) der_octets(out, tag, text, sizeof(text) - 1)

static void wrap(struct buf *inner, int tag)
{
    struct buf out = {0};
    der(&out, tag, inner);
    buf_free(inner);
    *inner = out;
}

#define OID_ENVELOPED "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
#define OID_SIGNED    "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define OID_DATA      "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define OID_AES       "\x60\x86\x48\x01\x65\x03\x04\x01\x2a"
#define OID_RSA       "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_SHA256    "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define ISSUER        "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\x43\x41"

static void put_algorithm(struct buf *out, const char *oid, size_t len)
{
    struct buf algorithm = {0};
    der_octets(&algorithm, 0x06, oid, len);
    wrap(&algorithm, 0x30);
    buf_add(out, algorithm.data, algorithm.len);
    buf_free(&algorithm);
}

/* KeyTransRecipientInfo for ISSUER and a serial number of one octet. */
static void put_recipient(struct buf *out, char serial)
{
    struct buf info = {0}, id = {0};
    DER_TEXT(&info, 0x02, "\x00");
    buf_add(&id, ISSUER, sizeof(ISSUER) - 1);
    der_octets(&id, 0x02, &serial, 1);
    wrap(&id, 0x30);
    buf_add(&info, id.data, id.len);
    put_algorithm(&info, OID_RSA, sizeof(OID_RSA) - 1);
    DER_TEXT(&info, 0x04, "key");
    wrap(&info, 0x30);
    buf_add(out, info.data, info.len);
    buf_free(&info);
    buf_free(&id);
}

static void content_info(struct buf *inner, const char *oid)
{
    struct buf out = {0};
    wrap(inner, 0xa0);
    der_octets(&out, 0x06, oid, 9);
    buf_add(&out, inner->data, inner->len);
    buf_free(inner);
    *inner = out;
    wrap(inner, 0x30);
}

static void enveloped(struct buf *out, const char *serials)
{
    struct buf data = {0}, infos = {0}, content = {0};
    for (; *serials != '\0'; serials++)
        put_recipient(&infos, *serials);
    wrap(&infos, 0x31);
    DER_TEXT(&data, 0x02, "\x00");
    buf_add(&data, infos.data, infos.len);
    DER_TEXT(&content, 0x06, OID_DATA);
    put_algorithm(&content, OID_AES, sizeof(OID_AES) - 1);
    DER_TEXT(&content, 0x80, "0123456789abcdef");
    wrap(&content, 0x30);
    buf_add(&data, content.data, content.len);
    wrap(&data, 0x30);
    content_info(&data, OID_ENVELOPED);
    buf_add(out, data.data, data.len);
    buf_free(&data);
    buf_free(&infos);
    buf_free(&content);
}

static void put_signer(struct buf *out)
{
    struct buf info = {0}, id = {0};
    DER_TEXT(&info, 0x02, "\x01");
    buf_add(&id, ISSUER, sizeof(ISSUER) - 1);
    DER_TEXT(&id, 0x02, "1");
    wrap(&id, 0x30);
    buf_add(&info, id.data, id.len);
    put_algorithm(&info, OID_SHA256, sizeof(OID_SHA256) - 1);
    put_algorithm(&info, OID_RSA, sizeof(OID_RSA) - 1);
    DER_TEXT(&info, 0x04, "signature");
    wrap(&info, 0x30);
    buf_add(out, info.data, info.len);
    buf_free(&info);
    buf_free(&id);
}

/* SignedData; `content` NULL: detached. */
static void signed_data(struct buf *out, const char *content, int signers)
{
    struct buf data = {0}, encap = {0}, infos = {0}, digests = {0};
    DER_TEXT(&data, 0x02, "\x01");
    put_algorithm(&digests, OID_SHA256, sizeof(OID_SHA256) - 1);
    wrap(&digests, 0x31);
    buf_add(&data, digests.data, digests.len);
    DER_TEXT(&encap, 0x06, OID_DATA);
    if (content != NULL) {
        struct buf octets = {0};
        der_octets(&octets, 0x04, content, strlen(content));
        wrap(&octets, 0xa0);
        buf_add(&encap, octets.data, octets.len);
        buf_free(&octets);
    }
    wrap(&encap, 0x30);
    buf_add(&data, encap.data, encap.len);
    while (signers-- > 0)
        put_signer(&infos);
    wrap(&infos, 0x31);
    buf_add(&data, infos.data, infos.len);
    wrap(&data, 0x30);
    content_info(&data, OID_SIGNED);
    buf_add(out, data.data, data.len);
    buf_free(&data);
    buf_free(&encap);
    buf_free(&infos);
    buf_free(&digests);
}

#define OUTER "From: a@x.example\nSubject: s\nMIME-Version: 1.0\n"
#define P7M                                                                                                  \
    "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n"                      \
    "Content-Transfer-Encoding: base64\n"
#define ENTITY "Content-Type: text/plain\n\nhello\n"

/* Runs the check over header + body (base64 of `object` where the body says %s). */
static const char *run(enum lastcheck_form form, const char *header, const char *body,
                       const struct buf *object)
{
    struct buf text = {0}, base64 = {0}, outer = {0};
    struct mime_limits limits = {.max_depth = 50, .max_parts = 1000};
    struct ask_entry entries[2];
    memset(entries, 0, sizeof(entries));
    struct select_candidate wanted[2] = {{.entry = &entries[0]}, {.entry = &entries[1]}};
    const struct select_candidate *recipients[2] = {&wanted[0], &wanted[1]};
    for (int i = 0; i < 2; i++) {
        buf_add(&wanted[i].verdict.issuer_der, ISSUER, sizeof(ISSUER) - 1);
        buf_add_char(&wanted[i].verdict.serial, (char)('1' + i));
        buf_add(&wanted[i].verdict.ski, i == 0 ? "ski1" : "ski2", 4);
    }
    base64_encode_buf(&base64, object->data, object->len);
    const char *mark = strstr(body, "%s");
    buf_add_text(&text, header);
    buf_add(&text, body, mark != NULL ? (size_t)(mark - body) : strlen(body));
    if (mark != NULL)
        buf_printf(&text, "%s%s", base64.data, mark + 2);
    buf_add_text(&outer, OUTER);
    int fd = core_file(text.data, text.len), entity_fd = core_file(ENTITY, sizeof(ENTITY) - 1);
    struct entity entity = {.pieces = {{entity_fd, 0, sizeof(ENTITY) - 1}}, .count = 1, .own_fd = -1};
    struct lastcheck check = {.form = form,
                              .fd = fd,
                              .outer = &outer,
                              .entity = &entity,
                              .recipients = recipients,
                              .recipient_count = 2,
                              .limits = &limits};
    const char *fault = lastcheck_run(&check);
    for (int i = 0; i < 2; i++)
        ask_verdict_free(&wanted[i].verdict);
    fdio_close(&fd);
    fdio_close(&entity_fd);
    buf_free(&text);
    buf_free(&base64);
    buf_free(&outer);
    return fault;
}

static void expect(size_t row, const char *fault, const char *wanted)
{
    if (wanted == NULL)
        ck_assert_msg(fault == NULL, "row %zu: %s", row, fault);
    else
        ck_assert_msg(fault != NULL && strcmp(fault, wanted) == 0, "row %zu: %s", row, fault);
}

START_TEST(encrypted)
{
    static const struct {
        const char *serials, *header, *body, *fault;
    } rows[] = {
        {"12", OUTER P7M, "\n%s\n", NULL},
        {"21", OUTER P7M, "\n%s\n", NULL},
        {"1", OUTER P7M, "\n%s\n", "one RecipientInfo too few"},
        {"123", OUTER P7M, "\n%s\n", "one RecipientInfo too many"},
        {"13", OUTER P7M, "\n%s\n", "a RecipientInfo for somebody else"},
        {"11", OUTER P7M, "\n%s\n", "a RecipientInfo for somebody else"},
        {"12", OUTER P7M, "\nhello, this is plain text\n", "the body is not a complete CMS object"},
        {"12", OUTER P7M, "\n%s\nhello\n", "something stands behind the CMS object"},
        {"12", OUTER P7M, "\n%s\n\nThe text: secret!\n", "something stands behind the CMS object"},
        {"12", OUTER P7M, "\n", "the body is not a complete CMS object"},
        {"12", OUTER "Content-Type: text/plain\n", "\n%s\n", "the message is not application/pkcs7-mime"},
        {"12", OUTER "Content-Type: application/pkcs7-mime\n", "\n%s\n", "the S/MIME part is not base64"},
        {"12", OUTER P7M "X-Body: hello\n", "\n%s\n", "a header field that was not meant to be there"},
        {"12", OUTER P7M "Content-Description: x\nContent-Description: y\n", "\n%s\n",
         "a header field twice"},
        {"12", OUTER "Subject: other\n" P7M, "\n%s\n", "a header field that was not meant to be there"},
        {"12", "From: b@x.example\n" P7M, "\n%s\n", "the header is not the one that was meant"},
        {"12", P7M, "\n%s\n", "the header is not the one that was meant"},
        {"12", OUTER, "\n%s\n", "the message is not application/pkcs7-mime"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf object = {0};
        enveloped(&object, rows[i].serials);
        expect(i, run(LASTCHECK_ENCRYPTED, rows[i].header, rows[i].body, &object), rows[i].fault);
        buf_free(&object);
    }
}
END_TEST

START_TEST(wrong_objects)
{
    struct buf object = {0};
    signed_data(&object, ENTITY, 1); /* SignedData under an encrypted label */
    expect(0, run(LASTCHECK_ENCRYPTED, OUTER P7M, "\n%s\n", &object), "the CMS object is not encrypted");
    buf_clear(&object);
    enveloped(&object, "12");
    object.len -= 3; /* cut off */
    expect(1, run(LASTCHECK_ENCRYPTED, OUTER P7M, "\n%s\n", &object),
           "the body is not a complete CMS object");
    buf_clear(&object);
    enveloped(&object, "12");
    buf_add_text(&object, "secret");
    expect(2, run(LASTCHECK_ENCRYPTED, OUTER P7M, "\n%s\n", &object),
           "something stands behind the CMS object");
    buf_clear(&object);
    enveloped(&object, "12"); /* encrypted, but to be signed only */
    expect(3, run(LASTCHECK_OPAQUE, OUTER P7M, "\n%s\n", &object),
           "the body is not SignedData with a content and one signer");
    buf_free(&object);
}
END_TEST

START_TEST(opaque)
{
    static const struct {
        const char *content;
        int signers;
        const char *fault;
    } rows[] = {
        {"Content-Type: text/plain\r\n\r\nhello\r\n", 1, NULL},
        {"Content-Type: text/plain\r\n\r\nhallo\r\n", 1,
         "the signed content is not what was given to be signed"},
        {"Content-Type: text/plain\n\nhello\n", 1, "the signed content is not what was given to be signed"},
        {NULL, 1, "the body is not SignedData with a content and one signer"},
        {"Content-Type: text/plain\r\n\r\nhello\r\n", 0,
         "the body is not SignedData with a content and one signer"},
        {"Content-Type: text/plain\r\n\r\nhello\r\n", 2,
         "the body is not SignedData with a content and one signer"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf object = {0};
        signed_data(&object, rows[i].content, rows[i].signers);
        expect(i, run(LASTCHECK_OPAQUE, OUTER P7M, "\n%s\n", &object), rows[i].fault);
        buf_free(&object);
    }
}
END_TEST

#define SIGNED                                                                                               \
    "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b\n"
#define SECOND                                                                                               \
    "--b\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\n%s\n--b--\n"

START_TEST(clear)
{
    static const struct {
        const char *header, *body, *content, *fault;
    } rows[] = {
        {OUTER SIGNED, "\n--b\n" ENTITY "\n" SECOND, NULL, NULL},
        {OUTER SIGNED, "\n--b\nContent-Type: text/plain\n\nhallo\n\n" SECOND, NULL,
         "the signed part is not what was given to be signed"},
        {OUTER SIGNED, "\n--b\n" ENTITY "x\n" SECOND, NULL,
         "the signed part is not what was given to be signed"},
        {OUTER SIGNED, "\nsecret\n--b\n" ENTITY "\n" SECOND, NULL,
         "multipart/signed does not consist of exactly two parts"},
        {OUTER SIGNED, "\n--b\n" ENTITY "\n" SECOND "secret\n", NULL,
         "multipart/signed does not consist of exactly two parts"},
        {OUTER SIGNED, "\n--b\n" ENTITY "\n--b\n\nx\n" SECOND, NULL,
         "multipart/signed does not consist of exactly two parts"},
        {OUTER SIGNED, "\n--b\n" ENTITY "\n" SECOND, ENTITY, "the detached signature has a content"},
        {OUTER "Content-Type: multipart/mixed; boundary=b\n", "\n--b\n" ENTITY "\n" SECOND, NULL,
         "the message is not multipart/signed"},
        {OUTER "Content-Type: multipart/signed; boundary=b\n", "\n--b\n" ENTITY "\n" SECOND, NULL,
         "the message is not multipart/signed"},
        {OUTER SIGNED "To: c@y.example\n", "\n--b\n" ENTITY "\n" SECOND, NULL,
         "a header field that was not meant to be there"},
        {OUTER SIGNED, "\n--b\n" ENTITY "\n--b\nContent-Type: text/plain\n\n%s\n--b--\n", NULL,
         "the second part is not application/pkcs7-signature"},
        {OUTER SIGNED,
         "\n--b\n" ENTITY "\n--b\nContent-Type: application/pkcs7-signature\nX: "
         "secret\nContent-Transfer-Encoding: base64\n\n%s\n--b--\n",
         NULL, "a header field that was not meant to be there"},
        {OUTER SIGNED,
         "\n--b\n" ENTITY "\n--b\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: "
         "base64\n\nnothing\n--b--\n",
         NULL, "the body is not a complete CMS object"},
        {OUTER "Content-Type: text/plain\n", "\nhello\n", NULL, "the message is not multipart/signed"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf object = {0};
        signed_data(&object, rows[i].content, 1);
        expect(i, run(LASTCHECK_CLEAR, rows[i].header, rows[i].body, &object), rows[i].fault);
        buf_free(&object);
    }
}
END_TEST

/* Whoever writes the outer header, the entity's author included: what must be hidden must not be in it. */
START_TEST(hidden)
{
    static const char original[] = "From: Anna <a@x.example>\nTo: \"B, B\" <b@y.example>, c@y.example\n"
                                   "Subject: =?utf-8?q?K=C3=BCndigung_Meier?=\nKeywords: k\n"
                                   "Date: Sat, 20 Feb 2021 10:12:02 -0500\n";
    static const char subject[] = "the Subject, which must be hidden, stands outside";
    static const char repeats[] = "a header field outside says what the hidden Subject says";
    static const char name[] = "a name stands outside that must be hidden";
    static const struct {
        enum config_protection protection;
        const char *outer, *fault;
    } rows[] = {
        {CONFIG_PROTECTION_CLEAR, original, NULL},
        {CONFIG_PROTECTION_BASELINE, "From: Anna <a@x.example>\nSubject: [...]\nX-A: b\n", NULL},
        {CONFIG_PROTECTION_BASELINE, "From: a@x.example\n", NULL},
        {CONFIG_PROTECTION_BASELINE, "Subject: =?utf-8?q?K=C3=BCndigung_Meier?=\n", subject},
        {CONFIG_PROTECTION_BASELINE, "Subject: [...]\nSubject: [...] Meier\n", subject},
        {CONFIG_PROTECTION_BASELINE, "SUBJECT : x\n", subject},
        {CONFIG_PROTECTION_BASELINE, "X-Spam-Prev-Subject: K\303\274ndigung\n Meier\n", repeats},
        {CONFIG_PROTECTION_BASELINE, "X-Report: about \"=?iso-8859-1?q?K=FCndigung?=  Meier\"\n", repeats},
        {CONFIG_PROTECTION_BASELINE, "From: =?utf-8?q?K=C3=BCndigung_Meier?= <a@x.example>\n", NULL},
        {CONFIG_PROTECTION_BASELINE, "Keywords: other\n",
         "a header field stands outside that must be hidden"},
        {CONFIG_PROTECTION_BASELINE, "thread-topic: other\n",
         "a header field stands outside that must be hidden"},
        {CONFIG_PROTECTION_SHY,
         "From: a@x.example\nTo: b@y.example,\n c@y.example\nSubject: [...]\n"
         "Date: Sat, 20 Feb 2021 15:12:02 +0000\n",
         NULL},
        {CONFIG_PROTECTION_SHY, "From: Anna <a@x.example>\n", name},
        {CONFIG_PROTECTION_SHY, "From: a@x.example\nCc: d@x.example (Dora)\n", name},
        {CONFIG_PROTECTION_SHY, "Reply-To: \"Anna\" <a@x.example>\n", name},
        {CONFIG_PROTECTION_SHY, "Date: Sat, 20 Feb 2021 10:12:02 -0500\n",
         "a time zone stands outside that must be hidden"},
    };
    struct header before, after;
    header_parse(&before, original, strlen(original));
    for (size_t i = 0; i < ROWS(rows); i++) {
        header_parse(&after, rows[i].outer, strlen(rows[i].outer));
        expect(i, lastcheck_hidden(&after, &before, rows[i].protection), rows[i].fault);
        header_free(&after);
    }
    header_free(&before);
}
END_TEST

UNIT_MAIN("core-lastcheck", hidden, encrypted, wrong_objects, opaque, clear)
