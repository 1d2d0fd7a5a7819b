#include "util/base64.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/mem.h"

START_TEST(known_values)
{
    static const struct {
        const char *plain, *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xff\xef\xbe", "/+++"}};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf encoded = {0}, decoded = {0};

        base64_encode_buf(&encoded, rows[i].plain, strlen(rows[i].plain));
        ck_assert_msg(strcmp(buf_text(&encoded), rows[i].text) == 0, "row %zu: %s", i, buf_text(&encoded));
        ck_assert_msg(base64_decode_buf(&decoded, rows[i].text), "row %zu", i);
        ck_assert_msg(strcmp(buf_text(&decoded), rows[i].plain) == 0, "row %zu", i);
        buf_free(&encoded);
        buf_free(&decoded);
    }
}
END_TEST

START_TEST(strict_decoding)
{
    static const struct {
        const char *text;
        bool right;
    } rows[] = {{" Zm9v\r\n\tYmFy \n", true},
                {"Z m 9 v", true},
                {"Zg", false},
                {"Zg=", false},
                {"Zg===", false},
                {"Z", false},
                {"Z===", false},
                {"=", false},
                {"====", false},
                {"Zm9v=", false},
                {"Zg==Zg==", false},
                {"Zh==", false},
                {"Zm9=", false},
                {"Zm9v!", false},
                {"Zm9v\x80", false},
                {"Zg= =", true},
                {"Zm_v", false}};

    for (size_t i = 0; i < ROWS(rows); i++) {
        char *copy = mem_strdup(rows[i].text);
        struct buf decoded = {0};

        ck_assert_msg(base64_decode_buf(&decoded, copy) == rows[i].right, "row %zu", i);
        ck_assert_msg(rows[i].right || decoded.len == 0, "row %zu leaves octets", i);
        buf_free(&decoded);
        free(copy);
    }
}
END_TEST

static void fill(unsigned char *data, size_t len)
{
    unsigned int x = 12345;

    for (size_t i = 0; i < len; i++) {
        x = x * 1103515245u + 12345u;
        data[i] = (unsigned char)(x >> 16);
    }
}

/* Encodes and decodes `len` octets in pieces of `step`; every line must have 76 characters but the last. */
static void round_trip(const unsigned char *data, size_t len, size_t step, const char *eol)
{
    struct base64_encoder e = {.eol = eol};
    struct base64_decoder d = {0};
    char *text = mem_alloc(BASE64_ENCODE_MAX(len) + 8);
    unsigned char *back = mem_alloc(BASE64_ENCODE_MAX(len) + 8);
    size_t text_len = 0, back_len = 0, eol_len = strlen(eol);

    for (size_t at = 0; at < len; at += step)
        text_len += base64_encode_update(&e, data + at, len - at < step ? len - at : step, text + text_len);
    text_len += base64_encode_final(&e, text + text_len);
    ck_assert_uint_le(text_len, BASE64_ENCODE_MAX(len));
    for (size_t at = 0; at < text_len; at += 76 + eol_len)
        ck_assert(text_len - at <= 76 + eol_len || memcmp(text + at + 76, eol, eol_len) == 0);
    ck_assert(len == 0 || memcmp(text + text_len - eol_len, eol, eol_len) == 0);
    for (size_t at = 0; at < text_len; at += step)
        back_len +=
            base64_decode_update(&d, text + at, text_len - at < step ? text_len - at : step, back + back_len);
    ck_assert_uint_eq(back_len, len);
    ck_assert(memcmp(back, data, len) == 0);
    ck_assert_uint_eq(d.strange, 0);
    ck_assert(!d.after_pad);
    free(text);
    free(back);
}

START_TEST(pieces)
{
    static const size_t lengths[] = {0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 1000};
    static const size_t steps[] = {1, 2, 3, 4, 5, 7, 57, 64, 76, 100000};
    unsigned char data[1000];

    fill(data, sizeof(data));
    for (size_t i = 0; i < ROWS(lengths); i++)
        for (size_t j = 0; j < ROWS(steps); j++) {
            round_trip(data, lengths[i], steps[j], "\n");
            round_trip(data, lengths[i], steps[j], "\r\n");
        }
}
END_TEST

START_TEST(odd_bodies)
{
    static const struct {
        const char *text, *plain;
        size_t strange;
        bool after_pad;
    } rows[] = {
        {"Zm9v\nYmFy\n", "foobar", 0, false},
        {"Zm9vYm", "foob", 0, false}, /* cut off: what is there comes out */
        {"Zm9vYmE", "fooba", 0, false},
        {"Zm9vY", "foo", 0, false},
        {"Zm9v!Ym#Fy", "foobar", 2, false},
        {"Zg==\nZm9v", "f", 0, true},
        {"Zg==\n--footer", "f", 2, true},
        {"Z\ng\n=\n=\n", "f", 0, false},
        {"\x80\xff", "", 2, false},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        size_t len = strlen(rows[i].text), n;
        char *copy = mem_alloc(len);
        unsigned char *out = mem_alloc(len);
        struct base64_decoder d = {0};

        memcpy(copy, rows[i].text, len);
        n = base64_decode_update(&d, copy, len, out);
        ck_assert_msg(n == strlen(rows[i].plain) && memcmp(out, rows[i].plain, n) == 0, "row %zu", i);
        ck_assert_msg(d.strange == rows[i].strange, "row %zu: %zu strange", i, d.strange);
        ck_assert_msg(d.after_pad == rows[i].after_pad, "row %zu", i);
        free(copy);
        free(out);
    }
}
END_TEST

START_TEST(hexadecimal)
{
    static const char *const wrong[] = {"0", "0g", "g0", "00 11", "0x00", "123"};
    struct buf text = {0}, back = {0};

    hex_encode_buf(&text, "\x00\x7f\xff", 3);
    ck_assert_str_eq(buf_text(&text), "007fff");
    ck_assert(hex_decode_buf(&back, "007Fff"));
    ck_assert_uint_eq(back.len, 3);
    ck_assert(memcmp(back.data, "\x00\x7f\xff", 3) == 0);
    for (size_t i = 0; i < ROWS(wrong); i++)
        ck_assert_msg(!hex_decode_buf(&back, wrong[i]), "row %zu", i);
    ck_assert_uint_eq(back.len, 3);
    buf_free(&text);
    buf_free(&back);
}
END_TEST

UNIT_MAIN("base64", known_values, strict_decoding, pieces, odd_bodies, hexadecimal)
