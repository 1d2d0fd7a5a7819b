#include "core/prepare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/prepare_field.h"
#include "mail/qp.h"
#include "mail/source.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

#define CHUNK     (24u << 10)
#define LINE_SAFE 900 /* text outside of parts is cut here */
#define QP_WORTH  6   /* text stays readable while at most every sixth octet must be escaped */

struct writer {
    int in, out;
    const char *eol;
    bool crlf; /* line ends of the message are CRLF */
    bool fragile;
    int error; /* errno of the first fault; 0: none */
};

static void put(struct writer *w, const void *data, size_t len)
{
    if (w->error == 0 && fdio_write_all(w->out, data, len) != 0)
        w->error = errno;
}

static void copy(struct writer *w, uint64_t from, uint64_t to)
{
    if (w->error == 0 && to > from && fdio_copy_range(w->in, from, to - from, w->out) != 0)
        w->error = errno;
}

static bool leaf_unsafe(const struct mime_part *part)
{
    return part->has_8bit || part->has_nul || part->has_bare_cr || part->has_bare_lf || part->has_long_line;
}

/* Text outside of all parts (and boundary lines, which are clean unless the boundary itself is not). */
struct gap {
    struct writer *writer;
    struct buf out;
    size_t column;
    bool changed;
    bool cr;
};

static void gap_octet(struct gap *gap, unsigned char c)
{
    const char *eol = gap->writer->eol;
    if (c == '\n') {
        if (gap->cr != gap->writer->crlf)
            gap->changed = true;
        buf_add_text(&gap->out, eol);
        gap->column = 0;
        gap->cr = false;
        return;
    }
    if (gap->cr) { /* a bare one */
        buf_add_char(&gap->out, ' ');
        gap->changed = true;
    }
    gap->cr = c == '\r';
    if (gap->cr)
        return;
    if (++gap->column > LINE_SAFE) {
        buf_add_text(&gap->out, eol);
        gap->column = 1;
        gap->changed = true;
    }
    bool harmless = c < 0x80 && c != '\0';
    gap->changed = gap->changed || !harmless;
    buf_add_char(&gap->out, harmless ? (char)c : '?');
}

/* Walks over octets [from, to). With `write` they are written; returns whether anything had to be changed. */
static bool walk_gap(struct writer *w, uint64_t from, uint64_t to, bool write)
{
    struct gap gap = {.writer = w};
    unsigned char chunk[4096];
    while (from < to && w->error == 0) {
        size_t n = to - from < sizeof(chunk) ? (size_t)(to - from) : sizeof(chunk);
        if (fdio_pread_all(w->in, chunk, n, from) != 0)
            w->error = errno;
        for (size_t i = 0; i < n && w->error == 0; i++)
            gap_octet(&gap, chunk[i]);
        if (write)
            put(w, buf_text(&gap.out), gap.out.len);
        buf_clear(&gap.out);
        from += n;
    }
    buf_free(&gap.out);
    return gap.changed || gap.cr;
}

static bool header_unsafe(const struct header *header, bool crlf)
{
    for (size_t i = 0; i < header->count; i++)
        if (prepare_field_unsafe(header, i, crlf))
            return true;
    return false;
}

/* Octets of a container that belong to no child: true when relays would change some. */
static bool gaps_unsafe(struct writer *w, const struct mime_part *part)
{
    uint64_t at = part->body;
    for (const struct mime_part *child = part->children; child != NULL; child = child->next) {
        if (walk_gap(w, at, child->start, false))
            return true;
        at = child->end;
    }
    return walk_gap(w, at, part->end, false);
}

static bool part_unsafe(struct writer *w, const struct mime_part *part, bool own_header)
{
    if (own_header && header_unsafe(&part->header, w->crlf))
        return true;
    if (part->children == NULL)
        return leaf_unsafe(part);
    if (gaps_unsafe(w, part))
        return true;
    for (const struct mime_part *child = part->children; child != NULL; child = child->next)
        if (part_unsafe(w, child, true))
            return true;
    return false;
}

bool prepare_needed(const struct mime_part *root, const struct buf *inner, int fd)
{
    struct writer w = {.in = fd, .out = -1, .eol = root->header.eol, .crlf = root->header.eol[0] == '\r'};
    struct header header;
    header_parse(&header, buf_text(inner), inner->len);
    bool needed = header_unsafe(&header, w.crlf) || part_unsafe(&w, root, false);
    header_free(&header);
    return needed || w.error != 0; /* a read error shows again where it can be told */
}

/* The header section and its empty line; Content-Transfer-Encoding becomes `encoding` unless that is NULL. */
static void write_header(struct writer *w, const struct header *header, const char *encoding)
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
    put(w, out.data, out.len);
    buf_free(&out);
}

/* What the decoded octets of a leaf are like. */
struct survey {
    uint64_t total, escapes;
    bool binary; /* NUL, bare CR or LF: no text */
};

