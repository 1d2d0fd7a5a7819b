#include "unit.h"

#include <string.h>

#include "incoming/intact.h"
#include "incoming/keyright.h"
#include "incoming/layer.h"
#include "mail_input.h"
#include "util/mem.h"

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct {
    const char *text;
    bool intact;
} entities[] = {
    {"Content-Type: text/plain\n\nbody", true},
    {"Content-Type: text/plain\r\n\r\nbody", true},
    {"Content-Type: text/plain\n\n", true},
    {"", false},
    {"\nbody", false},
    {"body only\n", false},
    {"body only\n\nmore", false},
    {"Content-Type: text/plain", false},
    {"Content-Type: text/plain\nbody without a line between\n\nx", false},
    {"\021\377 random block\nContent-Type: text/plain\n\nbody", false},
    {"Content-Type: text/plain\n folded\nX-A: b\n\nbody", true},
    {MIXED "--b\n\none\n--b--\n", true},
    {MIXED "preamble\n--b\n\none\n--b--\n\n", true},
    {MIXED "--b\n\none\n--b--\nbehind", false},
    {MIXED "--b\n\none\n", false},
    {MIXED "no part", false},
    {MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--b--\n", false},
    {MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c--\n--b--\n", true},
    {MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c--\nx\n--b--\n", false},
    /* a broken message may be attached */
    {MIXED
     "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b--\n",
     true},
    {"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\nx", true},
};

START_TEST(test_intact)
{
    for (size_t i = 0; i < ROWS(entities); i++) {
        size_t len = strlen(entities[i].text);
        int fd = input_file(entities[i].text, len);
        struct mime mime;

        ck_assert_int_eq(mime_parse(&mime, fd, 0, len, NULL), 0);
        ck_assert_msg(intact_entity(&mime) == entities[i].intact, "row %zu", i);
        mime_free(&mime);
        close(fd);
    }
}
END_TEST

START_TEST(test_intact_nul)
{
    static const char text[] = "Content-Type: te\0xt\n\nbody";
    int fd = input_file(text, sizeof(text) - 1);
    struct mime mime;

    ck_assert_int_eq(mime_parse(&mime, fd, 0, sizeof(text) - 1, NULL), 0);
    ck_assert(!intact_entity(&mime));
    mime_free(&mime);
    close(fd);
}
END_TEST

static const struct {
    const char *text;
    int is_text;
} texts[] = {
    {"body only\n", 1},
    {"a", 1},
    {"\nbody", 1},
    {"Note: with a colon\n\nbody", 1},
    {"tab\t, form feed\f, \303\274, \342\202\254, \360\237\224\222\r\n", 1},
    {"", 0},
    {"\033[2J", 0},
    {"del\177", 0},
    {"\303", 0},
    {"\360\237\224", 0},
    {"x\303\nmore than four octets", 0},
    {"\300\200 overlong", 0},
    {"\021\377 random block\nContent-Type: text/plain\n\nbody", 0},
    {"Content-Type: text/plain\nno line between\n", 0},
    {"text\ncontent-type: text/html\n\n<b>x</b>", 0},
    {"text\nMIME-Version: 1.0\n\nx", 0},
    {"text\n\nContent-Type: text/html\n\nno header any more", 1},
};

START_TEST(test_text)
{
    for (size_t i = 0; i < ROWS(texts); i++) {
        size_t len = strlen(texts[i].text);
        int fd = input_file(texts[i].text, len);
        struct mime mime;

        ck_assert_int_eq(mime_parse(&mime, fd, 0, len, NULL), 0);
        ck_assert_msg(intact_text(&mime, fd, 0, len) == texts[i].is_text, "row %zu", i);
        mime_free(&mime);
        close(fd);
    }
}
END_TEST

/* Characters lie across the borders of what is read at once, and a stray octet is found wherever it is. */
START_TEST(test_long_text)
{
    static char text[200001]; /* four chunks */

    for (size_t shift = 0; shift < 4; shift++)
        for (size_t broken = 0; broken < sizeof(text); broken += 21845) {
            struct mime mime;
            int fd;

            memset(text, 'x', sizeof(text));
            for (size_t i = shift; i + 4 < sizeof(text); i += 4)
                memcpy(text + i, "\360\237\224\222", 4);
            text[broken] = broken > 0 ? '\001' : text[broken];
            fd = input_file(text, sizeof(text));
            ck_assert_int_eq(mime_parse(&mime, fd, 0, sizeof(text), NULL), 0);
            ck_assert_int_eq(intact_text(&mime, fd, 0, sizeof(text)), broken == 0);
            mime_free(&mime);
            close(fd);
        }
}
END_TEST

static const struct {
    const char *key, *address;
    bool marked;
    const char *recipient;
    bool allowed;
} rights[] = {
    {"k", "bob@in.example", false, "bob@in.example", true},
    {"k", "Bob@IN.example", false, "bob@in.example", true},
    {NULL, "bob@in.example", false, "bob@in.example", false},
    {"k", "bob@in.example", false, "carol@in.example", false},
    {"k", "bob@in.example", true, "carol@in.example", true},
    {"k", "bob@in.example", true, "carol@other.example", false},
    {"k", "bob@in.example", true, "carol@sub.in.example", false},
    {"k", "mail@in.example", false, "carol@in.example", true}, /* GATEWAY_KEY */
    {"k", "mail@in.example", false, "carol@other.example", false},
    {"k", NULL, true, "carol@other.example", true},
    {"k", NULL, false, "carol@other.example", false},
    {"k", "mail@b\303\274ro.example", true, "x@xn--bro-hoa.example", true},
    {"k", "in.example", true, "carol@in.example", false},
};

START_TEST(test_keyright)
{
    struct config config = {0};

    strlist_add(&config.gateway_key, "MAIL@in.example");
    for (size_t i = 0; i < ROWS(rights); i++) {
        struct ask_entry entry = {.key = mem_strdup(rights[i].key), .gateway = rights[i].marked};

        if (rights[i].address != NULL)
            strlist_add(&entry.addresses, rights[i].address);
        ck_assert_msg(keyright_allows(&config, &entry, rights[i].recipient) == rights[i].allowed, "row %zu",
                      i);
        strlist_free(&entry.addresses);
        free(entry.key);
    }
    strlist_free(&config.gateway_key);
}
END_TEST

#define SIGNED_TYPE "Content-Type: multipart/signed; protocol=application/pkcs7-signature; boundary=b"
#define SIGNED_BODY "--b\n\ntext\n--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--\n"

/* What readers may understand differently is not signed (published spoofing attacks). */
static const struct {
    const char *message;
    enum layer_kind kind;
} looks[] = {
    {SIGNED_TYPE "\n\n" SIGNED_BODY, LAYER_SIGNED},
    {SIGNED_TYPE "\n\npreamble\n" SIGNED_BODY "epilogue\n", LAYER_SIGNED},
    {SIGNED_TYPE "; micalg=sha-256\n\n" SIGNED_BODY "-- \nfooter\n", LAYER_SIGNED},
    {SIGNED_TYPE "; boundary=c\n\n" SIGNED_BODY, LAYER_NONE},
    {SIGNED_TYPE "\nContent-Type: text/html\n\n" SIGNED_BODY, LAYER_NONE},
    {SIGNED_TYPE "\n\n--bb\n\nevil\n" SIGNED_BODY, LAYER_NONE},
    {SIGNED_TYPE "\n\n" SIGNED_BODY "--b\n\nevil\n--b--\n", LAYER_NONE},
    {SIGNED_TYPE "\n\n" SIGNED_BODY "--b-evil\n", LAYER_NONE},
    {"Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nnothing", LAYER_SIGNED},
    {"Content-Type: application/pkcs7-mime; smime-type=signed-data\nContent-Type: text/html\n\nnothing",
     LAYER_NONE},
    {"Content-Type: application/pkcs7-mime; smime-type=compressed-data\n\nnothing", LAYER_COMPRESSED},
    {"Content-Type: application/pkcs7-mime; smime-type=certs-only\n\nnothing", LAYER_NONE},
    {"Content-Type: application/pkcs7-mime\n\nnothing", LAYER_ENCRYPTED},
    {"Content-Type: text/plain\n\nnothing", LAYER_NONE},
};

START_TEST(test_look)
{
    for (size_t i = 0; i < ROWS(looks); i++) {
        size_t len = strlen(looks[i].message);
        int fd = input_file(looks[i].message, len);
        struct layer_look look;
        struct mime mime;

        ck_assert_int_eq(mime_parse(&mime, fd, 0, len, NULL), 0);
        ck_assert_int_eq(layer_look(&look, fd, &mime), 0);
        ck_assert_msg(look.kind == looks[i].kind, "row %zu: %d", i, look.kind);
        layer_look_free(&look);
        mime_free(&mime);
        close(fd);
    }
}
END_TEST

UNIT_MAIN("incoming-entity", test_intact, test_intact_nul, test_text, test_long_text, test_keyright,
          test_look)
