#include "util/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define LINE_OCTETS 57 /* 76 characters */
#define LINE_CHARS  76
#define INVALID     0x01000000u /* above the 24 bits that a group of four yields */

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Whole groups go through tables: 12 bits to two characters, and each of four characters to its place in 24
   bits. They are made when first used, which costs less than 10 microseconds. */
static char pairs[4096][2];
static uint32_t places[4][256];
static bool tables_ready;

static void make_tables(void)
{
    if (tables_ready)
        return;
    for (unsigned int i = 0; i < 4096; i++) {
        pairs[i][0] = alphabet[i >> 6];
        pairs[i][1] = alphabet[i & 63];
    }
    for (unsigned int i = 0; i < 4; i++)
        for (unsigned int c = 0; c < 256; c++)
            places[i][c] = INVALID;
    for (uint32_t value = 0; value < 64; value++)
        for (unsigned int i = 0; i < 4; i++)
            places[i][(unsigned char)alphabet[value]] = value << (18 - 6 * i);
    tables_ready = true;
}

static char *encode_groups(char *out, const unsigned char *in, size_t groups)
{
    for (; groups > 0; groups--, in += 3, out += 4) {
        memcpy(out, pairs[in[0] << 4 | in[1] >> 4], 2);
        memcpy(out + 2, pairs[(in[1] & 15) << 8 | in[2]], 2);
    }
    return out;
}

/* One or two octets and their padding. */
static char *encode_rest(char *out, const unsigned char *in, size_t len)
{
    unsigned char group[3] = {0};

    memcpy(group, in, len);
    out = encode_groups(out, group, 1);
    if (len == 1)
        out[-2] = '=';
    out[-1] = '=';
    return out;
}

static char *end_line(struct base64_encoder *e, char *out)
{
    e->column = 0;
    return stpcpy(out, e->eol);
}

/* Completes the group that an earlier call began. */
static char *encode_held(struct base64_encoder *e, const unsigned char **in, size_t *len, char *out)
{
    while (e->held < 3 && *len > 0) {
        e->hold[e->held++] = *(*in)++;
        (*len)--;
    }
    if (e->held < 3)
        return out;
    e->held = 0;
    e->column += 4;
    out = encode_groups(out, e->hold, 1);
    return e->column == LINE_CHARS ? end_line(e, out) : out;
}

size_t base64_encode_update(struct base64_encoder *e, const void *data, size_t len, char *out)
{
    const unsigned char *in = data;
    char *at = out;

    make_tables();
    if (e->held > 0)
        at = encode_held(e, &in, &len, at);
    while (len >= 3) {
        size_t groups = (LINE_CHARS - e->column) / 4;

        if (groups > len / 3)
            groups = len / 3;
        at = encode_groups(at, in, groups);
        in += groups * 3;
        len -= groups * 3;
        e->column += groups * 4;
        if (e->column == LINE_CHARS)
            at = end_line(e, at);
    }
    for (; len > 0; len--)
        e->hold[e->held++] = *in++;
    return (size_t)(at - out);
}

size_t base64_encode_final(struct base64_encoder *e, char *out)
{
    char *at = out;

    if (e->held > 0) {
        make_tables();
        at = encode_rest(at, e->hold, e->held);
        e->column += 4;
        e->held = 0;
    }
    if (e->column > 0)
        at = end_line(e, at);
    return (size_t)(at - out);
}

/* As many whole groups as stand at `*in`; leaves `*in` at the first octet of a group that is not whole. */
static unsigned char *decode_groups(const unsigned char **in, const unsigned char *end, unsigned char *out)
{
    const unsigned char *at = *in;

    for (; end - at >= 4; at += 4, out += 3) {
        uint32_t bits = places[0][at[0]] | places[1][at[1]] | places[2][at[2]] | places[3][at[3]];

        if (bits >= INVALID)
            break;
        out[0] = (unsigned char)(bits >> 16);
        out[1] = (unsigned char)(bits >> 8);
        out[2] = (unsigned char)bits;
    }
    *in = at;
    return out;
}

/* One octet at a time: gives each output octet as soon as its eight bits are there, so that no final call is
 * needed. */
static unsigned char *decode_octet(struct base64_decoder *d, unsigned char c, unsigned char *out)
{
    uint32_t value = places[3][c];

    if (value < INVALID) {
        if (d->padded) {
            d->after_pad = true;
            return out;
        }
        d->bits = (d->bits << 6 | value) & 0xffffff;
        d->count = (d->count + 1) % 4;
        if (d->count != 1)
            *out++ = (unsigned char)(d->bits >> (d->count == 0 ? 0 : 8 - 2 * d->count));
    } else if (c == '=') {
        d->padded = true;
    } else if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
        d->strange++;
    }
    return out;
}

size_t base64_decode_update(struct base64_decoder *d, const char *text, size_t len, unsigned char *out)
{
    const unsigned char *in = (const unsigned char *)text, *end = in + len;
    unsigned char *at = out;

    make_tables();
    while (in < end) {
        if (d->count == 0 && !d->padded)
            at = decode_groups(&in, end, at);
        if (in < end)
            at = decode_octet(d, *in++, at);
    }
    return (size_t)(at - out);
}

void base64_encode_buf(struct buf *out, const void *in, size_t len)
{
    const unsigned char *data = in;
    char chunk[4096];
    const size_t step = sizeof(chunk) / 4 * 3;

    make_tables();
    for (; len >= 3;) {
        size_t n = len < step ? len / 3 * 3 : step;
        const char *end = encode_groups(chunk, data, n / 3);

        buf_add(out, chunk, (size_t)(end - chunk));
        data += n;
        len -= n;
    }
    if (len > 0) {
        encode_rest(chunk, data, len);
        buf_add(out, chunk, 4);
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Padding must complete the last group, and the bits it leaves over must be zero (RFC 4648 section 3.5). */
static bool padding_right(const struct base64_decoder *d, size_t pads)
{
    if (d->count == 0)
        return pads == 0;
    if (d->count == 1 || pads != 4 - d->count)
        return false;
    return (d->bits & (d->count == 2 ? 0x0f : 0x03)) == 0;
}

bool base64_decode_buf(struct buf *out, const char *text)
{
    struct base64_decoder d = {0};
    size_t len = strlen(text), pads = 0, n;
    unsigned char *decoded;
    bool right;

    while (len > 0 && (is_space(text[len - 1]) || text[len - 1] == '='))
        pads += text[--len] == '=';
    if (memchr(text, '=', len) != NULL)
        return false;
    decoded = mem_alloc(len);
    n = base64_decode_update(&d, text, len, decoded);
    right = d.strange == 0 && padding_right(&d, pads);
    if (right)
        buf_add(out, decoded, n);
    mem_wipe(decoded, len);
    free(decoded);
    return right;
}

void hex_encode_buf(struct buf *out, const void *in, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *data = in;

    for (size_t i = 0; i < len; i++) {
        char pair[2] = {digits[data[i] >> 4], digits[data[i] & 15]};

        buf_add(out, pair, 2);
    }
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode_buf(struct buf *out, const char *text)
{
    struct buf decoded = {0};

    for (; *text != '\0'; text += 2) {
        int high = hex_digit(text[0]), low = text[1] != '\0' ? hex_digit(text[1]) : -1;

        if (high < 0 || low < 0) {
            buf_free(&decoded);
            return false;
        }
        buf_add_char(&decoded, (char)(high << 4 | low));
    }
    buf_add(out, buf_text(&decoded), decoded.len);
    buf_free(&decoded);
    return true;
}
