/* One part of text with a Legacy Display Element in it (RFC 9788 5.2.2, 5.2.3). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/charset.h"
#include "mail/qp.h"
#include "mail/source.h"
#include "mail/utf8.h"
#include "outgoing/legacy_private.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

#define CHUNK      (24u << 10)
#define SEARCH_MAX (256u << 10) /* octets of HTML in which <body> is looked for */

struct part { /* how the part is written */
    struct legacy *l;
    const struct mime_part *mime;
    struct buf element;
    uint64_t place; /* in the decoded text, in front of what the element goes */
    enum mime_encoding encoding;
    const char *charset; /* the new one; NULL: it stays */
};

static bool is_html(const struct mime_part *mime)
{
    return mime_type_is(mime, "text/html");
}

static bool is_identity(enum mime_encoding encoding)
{
    return encoding == MIME_7BIT || encoding == MIME_8BIT || encoding == MIME_BINARY;
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* Text in which octets below 0x80 are ASCII. */
static bool is_like_ascii(const char *charset)
{
    static const char *const others[] = {"utf-16", "utf-32", "utf-7", "ucs-", "unicode"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strncasecmp(charset, others[i], strlen(others[i])) == 0)
            return false;
    return true;
}

static void put(struct legacy *l, const void *data, size_t len)
{
    if (l->error == 0 && fdio_write_all(l->out, data, len) != 0)
        l->error = errno;
}

static void copy_to(struct legacy *l, uint64_t upto)
{
    if (l->error == 0 && fdio_copy_range(l->message->fd, l->at, upto - l->at, l->out) != 0)
        l->error = errno;
    l->at = upto;
}

/* The text with LF as `eol`. */
static void put_lines(const char *text, const char *eol, struct buf *out)
{
    for (; *text != '\0'; text++)
        if (*text == '\n')
            buf_add_text(out, eol);
        else
            buf_add_char(out, *text);
}

/* ---- the element ---- */

static void make_html(struct part *part, const char *eol)
{
    struct buf text = {0};
    uint32_t code;
    size_t taken;
    for (const char *p = part->l->lines; *p != '\0'; p += taken) {
        taken = utf8_decode(p, strlen(p), &code); /* header_text() gives nothing else */
        taken = taken == 0 ? 1 : taken;
        if (code >= 0x80 || strchr("<>&\"", (int)code) != NULL)
            buf_printf(&text, "&#%u;", (unsigned int)code);
        else if (p[1] != '\0') /* not the last line end */
            buf_add_char(&text, *p);
    }
    buf_printf(&part->element, "%s<div class=\"header-protection-legacy-display\">%s<pre>",
               part->place > 0 ? eol : "", eol);
    put_lines(buf_text(&text), eol, &part->element);
    buf_printf(&part->element, "</pre>%s</div>%s", eol, eol);
    buf_free(&text);
}

/* What the charset does not have becomes '?'. */
static void put_poorly(const char *utf8, struct buf *out)
{
    for (; *utf8 != '\0'; utf8++)
        if ((unsigned char)*utf8 < 0x80)
            buf_add_char(out, *utf8);
        else if (((unsigned char)*utf8 & 0xc0) != 0x80) /* the first octet of a character */
            buf_add_char(out, '?');
}

static void make_plain(struct part *part, const char *charset, const char *eol)
{
    struct buf text = {0}, octets = {0};
    bool unknown = strcasecmp(charset, "us-ascii") == 0;
    buf_printf(&text, "%s\n", part->l->lines);
    if (is_ascii(text.data)) {
        buf_add(&octets, text.data, text.len);
    } else if (unknown && !part->mime->has_8bit) { /* ASCII is UTF-8, too */
        part->charset = "utf-8";
        buf_add(&octets, text.data, text.len);
    } else if (unknown || !charset_from_utf8(charset, text.data, text.len, &octets)) {
        put_poorly(text.data, &octets);
    }
    put_lines(buf_text(&octets), eol, &part->element);
    buf_free(&text);
    buf_free(&octets);
}

/* ---- its place ---- */

/* Behind the tag that begins at text[at], with the '>' of no attribute taken for its end. */
static size_t behind_tag(const char *text, size_t len, size_t at)
{
    char quote = '\0';
    for (; at < len; at++) {
        if (quote == '\0' && text[at] == '>')
            return at + 1;
        if (quote == '\0' && (text[at] == '"' || text[at] == '\''))
            quote = text[at];
        else if (text[at] == quote)
            quote = '\0';
    }
    return 0;
}

/* Behind <body ...>; 0: there is none, and then it belongs in front of everything. */
static size_t find_body(const char *text, size_t len)
{
    for (size_t i = 0; i + 5 < len; i++) {
        if (strncmp(text + i, "<!--", 4) == 0) {
            const char *end = memmem(text + i, len - i, "-->", 3);
            if (end == NULL)
                return 0;
            i = (size_t)(end - text) + 2;
        } else if (strncasecmp(text + i, "<body", 5) == 0 && strchr(" \t\r\n/>", text[i + 5]) != NULL) {
            return behind_tag(text, len, i);
        }
    }
    return 0;
}

static void find_place(struct part *part)
{
    const struct mime_part *mime = part->mime;
    struct source *source =
        source_new(part->l->message->fd, mime->body, mime->end - mime->body, mime->encoding, SOURCE_EOL_KEEP);
    struct buf text = {0};
    char chunk[4096];
    ssize_t n = 1;
    while (n > 0 && text.len < SEARCH_MAX && (n = source_read(source, chunk, sizeof(chunk))) > 0)
        buf_add(&text, chunk, (size_t)n);
    if (n < 0)
        part->l->error = errno;
    part->place = find_body(buf_text(&text), text.len);
    source_free(source);
    buf_free(&text);
}

/* ---- writing ---- */

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f || *text == '"' || *text == '\\')
            return false;
    return true;
}

