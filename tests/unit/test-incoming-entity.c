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
    {MIXED "--b\n\none\n--b--\nbehind J\303\274rgen", true},
    {MIXED "--b\n\none\n--b--\nbehind \001", false},
    {MIXED "--b\n\none\n--b--\nbehind J\374rgen", false},
    {MIXED "--b\n\none\n--b--\nbehind\n--b\n\ntwo\n", false},
    {MIXED "in front \001\n--b\n\none\n--b--\n", false},
    {MIXED "in front J\374rgen\n--b\n\none\n--b--\n", false},
    {MIXED "--b\n\none\n", false},
    {MIXED "no part", false},
    {MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--b--\n", false},
    {MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c--\n--b--\n", true},
    {MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c--\nx\n--b--\n", true},
    {MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c--\n\001\n--b--\n", false},
    /* a broken message may be attached */
    {MIXED
     "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b--\n",
     true},
    {"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\nx", true},
    {"Content-Type: message/rfc822\n\nno field\nContent-Type: text/plain\nContent-Type: text/html\n\nx",
     true},
    /* header sections of parts */
    {MIXED "--b\nno field\n\none\n--b--\n", false},
    {MIXED "--b\nContent-Type: text/plain\n--b--\n", true},
    {"Content-Type: text/html\nContent-Type: text/plain\n\nx", false},
    {"Content-Type: text/html\nX-A: b\nContent-Type : text/plain\n\nx", false},
    {MIXED "--b\nContent-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: base64\n\none\n--b--\n", false},
    {"Content-Type: text/plain\nX-A: \001b\n\nx", false},
    {"Content-Type: text/plain\nX-A: b\rc\n\nx", false},
    {MIXED "--b\nX-A: \177\n\none\n--b--\n", false},
    {"Content-Type: text/plain\nX-A: J\374rgen\n\nx", true},
    {"Content-Type: text/plain\nX-A: J\303\274rgen\n\nx", true},
    {"Content-Type: text/plain\nX-A: J\374rgen \235\n\nx", false},
    {"Content-Type: application/pdf; name=\"\334bung.pdf\"\n\nx", true},
    {"Content-Type: (J\374rgen) text/html\n\nx", false},
    {"Content-Type: text/plain; name=\"\303\234bung.txt\"\n\nx", true},
    {"Content-Type: multipart/mixed; boundary=b; x=\"\374\"\n\n--b\n\none\n--b--\n", false},
    /* text */
    {"Content-Type: text/plain\n\nJ\374rgen", true},
    {"Content-Type: text/plain\n\nJ\303\274rgen", true},
    {"Content-Type: text/plain\n\nJ\374rgen \201", false},
    {"Content-Type: text/plain\n\n1 \200 for tea", true},
    {"X-A: b\n\n1 \200 for tea", true},
    {"Content-Type: text/plain\n\n\316\261\316\235", true},
    {"Content-Type: text/plain; charset=utf-8\n\nJ\374rgen", false},
    {"Content-Type: text/plain; charset=UTF-8\n\nJ\303\274rgen", true},
    {"Content-Type: text/plain; charset=utf-8\n\nJ\303", false},
    {"Content-Type: text/plain; charset=us-ascii\n\nJ\374rgen", false},
    {"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nJ\374rgen", true},
    {"Content-Type: text/plain; charset=iso-8859-1\n\nJ\374rgen \217", false},
    {"Content-Type: text/plain; charset=koi8-r\n\n\217\220\235\360", true},
    {"Content-Type: text/plain; charset=koi8-r\n\n\360\002", false},
    {"Content-Type: text/plain; charset=iso-2022-jp\n\n\033$B$\"\033(B", true},
    {"Content-Type: text/plain\n\na\tb\fc\vd\re\r\nf", true},
    {"Content-Type: text/plain\n\na\010b", false},
    {"Content-Type: text/html\n\n<p>\177", false},
    {"Content-Type: image/svg+xml\n\n<svg>\001", false},
    {"Content-Type: application/xhtml+xml; charset=utf-8\n\n\374", false},
    {"Content-Type: application/octet-stream\n\n\001\002\377", true},
    {MIXED "--b\n\none\n--b\nContent-Type: text/html\n\n\001\n--b--\n", false},
    {MIXED "--b\n\none\n--b\nContent-Type: message/rfc822\n\nX-A: \001\n\none\001\n--b--\n", false},
    {MIXED "--b\n\none\n--b\nContent-Type: message/rfc822\n\nX-A: \001\n\none\n--b--\n", true},
    {MIXED "--b\nContent-Type: message/rfc822\n\nContent-Type: text/plain; charset=utf-8\n\nJ\374rgen\n--b\n"
           "Content-Type: text/plain; charset=utf-8\n\none\n--b--\n",
     true},
    {MIXED "--b\nContent-Type: message/rfc822\n\nX-A: b\n\none\n--b\n"
           "Content-Type: text/plain; charset=utf-8\n\nJ\374rgen\n--b--\n",
     false},
    /* transfer encodings */
    {"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\nPGI+ =\n\n", true},
    {"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\nPG-+", false},
    {"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\nPG\374+", false},
    {"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nPG-+", true},
    {"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nPG\374+", false},
    {"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>=3d = x", true},
    {"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>\303\274", false},
    {"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>\001", false},
};

START_TEST(test_intact)
{
    for (size_t i = 0; i < ROWS(entities); i++) {
        size_t len = strlen(entities[i].text);
        int fd = input_file(entities[i].text, len);
        struct mime mime;

        ck_assert_int_eq(mime_parse(&mime, fd, 0, len, NULL), 0);
        ck_assert_msg(intact_entity(fd, &mime) == entities[i].intact, "row %zu", i);
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
    ck_assert_int_eq(intact_entity(fd, &mime), 0);
    mime_free(&mime);
    close(fd);
}
END_TEST

/* Characters of UTF-8 are whole wherever the pieces end that are read. */
START_TEST(test_intact_far)
{
    static const char front[] = "Content-Type: text/plain; charset=utf-8\n\n", euro[] = "\342\202\254";
    size_t front_len = sizeof(front) - 1, room = front_len + 50100;
    char *text = mem_alloc(room);
    struct mime mime;

    for (size_t shift = 0; shift < 3; shift++)
        for (int good = 0; good < 2; good++) {
            size_t len = front_len + shift;
            int fd;

            memcpy(text, front, front_len);
            memset(text + front_len, 'x', shift);
            for (; len + 3 <= 50000; len += 3)
                memcpy(text + len, euro, 3);
            if (!good)
                text[len - 20000] = 'x'; /* in the middle of a character, or in its place */
            if (!good)
                text[len - 19999] = 'x';
            fd = input_file(text, len);
            ck_assert_int_eq(mime_parse(&mime, fd, 0, len, NULL), 0);
            ck_assert_int_eq(intact_entity(fd, &mime), good);
            mime_free(&mime);
            close(fd);
        }
    free(text);
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
    {"", 1},
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

#define SIGNED_TYPE "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b"
#define SIGNED_BODY "--b\n\ntext\n--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--\n"

/* What readers may understand differently is not signed (published spoofing attacks). */
static const struct {
    const char *message;
    enum layer_kind kind;
} looks[] = {
    {SIGNED_TYPE "\n\n" SIGNED_BODY, LAYER_SIGNED},
    {SIGNED_TYPE "\n\npreamble\n" SIGNED_BODY "epilogue\n", LAYER_SIGNED},
    {SIGNED_TYPE "; micalg=sha-256\n\n" SIGNED_BODY "-- \nfooter\n", LAYER_SIGNED},
    {SIGNED_TYPE "; boundary=c\n\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\nContent-Type: text/html\n\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n--bb\n\nevil\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n" SIGNED_BODY "--b\n\nevil\n--b--\n", LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n" SIGNED_BODY "--b-evil\n", LAYER_DISPUTED},
    /* the boundary somewhere else */
    {SIGNED_TYPE "\n\npreamble --b\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\n\npreamble\r--B\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n---b\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n" SIGNED_BODY "epilogue --b", LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n--b\n\ntext--b\n--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--\n",
     LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n--b\n\n--bc\n--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--\n",
     LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n--b \n\ntext\n--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--\n",
     LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n--b\n\ntext\n--b\t\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--\n",
     LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n--b\n\ntext\n--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b-- \n",
     LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n--b\n\ntext\n--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--",
     LAYER_SIGNED},
    {SIGNED_TYPE "\n\n--b\n\ntext\n--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n", LAYER_SIGNED},
    {"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\n\r\n"
     "text\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nMIIB\r\n--b--\r\n",
     LAYER_SIGNED},
    /* the same boundary for the parts of what was signed */
    {SIGNED_TYPE "\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b--\n"
                 "--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--\n",
     LAYER_DISPUTED},
    /* a preamble that looks like a part */
    {SIGNED_TYPE "\n\nContent-Type: text/plain\n\nevil\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\n\nThis is a signed message: yes.\n" SIGNED_BODY, LAYER_SIGNED},
    /* header sections that end somewhere else for others, or are none */
    {"X-A: b\nevil text\n" SIGNED_TYPE "\n\n" SIGNED_BODY, LAYER_DISPUTED},
    {"X-A: b\r\revil text\n" SIGNED_TYPE "\n\n" SIGNED_BODY, LAYER_DISPUTED},
    {" folded first\n" SIGNED_TYPE "\n\n" SIGNED_BODY, LAYER_DISPUTED},
    {"X-A: b\r\n" SIGNED_TYPE "\n\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\n\r\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\nContent-Transfer-Encoding: 8bit\n\n" SIGNED_BODY, LAYER_SIGNED},
    {SIGNED_TYPE "\nContent-Transfer-Encoding: base64\n\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\nContent-Transfer-Encoding: x\n\n" SIGNED_BODY, LAYER_DISPUTED},
    {SIGNED_TYPE "\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 7bit\n\n" SIGNED_BODY,
     LAYER_DISPUTED},
    {SIGNED_TYPE "\n\n--b\n\ntext\n--b\nevil\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--\n",
     LAYER_DISPUTED},
    {SIGNED_TYPE
     "\n\n--b\n\ntext\n--b\nContent-Type: application/pkcs7-signature\nContent-Type: text/html\n\n"
     "MIIB\n--b--\n",
     LAYER_DISPUTED},
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

/* The boundary is found wherever it falls among the pieces that are read. */
START_TEST(test_look_far)
{
    static const char front[] = SIGNED_TYPE "\n\n--b\n\n", hidden[] = "x--B";
    static const char back[] = "\n--b\nContent-Type: application/pkcs7-signature\n\nMIIB\n--b--\n";
    size_t room = 140000, front_len = sizeof(front) - 1, back_len = sizeof(back) - 1;
    char *text = mem_alloc(room);
    struct layer_look look;
    struct mime mime;

    for (size_t filler = 65490; filler < 65560; filler++)
        for (int evil = 0; evil < 2; evil++) {
            size_t len = front_len;
            int fd;

            memcpy(text, front, front_len);
            memset(text + len, '-', filler);
            len += filler;
            memcpy(text + len, hidden, evil ? 4 : 1);
            len += evil ? 4 : 1;
            memset(text + len, 'y', 60000);
            len += 60000;
            memcpy(text + len, back, back_len);
            len += back_len;
            fd = input_file(text, len);
            ck_assert_int_eq(mime_parse(&mime, fd, 0, len, NULL), 0);
            ck_assert_int_eq(layer_look(&look, fd, &mime), 0);
            ck_assert_msg(look.kind == (evil ? LAYER_DISPUTED : LAYER_SIGNED), "filler %zu, %d", filler,
                          evil);
            layer_look_free(&look);
            mime_free(&mime);
            close(fd);
        }
    free(text);
}
END_TEST

UNIT_MAIN("incoming-entity", test_intact, test_intact_nul, test_intact_far, test_text, test_long_text,
          test_keyright, test_look, test_look_far)
