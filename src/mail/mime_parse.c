/* The reader that makes the tree (RFC 2046 5.1): one pass over lines, no recursion, no copy of any body. */
#include <stdlib.h>
#include <string.h>

#include "mail/mime.h"
#include "mail/mime_scan.h"
#include "util/mem.h"

#define DEPTH_DEFAULT 100
#define PARTS_DEFAULT 1000
#define LINE_LIMIT    998  /* octets without the line end, RFC 5322 2.1.1 */
#define BOUNDARY_MAX  8000 /* RFC 2046 5.1.1 says 70; longer ones are seen. Its line must fit the window. */
#define HEADERS_ALL   (2 * HEADER_SECTION_MAX) /* header sections of all parts together */
#define FIELDS_ALL    (2 * HEADER_FIELDS_MAX)  /* their fields */

enum state { IN_HEADER, IN_LEAF, IN_PREAMBLE, IN_EPILOGUE };

/* What is known of an open part while its octets pass by; the last one is the innermost. */
struct open_part {
    struct mime_part *part;
    struct mime_part *last_child;
    char *boundary; /* NULL: no multipart */
    size_t boundary_len;
    bool digest; /* children are message/rfc822 by default */
};

struct parser {
    struct mime *mime;
    struct mime_limits limits;
    struct open_part *open;
    size_t depth, room; /* open parts; allocated */
    enum state state;
    struct buf header; /* header section being collected */
    bool header_cut;   /* it was longer than may be kept */
    size_t headers_all, fields_all;
    uint64_t
        previous_end; /* where the last line's text ended: its line end belongs to a boundary that follows */
    size_t line_octets; /* of the leaf line whose pieces pass by */
    bool first_line;
};

static void set_fault(struct parser *p, enum mime_fault fault)
{
    if (p->mime->fault == MIME_OK)
        p->mime->fault = fault;
    if (fault != MIME_HEADER_TOO_LONG)
        p->mime->incomplete = true;
}

static struct open_part *innermost(struct parser *p)
{
    return &p->open[p->depth - 1];
}

/* Opens a part at `start`; the first octets belong to its header section. */
static void open_part(struct parser *p, uint64_t start)
{
    struct mime_part *part = mem_alloc(sizeof(*part));
    struct open_part *parent = p->depth > 0 ? innermost(p) : NULL;

    part->start = part->body = part->end = start;
    if (parent == NULL) {
        p->mime->root = part;
    } else {
        part->parent = parent->part;
        if (parent->last_child != NULL)
            parent->last_child->next = part;
        else
            parent->part->children = part;
        parent->last_child = part;
    }
    if (p->depth == p->room) {
        p->room = p->room == 0 ? 16 : p->room * 2;
        p->open = mem_resize(p->open, p->room * sizeof(*p->open));
    }
    memset(&p->open[p->depth], 0, sizeof(*p->open));
    p->open[p->depth++].part = part;
    p->mime->parts++;
    p->state = IN_HEADER;
    buf_clear(&p->header);
    p->header_cut = false;
}

static enum mime_encoding parse_encoding(const struct header *header)
{
    char *value = header_value_of(header, "Content-Transfer-Encoding");
    enum mime_encoding encoding = MIME_ENCODING_UNKNOWN;
    struct header_typed typed;

    if (value == NULL)
        return MIME_7BIT;
    header_typed_parse(&typed, value);
    for (int i = MIME_7BIT; i < MIME_ENCODING_UNKNOWN; i++)
        if (strcmp(typed.value, mime_encoding_name((enum mime_encoding)i)) == 0)
            encoding = (enum mime_encoding)i;
    header_typed_free(&typed);
    free(value);
    return encoding;
}

/* Content-Type; what it says if it is absent or unreadable (RFC 2045 5.2, RFC 2046 5.1.5). */
static void parse_type(struct mime_part *part, bool in_digest)
{
    char *value = header_value_of(&part->header, "Content-Type");

    header_typed_parse(&part->type, value == NULL ? "" : value);
    free(value);
    if (strchr(part->type.value, '/') == NULL) {
        free(part->type.value);
        part->type.value = mem_strdup(in_digest ? "message/rfc822" : "text/plain");
    }
}

static bool holds_message(const struct mime_part *part)
{
    return (mime_type_is(part, "message/rfc822") || mime_type_is(part, "message/global")) &&
           part->encoding != MIME_QP && part->encoding != MIME_BASE64;
}

