#include "outgoing/prepare.h"

#include <errno.h>
#include <string.h>

#include "outgoing/prepare_field.h"
#include "outgoing/prepare_private.h"
#include "util/fdio.h"

void prepare_put(struct prepare *w, const void *data, size_t len)
{
    if (w->error == 0 && fdio_write_all(w->out, data, len) != 0)
        w->error = errno;
}

void prepare_copy(struct prepare *w, uint64_t from, uint64_t to)
{
    if (w->error == 0 && to > from && fdio_copy_range(w->in, from, to - from, w->out) != 0)
        w->error = errno;
}

static bool header_unsafe(const struct header *header, bool crlf)
{
    for (size_t i = 0; i < header->count; i++)
        if (prepare_field_unsafe(header, i, crlf))
            return true;
    return false;
}

/* Octets of a container that belong to no child: true when relays would change some. */
static bool gaps_unsafe(struct prepare *w, const struct mime_part *part)
{
    uint64_t at = part->body;
    for (const struct mime_part *child = part->children; child != NULL; child = child->next) {
        if (prepare_gap(w, at, child->start, false))
            return true;
        at = child->end;
    }
    return prepare_gap(w, at, part->end, false);
}

static bool part_unsafe(struct prepare *w, const struct mime_part *part, bool own_header)
{
    if (own_header && header_unsafe(&part->header, w->crlf))
        return true;
    if (part->children == NULL)
        return prepare_leaf_unsafe(w, part);
    if (gaps_unsafe(w, part))
        return true;
    for (const struct mime_part *child = part->children; child != NULL; child = child->next)
        if (part_unsafe(w, child, true))
            return true;
    return false;
}

bool prepare_needed(const struct mime_part *root, const struct buf *inner, int fd)
{
    struct prepare w = {.in = fd, .out = -1, .eol = root->header.eol, .crlf = root->header.eol[0] == '\r'};
    struct header header;
    header_parse(&header, buf_text(inner), inner->len);
    bool needed = header_unsafe(&header, w.crlf) || part_unsafe(&w, root, false);
    header_free(&header);
    return needed || w.error != 0; /* a read error shows again where it can be told */
}

void prepare_header(struct prepare *w, const struct header *header, const char *encoding)
{
    struct buf out = {0};
    bool written = encoding == NULL;
    for (size_t i = 0; i < header->count; i++) {
        if (encoding != NULL && header_field_is(header, i, "Content-Transfer-Encoding")) {
            if (!written)
                buf_printf(&out, "Content-Transfer-Encoding: %s%s", encoding, w->eol);
            written = true;
        } else if (prepare_field_unsafe(header, i, w->crlf)) {
            size_t before = out.len;
            prepare_field(header, i, &out);
            w->fragile = w->fragile || prepare_text_unsafe(out.data + before, out.len - before, w->crlf);
        } else {
            buf_add(&out, header->data + header->fields[i].start,
                    header->fields[i].end - header->fields[i].start);
        }
    }
    if (out.len > 0 && out.data[out.len - 1] != '\n')
        buf_add_text(&out, w->eol);
    if (!written)
        buf_printf(&out, "Content-Transfer-Encoding: %s%s", encoding, w->eol);
    buf_add_text(&out, w->eol);
    prepare_put(w, out.data, out.len);
    buf_free(&out);
}

static bool unsafe_boundary(const struct mime_part *part)
{
    const char *boundary = header_typed_param(&part->type, "boundary");
    return boundary != NULL && prepare_text_unsafe(boundary, strlen(boundary), false);
}

/* Somebody else's signature covers what is inside, or nothing in it could be rewritten consistently. */
static bool untouchable(const struct mime_part *part)
{
    return mime_type_is(part, "multipart/signed") || mime_type_is(part, "multipart/encrypted") ||
           unsafe_boundary(part);
}

static void write_part(struct prepare *w, const struct mime_part *part, const struct header *header)
{
    if (part->children == NULL) {
        prepare_leaf(w, part, header);
        return;
    }
    if (untouchable(part)) {
        w->fragile = w->fragile || part_unsafe(w, part, false);
        prepare_header(w, header, NULL);
        prepare_copy(w, part->body, part->end);
        return;
    }
    bool eight = part->encoding == MIME_8BIT || part->encoding == MIME_BINARY;
    prepare_header(w, header, eight ? "7bit" : NULL);
    uint64_t at = part->body;
    for (const struct mime_part *child = part->children; child != NULL; child = child->next) {
        prepare_gap(w, at, child->start, true);
        write_part(w, child, &child->header);
        at = child->end;
    }
    prepare_gap(w, at, part->end, true);
}

int prepare_write(const struct mime_part *root, const struct buf *inner, int fd, int out, bool *fragile_r)
{
    struct prepare w = {.in = fd, .out = out, .eol = root->header.eol, .crlf = root->header.eol[0] == '\r'};
    struct header header;
    header_parse(&header, buf_text(inner), inner->len);
    write_part(&w, root, &header);
    header_free(&header);
    *fragile_r = w.fragile;
    errno = w.error;
    return w.error == 0 ? 0 : -1;
}
