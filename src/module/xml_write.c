/* The writing half of module/xml.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "module/xml.h"
#include "util/base64.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Octets of the UTF-8 character at `s` that XML can carry, 0 when there is none. */
static size_t character_length(const unsigned char *s)
{
    uint32_t c;
    size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : s[0] >= 0xE0 && s[0] < 0xF0 ? 3 : 4;

    if (len == 1)
        return s[0] >= 0x20 || s[0] == '\t' || s[0] == '\n' || s[0] == '\r';
    if (len == 4 && (s[0] < 0xF0 || s[0] > 0xF4))
        return 0;
    c = s[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3Fu);
    }
    if ((len == 3 && c < 0x800) || (len == 4 && c < 0x10000) || c > 0x10FFFF)
        return 0;
    return (c >= 0xD800 && c <= 0xDFFF) || c == 0xFFFE || c == 0xFFFF ? 0 : len;
}

static const char *escaped(char c, bool attribute)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#13;";
    case '\n':
        return attribute ? "&#10;" : NULL;
    case '\t':
        return attribute ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

static void add_escaped(struct buf *out, const char *value, bool attribute)
{
    const unsigned char *s = (const unsigned char *)value;

    while (*s != '\0') {
        size_t len = character_length(s);
        const char *escape = len == 1 ? escaped((char)*s, attribute) : NULL;

        if (len == 0)
            buf_add_text(out, REPLACEMENT);
        else if (escape != NULL)
            buf_add_text(out, escape);
        else
            buf_add(out, s, len);
        s += len > 0 ? len : 1;
    }
}

static void end_tag(struct xml_writer *w)
{
    if (w->in_tag)
        buf_add_char(w->out, '>');
    w->in_tag = false;
}

void xml_begin(struct xml_writer *w, struct buf *out)
{
    *w = (struct xml_writer){.out = out};
}

/* Mistakes in the program: no input leads here. */
static void require(bool good)
{
    if (!good)
        abort();
}

void xml_open(struct xml_writer *w, const char *name)
{
    require(w->depth < sizeof w->open / sizeof w->open[0]);
    end_tag(w);
    buf_add_char(w->out, '<');
    buf_add_text(w->out, name);
    w->in_tag = true;
    if (w->depth == 0)
        xml_put(w, "xmlns", XML_NAMESPACE);
    w->open[w->depth++] = name;
}

void xml_put(struct xml_writer *w, const char *attribute, const char *value)
{
    if (value == NULL)
        return;
    require(w->in_tag);
    buf_add_char(w->out, ' ');
    buf_add_text(w->out, attribute);
    buf_add_text(w->out, "=\"");
    add_escaped(w->out, value, true);
    buf_add_char(w->out, '"');
}

void xml_put_number(struct xml_writer *w, const char *attribute, uint64_t value)
{
    require(w->in_tag);
    buf_printf(w->out, " %s=\"%" PRIu64 "\"", attribute, value);
}

void xml_put_hex(struct xml_writer *w, const char *attribute, const void *data, size_t len)
{
    struct buf hex = {0};

    hex_encode_buf(&hex, data, len);
    xml_put(w, attribute, buf_text(&hex));
    buf_free(&hex);
}

void xml_text(struct xml_writer *w, const char *text)
{
    end_tag(w);
    add_escaped(w->out, text, false);
}

void xml_put_base64(struct xml_writer *w, const void *data, size_t len)
{
    end_tag(w);
    base64_encode_buf(w->out, data, len);
}

void xml_close(struct xml_writer *w)
{
    const char *name;

    require(w->depth > 0);
    name = w->open[--w->depth];
    if (w->in_tag) {
        buf_add_text(w->out, "/>");
        w->in_tag = false;
        return;
    }
    buf_add_text(w->out, "</");
    buf_add_text(w->out, name);
    buf_add_char(w->out, '>');
}

void xml_add_base64(struct xml_writer *w, const char *name, const void *data, size_t len)
{
    xml_open(w, name);
    xml_put_base64(w, data, len);
    xml_close(w);
}