/* The octets of the header section, as far as they may be kept. */
static void keep_header(struct parser *p, struct mime_part *part)
{
    struct header header;

    header_parse(&header, buf_text(&p->header), p->header.len);
    if (header.count >= HEADER_FIELDS_MAX || p->fields_all + header.count > FIELDS_ALL)
        p->header_cut = true;
    if (p->fields_all + header.count > FIELDS_ALL) {
        header_free(&header);
        header_parse(&header, "", 0);
    }
    p->fields_all += header.count;
    p->headers_all += header.len;
    if (header.len == 0 && p->mime->eol_crlf)
        header.eol = "\r\n";
    part->header = header;
    part->header_cut = p->header_cut;
    if (p->header_cut)
        set_fault(p, MIME_HEADER_TOO_LONG);
    buf_clear(&p->header);
}

/* The header section is over, the body begins at `body`: decides what the part is. */
static void begin_body(struct parser *p, uint64_t body)
{
    struct open_part *open = innermost(p);
    struct mime_part *part = open->part;
    const char *boundary;

    part->body = body;
    keep_header(p, part);
    part->encoding = parse_encoding(&part->header);
    parse_type(part, p->depth > 1 && p->open[p->depth - 2].digest);
    p->state = IN_LEAF;
    p->line_octets = 0;
    boundary = mime_type_is(part, "multipart/") ? header_typed_param(&part->type, "boundary") : NULL;
    if (boundary != NULL && (*boundary == '\0' || strlen(boundary) > BOUNDARY_MAX))
        boundary = NULL;
    if (boundary == NULL && !holds_message(part))
        return;
    if (p->depth > p->limits.max_depth) {
        set_fault(p, MIME_TOO_DEEP);
        return;
    }
    if (boundary == NULL) {
        if (p->mime->parts >= p->limits.max_parts)
            set_fault(p, MIME_TOO_MANY_PARTS);
        else
            open_part(p, body);
        return;
    }
    open->boundary = mem_strdup(boundary);
    open->boundary_len = strlen(boundary);
    open->digest = mime_type_is(part, "multipart/digest");
    p->state = IN_PREAMBLE;
}

/* Ends the innermost part at `end`. A header section that no empty line ended is one all the same. */
static void close_part(struct parser *p, uint64_t end)
{
    struct mime_part *part = innermost(p)->part;

    if (end < part->start && part->parent != NULL && part->parent->body == part->start)
        part->start = end; /* an empty message whose parent ends at its own empty line */
    else if (end < part->start)
        end = part->start;
    if (p->state == IN_HEADER) {
        part->truncated_header = true;
        if (p->header.len > end - part->start)
            p->header.len = (size_t)(end - part->start);
        begin_body(p, end);
        if (innermost(p)->part != part) { /* an empty message in it */
            close_part(p, end);
            part = innermost(p)->part;
        }
    }
    if (innermost(p)->last_child != NULL && innermost(p)->last_child->end > end)
        end = innermost(p)->last_child->end; /* an empty part: this line end is that of its own boundary */
    part->end = end;
    if (part->body > end)
        part->body = end; /* the empty line's end was the boundary's */
    free(innermost(p)->boundary);
    p->depth--;
    p->state = IN_EPILOGUE;
}

enum match { NO_MATCH, MATCH_NEXT, MATCH_CLOSE };

/* Is the line "--boundary" or "--boundary--", blanks behind it allowed (RFC 2046 5.1.1)? */
static enum match match_boundary(const struct mime_line *line, const struct open_part *open)
{
    const unsigned char *p = line->data + 2;
    size_t left = line->len - 2 - line->eol;
    enum match match = MATCH_NEXT;

    if (left < open->boundary_len || memcmp(p, open->boundary, open->boundary_len) != 0)
        return NO_MATCH;
    p += open->boundary_len;
    left -= open->boundary_len;
    if (left >= 2 && p[0] == '-' && p[1] == '-') {
        match = MATCH_CLOSE;
        p += 2;
        left -= 2;
    }
    for (; left > 0; p++, left--)
        if (*p != ' ' && *p != '\t' && *p != '\r')
            return NO_MATCH;
    return match;
}

/* The open multipart whose boundary this line is, innermost first; its place in p->open in *level_r. */
static enum match find_boundary(const struct parser *p, const struct mime_line *line, size_t *level_r)
{
    if (!line->begins || line->len < 2 || line->len > 2 * BOUNDARY_MAX || line->data[0] != '-' ||
        line->data[1] != '-')
        return NO_MATCH;
    for (size_t i = p->depth; i-- > 0;) {
        enum match match = NO_MATCH;

        if (p->open[i].boundary != NULL && !p->open[i].part->closed)
            match = match_boundary(line, &p->open[i]);
        if (match != NO_MATCH) {
            *level_r = i;
            return match;
        }
    }
    return NO_MATCH;
}

