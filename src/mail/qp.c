#include "mail/qp.h"

#include <string.h>

#include "util/base64.h"

#define LINE_MAX_QP 76 /* RFC 2045 6.7 (5) */

static void flush_hold(struct qp_decoder *d, struct buf *out)
{
    buf_add(out, d->hold, d->held);
    d->held = 0;
}

static bool all_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

/* A line end: blanks held are trailing ones and go (RFC 2045 6.7 (3)); a held '=' makes the line end soft. A
   CR before the LF is part of the line end. */
static void decode_eol(struct qp_decoder *d, struct buf *out)
{
    bool soft = d->held > 0 && d->hold[0] == '=' && all_blank(d->hold + 1, d->held - 1);
    bool crlf = d->held > 0 && d->hold[d->held - 1] == '\r';

    if (d->held > 0 && d->hold[0] == '=' && !soft)
        flush_hold(d, out); /* "=A" and the end of the line: text */
    d->held = 0;
    if (!soft)
        buf_add_text(out, crlf ? "\r\n" : "\n");
}

/* One octet while something is held. hold is either blanks (and CRs), or an escape: '=' hex, or '=' blanks.
 */
static void decode_held(struct qp_decoder *d, char c, struct buf *out)
{
    bool blank = c == ' ' || c == '\t' || c == '\r';

    if (d->hold[0] == '=' && d->held == 2 && hex_digit(d->hold[1]) >= 0 && hex_digit(c) >= 0) {
        buf_add_char(out, (char)(hex_digit(d->hold[1]) * 16 + hex_digit(c)));
        d->held = 0;
        return;
    }
    if (d->hold[0] == '=' && d->held == 1 && hex_digit(c) >= 0) {
        d->hold[d->held++] = c;
        return;
    }
    if (blank && d->held < sizeof(d->hold) && all_blank(d->hold + 1, d->held - 1)) {
        d->hold[d->held++] = c;
        return;
    }
    flush_hold(d, out); /* no escape, no trailing blanks: text */
    if (c == '=' || blank)
        d->hold[d->held++] = c;
    else
        buf_add_char(out, c);
}

void qp_decode_update(struct qp_decoder *d, const char *in, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        char c = in[i];

        if (c == '\n')
            decode_eol(d, out);
        else if (d->held > 0)
            decode_held(d, c, out);
        else if (c == '=' || c == ' ' || c == '\t' || c == '\r')
            d->hold[d->held++] = c;
        else
            buf_add_char(out, c);
    }
}

void qp_decode_final(struct qp_decoder *d, struct buf *out)
{
    /* "=" at the very end is a soft line break without its line */
    if (d->held > 0 && d->hold[0] == '=' && all_blank(d->hold + 1, d->held - 1))
        d->held = 0;
    flush_hold(d, out);
}

/* Makes room for `width` columns, keeping one for the '=' of a soft line break. */
static void encode_room(struct qp_encoder *e, size_t width, struct buf *out)
{
    if (e->column + width > LINE_MAX_QP - 1) {
        buf_add_char(out, '=');
        buf_add_text(out, e->eol);
        e->column = 0;
    }
}

static void encode_escape(struct qp_encoder *e, unsigned char c, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";

    encode_room(e, 3, out);
    buf_add_char(out, '=');
    buf_add_char(out, hex[c >> 4]);
    buf_add_char(out, hex[c & 15]);
    e->column += 3;
}

/* A character in the middle of a line. '.' and 'F' first on a line are escaped: relays double the one and put
 * '>' before "From ". */
static void encode_char(struct qp_encoder *e, unsigned char c, struct buf *out)
{
    bool printable = (c >= ' ' && c < 0x7f && c != '=') || c == '\t';

    encode_room(e, 1, out);
    if (!printable || (e->column == 0 && (c == '.' || c == 'F'))) {
        encode_escape(e, c, out);
        return;
    }
    buf_add_char(out, (char)c);
    e->column++;
}

static void encode_hold_out(struct qp_encoder *e, struct buf *out)
{
    for (size_t i = 0; i < e->held; i++)
        encode_char(e, (unsigned char)e->hold[i], out);
    e->held = 0;
}

/* hold: at most one blank and one CR that may stand before a line end. */
static void encode_octet(struct qp_encoder *e, unsigned char c, struct buf *out)
{
    if (c == '\n') {
        if (e->held > 0 && e->hold[e->held - 1] == '\r')
            e->held--;
        for (size_t i = 0; i < e->held; i++)
            encode_escape(e, (unsigned char)e->hold[i], out);
        e->held = 0;
        buf_add_text(out, e->eol);
        e->column = 0;
        return;
    }
    if (c == '\r' && (e->held == 0 || (e->held == 1 && e->hold[0] != '\r'))) {
        e->hold[e->held++] = '\r';
        return;
    }
    encode_hold_out(e, out);
    if (c == ' ' || c == '\t' || c == '\r')
        e->hold[e->held++] = (char)c;
    else
        encode_char(e, c, out);
}

void qp_encode_update(struct qp_encoder *e, const void *in, size_t len, struct buf *out)
{
    const unsigned char *octets = in;

    for (size_t i = 0; i < len; i++)
        encode_octet(e, octets[i], out);
}

void qp_encode_final(struct qp_encoder *e, struct buf *out)
{
    for (size_t i = 0; i < e->held; i++)
        encode_escape(e, (unsigned char)e->hold[i], out);
    e->held = 0;
}