/* With the parameter; anew if there is no such field, or the charset becomes another one. */
static void put_type(const struct part *part, struct buf *out)
{
    const struct header *header = &part->mime->header;
    const struct header_typed *type = &part->mime->type;
    const char *eol = part->l->message->eol;
    long index = header_find(header, "Content-Type", 0);
    if (index >= 0 && part->charset == NULL) {
        header_copy(header, (size_t)index, out);
        while (out->len > 0 && strchr("\r\n ;", out->data[out->len - 1]) != NULL)
            out->len--;
    } else {
        buf_printf(out, "Content-Type: %s; charset=%s", type->value,
                   part->charset != NULL  ? part->charset
                   : part->mime->has_8bit ? "unknown-8bit"
                                          : "us-ascii");
        for (size_t i = 0; i < type->count; i++)
            if (strcmp(type->params[i].name, "charset") != 0 && is_plain(type->params[i].value))
                buf_printf(out, ";%s %s=\"%s\"", eol, type->params[i].name, type->params[i].value);
    }
    buf_printf(out, ";%s hp-legacy-display=\"1\"%s", eol, eol);
}

static void put_header(const struct part *part)
{
    const struct header *header = &part->mime->header;
    const char *eol = part->l->message->eol;
    bool recode = part->encoding != part->mime->encoding;
    struct buf out = {0};
    for (size_t i = 0; i < header->count; i++) {
        if (header_field_is(header, i, "Content-Type") ||
            (recode && header_field_is(header, i, "Content-Transfer-Encoding")))
            continue;
        buf_add(&out, header->data + header->fields[i].start,
                header->fields[i].end - header->fields[i].start);
    }
    if (out.len > 0 && out.data[out.len - 1] != '\n')
        buf_add_text(&out, eol);
    put_type(part, &out);
    if (recode)
        buf_printf(&out, "Content-Transfer-Encoding: %s%s", mime_encoding_name(part->encoding), eol);
    buf_add_text(&out, eol);
    put(part->l, out.data, out.len);
    buf_free(&out);
}