static struct source *leaf_source(const struct writer *w, const struct mime_part *part, enum source_eol eol)
{
    return source_new(w->in, part->body, part->end - part->body, part->encoding, eol);
}

static void survey_leaf(struct writer *w, const struct mime_part *part, struct survey *survey_r)
{
    unsigned char chunk[CHUNK], last = 0;
    struct source *source = leaf_source(w, part, SOURCE_EOL_KEEP);
    ssize_t n;
    memset(survey_r, 0, sizeof(*survey_r));
    while ((n = source_read(source, chunk, sizeof(chunk))) > 0) {
        survey_r->total += (uint64_t)n;
        for (ssize_t i = 0; i < n; i++) {
            unsigned char c = chunk[i];
            survey_r->escapes += c >= 0x80 || c == '=';
            if (c == '\0' || (last == '\r' && c != '\n') || (c == '\n' && last != '\r' && w->crlf))
                survey_r->binary = true;
            last = c;
        }
    }
    survey_r->binary = survey_r->binary || last == '\r';
    if (n < 0 && w->error == 0)
        w->error = errno;
    source_free(source);
}

static void write_base64(struct writer *w, const struct mime_part *part)
{
    /* In a message with LF line ends each LF stands for the CRLF of the wire, except where base64 says which
     * octets are meant. */
    bool exact = w->crlf || part->encoding == MIME_BASE64;
    struct source *source = leaf_source(w, part, exact ? SOURCE_EOL_KEEP : SOURCE_EOL_CRLF);
    struct base64_encoder encoder = {.eol = w->eol};
    char chunk[CHUNK], *out = mem_alloc(BASE64_ENCODE_MAX(CHUNK));
    ssize_t n;
    while ((n = source_read(source, chunk, sizeof(chunk))) > 0)
        put(w, out, base64_encode_update(&encoder, chunk, (size_t)n, out));
    put(w, out, base64_encode_final(&encoder, out));
    if (n < 0 && w->error == 0)
        w->error = errno;
    free(out);
    source_free(source);
}

static void write_qp(struct writer *w, const struct mime_part *part)
{
    struct source *source = leaf_source(w, part, SOURCE_EOL_KEEP);
    struct qp_encoder encoder = {.eol = w->eol};
    char chunk[CHUNK];
    struct buf out = {0};
    ssize_t n;
    while ((n = source_read(source, chunk, sizeof(chunk))) > 0) {
        qp_encode_update(&encoder, chunk, (size_t)n, &out);
        put(w, buf_text(&out), out.len);
        buf_clear(&out);
    }
    qp_encode_final(&encoder, &out);
    put(w, buf_text(&out), out.len);
    if (n < 0 && w->error == 0)
        w->error = errno;
    buf_free(&out);
    source_free(source);
}

/* Composite types must not be encoded (RFC 2045 6.4), and what an unknown encoding means nobody knows. */
static bool may_encode(const struct mime_part *part)
{
    return part->encoding != MIME_ENCODING_UNKNOWN && !mime_type_is(part, "multipart/") &&
           !mime_type_is(part, "message/");
}

static void write_leaf(struct writer *w, const struct mime_part *part, const struct header *header)
{
    if (!leaf_unsafe(part) || !may_encode(part)) {
        w->fragile = w->fragile || leaf_unsafe(part);
        write_header(w, header, NULL);
        copy(w, part->body, part->end);
        return;
    }
    struct survey survey;
    survey_leaf(w, part, &survey);
    bool qp = mime_type_is(part, "text/") && !survey.binary && survey.escapes <= survey.total / QP_WORTH;
    write_header(w, header, qp ? "quoted-printable" : "base64");
    if (qp)
        write_qp(w, part);
    else
        write_base64(w, part);
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

static void write_part(struct writer *w, const struct mime_part *part, const struct header *header)
{
    if (part->children == NULL) {
        write_leaf(w, part, header);
        return;
    }
    if (untouchable(part)) {
        w->fragile = w->fragile || part_unsafe(w, part, false);
        write_header(w, header, NULL);
        copy(w, part->body, part->end);
        return;
    }
    bool eight = part->encoding == MIME_8BIT || part->encoding == MIME_BINARY;
    write_header(w, header, eight ? "7bit" : NULL);
    uint64_t at = part->body;
    for (const struct mime_part *child = part->children; child != NULL; child = child->next) {
        walk_gap(w, at, child->start, true);
        write_part(w, child, &child->header);
        at = child->end;
    }
    walk_gap(w, at, part->end, true);
}

int prepare_write(const struct mime_part *root, const struct buf *inner, int fd, int out, bool *fragile_r)
{
    struct writer w = {.in = fd, .out = out, .eol = root->header.eol, .crlf = root->header.eol[0] == '\r'};
    struct header header;
    header_parse(&header, buf_text(inner), inner->len);
    write_part(&w, root, &header);
    header_free(&header);
    *fragile_r = w.fragile;
    errno = w.error;
    return w.error == 0 ? 0 : -1;
}