/* Takes a boundary line. False when it begins a part that is one too many: the line then counts as text. */
static bool take_boundary(struct parser *p, const struct mime_line *line, size_t level, enum match match)
{
    if (match == MATCH_NEXT && p->mime->parts >= p->limits.max_parts) {
        set_fault(p, MIME_TOO_MANY_PARTS);
        return false;
    }
    while (p->depth > level + 1)
        close_part(p, p->previous_end);
    if (match == MATCH_NEXT && p->mime->parts >= p->limits.max_parts) {
        set_fault(p, MIME_TOO_MANY_PARTS); /* the last one was an empty message inside a part just closed */
        p->state = IN_EPILOGUE;
    } else if (match == MATCH_NEXT) {
        open_part(p, line->offset + line->len);
    } else {
        p->open[level].part->closed = true;
        p->state = IN_EPILOGUE;
    }
    return true;
}

static void take_header_line(struct parser *p, const struct mime_line *line)
{
    if (line->begins && line->eol > 0 && line->len == line->eol) {
        begin_body(p, line->offset + line->len);
        return;
    }
    if (p->header.len + line->len > HEADER_SECTION_MAX ||
        p->headers_all + p->header.len + line->len > HEADERS_ALL) {
        p->header_cut = true;
        return;
    }
    buf_add(&p->header, line->data, line->len);
}

static bool has_8bit(const unsigned char *data, size_t len)
{
    uint64_t all = 0, eight;
    size_t i;

    for (i = 0; i + sizeof(eight) <= len; i += sizeof(eight)) {
        memcpy(&eight, data + i, sizeof(eight));
        all |= eight;
    }
    for (; i < len; i++)
        all |= data[i];
    return (all & 0x8080808080808080) != 0;
}

/* A line of a leaf: what would a relay change? */
static void take_leaf_line(struct parser *p, const struct mime_line *line)
{
    struct mime_part *part = innermost(p)->part;
    size_t text = line->len - line->eol;

    if (line->begins)
        p->line_octets = 0;
    p->line_octets += text;
    if (p->line_octets > LINE_LIMIT)
        part->has_long_line = true;
    if (!part->has_8bit && has_8bit(line->data, text))
        part->has_8bit = true;
    if (!part->has_nul && memchr(line->data, '\0', text) != NULL)
        part->has_nul = true;
    if (!part->has_bare_cr && memchr(line->data, '\r', text) != NULL)
        part->has_bare_cr = true;
    if (line->eol == 1 && p->mime->eol_crlf)
        part->has_bare_lf = true;
}

/* Preamble and epilogue. A line that begins like the boundary of the multipart is one for readers that
   compare beginnings only; behind the closing boundary, even the boundary itself is. */
static void take_outside_line(struct parser *p, const struct mime_line *line)
{
    const struct open_part *open = innermost(p);
    struct mime_part *part = open->part;

    if (open->boundary != NULL && line->begins && line->len >= open->boundary_len + 2 &&
        line->data[0] == '-' && line->data[1] == '-' &&
        memcmp(line->data + 2, open->boundary, open->boundary_len) == 0)
        part->boundary_outside = true;
    for (size_t i = 0; i < line->len; i++)
        if (strchr(" \t\r\n", line->data[i]) == NULL || line->data[i] == '\0') {
            part->preamble_epilogue_nonblank = true;
            part->epilogue_nonblank = part->epilogue_nonblank || part->closed;
            return;
        }
}

static void take_line(struct parser *p, const struct mime_line *line)
{
    enum match match;
    size_t level = 0;

    if (p->first_line) {
        p->mime->eol_crlf = line->eol == 2;
        p->first_line = false;
    }
    match = find_boundary(p, line, &level);
    if (match == NO_MATCH || !take_boundary(p, line, level, match)) {
        if (p->state == IN_HEADER)
            take_header_line(p, line);
        else if (p->state == IN_LEAF)
            take_leaf_line(p, line);
        else
            take_outside_line(p, line);
    }
    p->previous_end = line->offset + line->len - line->eol;
}

int mime_parse(struct mime *mime, int fd, uint64_t offset, uint64_t len, const struct mime_limits *limits)
{
    struct parser p = {.mime = mime, .first_line = true, .previous_end = offset};
    struct mime_line line = {0};
    struct mime_scan scan;
    int rc;

    memset(mime, 0, sizeof(*mime));
    if (limits != NULL)
        p.limits = *limits;
    p.limits.max_depth = p.limits.max_depth == 0 ? DEPTH_DEFAULT : p.limits.max_depth;
    p.limits.max_parts = p.limits.max_parts == 0 ? PARTS_DEFAULT : p.limits.max_parts;
    mime_scan_begin(&scan, fd, offset, len);
    open_part(&p, offset);
    while ((rc = mime_scan_line(&scan, &line)) > 0)
        take_line(&p, &line);
    while (p.depth > 0)
        close_part(&p, offset + len);
    mime_scan_end(&scan);
    buf_free(&p.header);
    free(p.open);
    if (rc < 0)
        mime_free(mime);
    return rc;
}
