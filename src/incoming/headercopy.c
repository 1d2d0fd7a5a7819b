#include "incoming/headercopy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "incoming/forged.h"
#include "mail/header.h"
#include "mail/mime_scan.h"
#include "util/fdio.h"

#define FIELD_SEEN 16384 /* octets of a field that decide about it */
#define OUT_FULL   32768

struct copier {
    const struct headercopy *how;
    int to;
    struct buf field; /* of the field being read, until it is decided */
    struct buf out;
    bool decided, dropping;
    bool cr; /* of a long field: a CR that may belong to a line end */
    bool open;
    int rc;
};

static void flush(struct copier *c)
{
    if (c->rc == 0 && c->out.len > 0)
        c->rc = fdio_write_all(c->to, c->out.data, c->out.len);
    buf_clear(&c->out);
}

static void put(struct copier *c, const void *data, size_t len)
{
    if (len == 0)
        return;
    buf_add(&c->out, data, len);
    c->open = c->out.data[c->out.len - 1] != '\n';
    if (c->out.len >= OUT_FULL)
        flush(c);
}

static bool name_dropped(const struct headercopy *how, const char *field, size_t len)
{
    const char *colon = memchr(field, ':', len);
    struct buf name = {0};
    bool drop;

    if (colon == NULL)
        return false;
    while (colon > field && (colon[-1] == ' ' || colon[-1] == '\t'))
        colon--;
    buf_add(&name, field, (size_t)(colon - field));
    drop = how->drop != NULL && strlist_has_nocase(how->drop, buf_text(&name));
    if (how->drop_mime)
        drop = drop || strcasecmp(buf_text(&name), "MIME-Version") == 0 ||
               strncasecmp(buf_text(&name), "Content-", 8) == 0;
    buf_free(&name);
    return drop;
}

/* Octets with blanks for NUL. */
static void put_visible(struct copier *c, const char *data, size_t len)
{
    while (len > 0) {
        const char *nul = c->how->drop_mime ? memchr(data, '\0', len) : NULL;
        size_t plain = nul == NULL ? len : (size_t)(nul - data);

        put(c, data, plain);
        if (nul != NULL)
            put(c, " ", 1);
        plain += nul != NULL;
        data += plain;
        len -= plain;
    }
}

/* Blanks for bare CRs: of a field too long to be seen as a whole, behind which a forged field may hide, and
   where another body follows, which some readers would see begin there. At the very beginning '?', since a
   blank would make all of it a part of the field before. */
static void put_long(struct copier *c, const char *data, size_t len)
{
    while (len > 0) {
        const char *cr = memchr(data, '\r', len);
        size_t plain = cr == NULL ? len : (size_t)(cr - data);

        if (c->cr)
            put(c, *data == '\n' ? "\r" : " ", 1);
        c->cr = cr != NULL;
        put_visible(c, data, plain);
        plain += c->cr;
        data += plain;
        len -= plain;
    }
}

/* Many readers take a line that is no field for the beginning of the body. */
static bool is_field(const char *field, size_t len)
{
    struct header header;
    bool is;

    header_parse(&header, field, len);
    is = !header_has_strays(&header);
    header_free(&header);
    return is;
}

/* The field, or all that there is, ends here. */
static void end_long(struct copier *c)
{
    if (c->cr)
        put(c, " ", 1);
    c->cr = false;
}

/* As it stands, but for a CR that is the last octet of all: with the line end that others write behind it, it
 * would be an empty line. */
static void put_whole(struct copier *c, const char *field, size_t len)
{
    bool cr = len > 0 && field[len - 1] == '\r';

    put(c, field, cr ? len - 1 : len);
    if (cr)
        put(c, len == 1 ? "?" : " ", 1);
}

/* Decides about the field from what was read of it. */
static void decide(struct copier *c, bool whole)
{
    if (!c->decided) {
        const char *field = buf_text(&c->field);

        c->dropping = (!c->how->own_stay && forged_field(field, c->field.len, c->how->authserv_id)) ||
                      name_dropped(c->how, field, c->field.len) ||
                      (c->how->drop_mime && !is_field(field, c->field.len));
        if (!c->dropping && whole && !c->how->drop_mime) {
            put_whole(c, field, c->field.len);
        } else if (!c->dropping && field[0] == '\r') {
            put(c, "?", 1);
            put_long(c, field + 1, c->field.len - 1);
        } else if (!c->dropping) {
            put_long(c, field, c->field.len);
        }
    }
    if (whole)
        end_long(c);
    c->decided = true;
    buf_clear(&c->field);
}

static void take(struct copier *c, const struct mime_line *line)
{
    if (line->begins && line->data[0] != ' ' && line->data[0] != '\t') {
        decide(c, true); /* the one before */
        c->decided = false;
    }
    if (c->decided) {
        if (!c->dropping)
            put_long(c, (const char *)line->data, line->len);
        return;
    }
    buf_add(&c->field, line->data, line->len);
    if (c->field.len >= FIELD_SEEN)
        decide(c, false);
}

int headercopy_run(const struct headercopy *how, int from, uint64_t offset, uint64_t len, int to,
                   uint64_t *end_r, bool *open_r)
{
    struct copier c = {.how = how, .to = to};
    struct mime_line line = {0};
    struct mime_scan scan;
    int got;

    *end_r = offset + len;
    mime_scan_begin(&scan, from, offset, len);
    while ((got = mime_scan_line(&scan, &line)) > 0 && c.rc == 0) {
        if (line.begins && line.eol > 0 && line.len == line.eol) {
            *end_r = line.offset;
            break;
        }
        take(&c, &line);
    }
    decide(&c, true);
    flush(&c);
    *open_r = c.open;
    mime_scan_end(&scan);
    buf_free(&c.field);
    buf_free(&c.out);
    return got < 0 ? -1 : c.rc;
}