/* Octets in the encoding of the part. */
struct encoder {
    struct legacy *l;
    struct qp_encoder qp;
    struct base64_encoder base64;
    bool is_qp;
    char *room;
};

static void encode(struct encoder *e, const void *data, size_t len)
{
    struct buf out = {0};
    if (e->is_qp)
        qp_encode_update(&e->qp, data, len, &out);
    else
        buf_add(&out, e->room, base64_encode_update(&e->base64, data, len, e->room));
    put(e->l, buf_text(&out), out.len);
    buf_free(&out);
}

static void encode_end(struct encoder *e)
{
    struct buf out = {0};
    if (e->is_qp)
        qp_encode_final(&e->qp, &out);
    else
        buf_add(&out, e->room, base64_encode_final(&e->base64, e->room));
    put(e->l, buf_text(&out), out.len);
    buf_free(&out);
}

/* Decoded, with the element at its place, and encoded again. */
static void recode_body(const struct part *part)
{
    const struct mime_part *mime = part->mime;
    struct legacy *l = part->l;
    struct encoder e = {.l = l, .qp.eol = l->message->eol, .base64.eol = l->message->eol};
    struct source *source =
        source_new(l->message->fd, mime->body, mime->end - mime->body, mime->encoding, SOURCE_EOL_KEEP);
    char *chunk = mem_alloc(CHUNK);
    uint64_t left = part->place;
    ssize_t n = 1;
    e.is_qp = part->encoding == MIME_QP;
    e.room = mem_alloc(BASE64_ENCODE_MAX(CHUNK > part->element.len ? CHUNK : part->element.len));
    while (left > 0 && (n = source_read(source, chunk, left < CHUNK ? (size_t)left : CHUNK)) > 0) {
        encode(&e, chunk, (size_t)n);
        left -= (uint64_t)n;
    }
    encode(&e, part->element.data, part->element.len);
    while (n > 0 && (n = source_read(source, chunk, CHUNK)) > 0)
        encode(&e, chunk, (size_t)n);
    encode_end(&e);
    if (n < 0 && l->error == 0)
        l->error = errno;
    free(chunk);
    free(e.room);
    source_free(source);
    l->at = mime->end;
}

static void put_body(const struct part *part)
{
    const struct mime_part *mime = part->mime;
    struct legacy *l = part->l;
    l->at = mime->body;
    if (!is_identity(part->encoding)) {
        recode_body(part);
        return;
    }
    copy_to(l, mime->body + part->place);
    put(l, part->element.data, part->element.len);
}

static bool wants(const struct mime_part *mime)
{
    const char *charset = header_typed_param(&mime->type, "charset");
    return mime->encoding != MIME_ENCODING_UNKNOWN && header_count(&mime->header, "Content-Type") <= 1 &&
           (charset == NULL || is_like_ascii(charset)) &&
           header_typed_param(&mime->type, "hp-legacy-display") == NULL && !mime->truncated_header;
}

void legacy_part(struct legacy *l, const struct mime_part *mime)
{
    struct part part = {.l = l, .mime = mime, .encoding = mime->encoding};
    const char *charset = header_typed_param(&mime->type, "charset");
    /* base64 says which octets are meant: text has CRLF there */
    const char *eol = mime->encoding == MIME_BASE64 ? "\r\n" : l->message->eol;
    if (!wants(mime))
        return;
    if (is_html(mime)) {
        find_place(&part);
        make_html(&part, eol);
    } else {
        make_plain(&part, charset != NULL ? charset : "us-ascii", eol);
    }
    if (is_identity(mime->encoding) && !is_ascii(part.element.data) && !mime->has_8bit)
        part.encoding = MIME_QP;
    copy_to(l, mime->start);
    put_header(&part);
    put_body(&part);
    l->any = true;
    buf_free(&part.element);
}
