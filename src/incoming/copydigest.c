/* The structural digest is taken where every reader can be expected to see the same parts: one field of each
   kind, closed multiparts, correct encodings. Everything else gets a digest over its octets. The two kinds
   never meet: each begins with its own name. */
#include "incoming/copydigest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail/encoding_check.h"
#include "mail/mime.h"
#include "mail/source.h"
#include "util/buf.h"
#include "util/fdio.h"
#include "util/mem.h"

#define BETWEEN_MAX (64u << 10) /* octets of text in front of, between or behind the parts of a multipart */

struct copy {
    int fd;
    struct sha256 *sha;
    bool odd;   /* readers could disagree: the structural digest does not count */
    int failed; /* errno of a read error, 0 */
};

static void add_text(struct copy *copy, const char *text)
{
    sha256_update(copy->sha, text, strlen(text) + 1);
}

/* ---- fields ---- */

/* Fields of MIME in the message's own header; in a part all of them are content. */
static bool counts(const struct header *header, size_t index, bool is_root)
{
    static const char *const names[] = {"Content-", "MIME-Version", NULL};

    return !is_root || header->fields[index].name_len == 0 || header_field_in(header, index, names);
}

static void add_field(struct copy *copy, const struct header *header, size_t index)
{
    const struct header_field *field = &header->fields[index];
    char *value = header_value(header, index), octet[2] = "";

    for (size_t i = 0; i < field->name_len; i++) {
        octet[0] = (char)header->data[field->start + i];
        if (octet[0] >= 'A' && octet[0] <= 'Z')
            octet[0] = (char)(octet[0] - 'A' + 'a');
        sha256_update(copy->sha, octet, 1);
    }
    add_text(copy, ":");
    add_text(copy, value);
    free(value);
}

/* The type of a multipart but for its boundary. */
static void add_type(struct copy *copy, const struct mime_part *part)
{
    add_text(copy, part->type.value);
    for (size_t i = 0; i < part->type.count; i++)
        if (strcmp(part->type.params[i].name, "boundary") != 0) {
            add_text(copy, part->type.params[i].name);
            add_text(copy, part->type.params[i].value);
        }
}

static void add_fields(struct copy *copy, const struct mime_part *part)
{
    const struct header *header = &part->header;

    for (size_t i = 0; i < header->count; i++) {
        if (header_field_is(header, i, "Content-Transfer-Encoding") ||
            header_field_is(header, i, "X-MIME-Autoconverted") || /* what Sendmail calls its encoding */
            !counts(header, i, part->parent == NULL))
            continue;
        if (header_field_is(header, i, "Content-Type") && part->children != NULL)
            add_type(copy, part);
        else
            add_field(copy, header, i);
    }
    add_text(copy, ";");
}

static bool fields_odd(const struct mime_part *part)
{
    static const char *const single[] = {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
                                         "Content-ID", "MIME-Version"};
    bool odd = part->truncated_header || part->type.repeated || header_has_strays(&part->header) ||
               header_has_controls(&part->header);

    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
        odd = odd || header_count(&part->header, single[i]) > 1;
    return odd;
}

/* ---- content ---- */

/* Adds the octets to a digest, but line ends at the very end. */
struct content {
    struct sha256 *sha;
    uint64_t line_ends; /* seen, and not added yet */
};

static void add_content(struct content *content, const char *data, size_t len)
{
    for (size_t i = 0, from = 0; i < len; i++) {
        if (data[i] == '\n') {
            sha256_update(content->sha, data + from, i - from);
            content->line_ends++;
            from = i + 1;
            continue;
        }
        for (; content->line_ends > 0; content->line_ends--)
            sha256_update(content->sha, "\n", 1);
        if (i + 1 == len)
            sha256_update(content->sha, data + from, len - from);
    }
}

/* The digest of a range, as text (LF, no line ends at the end) or octet for octet. */
static void add_range(struct copy *copy, uint64_t offset, uint64_t len, enum mime_encoding encoding,
                      bool text)
{
    struct source *source =
        source_new(copy->fd, offset, len, encoding, text ? SOURCE_EOL_LF : SOURCE_EOL_KEEP);
    struct content content = {.sha = sha256_new()};
    unsigned char digest[SHA256_LEN];
    char chunk[16384];
    ssize_t n;

    while ((n = source_read(source, chunk, sizeof(chunk))) > 0)
        if (text)
            add_content(&content, chunk, (size_t)n);
        else
            sha256_update(content.sha, chunk, (size_t)n);
    if (n < 0)
        copy->failed = errno;
    sha256_final(content.sha, digest);
    sha256_update(copy->sha, digest, sizeof(digest));
    sha256_free(content.sha);
    source_free(source);
}

/* An encoding of what has parts is nonsense, which some readers undo and others do not. */
static bool is_identity(enum mime_encoding encoding)
{
    return encoding == MIME_7BIT || encoding == MIME_8BIT || encoding == MIME_BINARY;
}

static void add_leaf(struct copy *copy, const struct mime_part *part)
{
    uint64_t len = part->end - part->body;
    bool correct;

    if (encoding_check(copy->fd, part->body, len, part->encoding, &correct) != 0)
        copy->failed = errno;
    else if (!correct || mime_type_is(part, "multipart/") ||
             (mime_type_is(part, "message/") && !is_identity(part->encoding)))
        copy->odd = true;
    else
        /* what base64 protects on its way is compared exactly, unless it is text */
        add_range(copy, part->body, len, part->encoding,
                  part->encoding != MIME_BASE64 || mime_type_is(part, "text/"));
}

/* ---- structure ---- */

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != ' ' && text[i] != '\t')
            return false;
    return true;
}

/* Is this line the boundary? 1: it begins a part; 2: it is the closing one. */
static int match_boundary(const char *line, size_t len, const char *boundary)
{
    size_t boundary_len = strlen(boundary);

    if (len < boundary_len + 2 || strncmp(line, "--", 2) != 0 ||
        memcmp(line + 2, boundary, boundary_len) != 0)
        return 0;
    line += boundary_len + 2;
    len -= boundary_len + 2;
    if (is_blank(line, len))
        return 1;
    return len >= 2 && strncmp(line, "--", 2) == 0 && is_blank(line + 2, len - 2) ? 2 : 0;
}

static void add_line(struct copy *copy, const char *line, size_t len, const char *boundary)
{
    int match = match_boundary(line, len, boundary);
    uint64_t number = len;

    if (match > 0) {
        add_text(copy, match == 1 ? "part" : "close");
        return;
    }
    add_text(copy, "line");
    sha256_update(copy->sha, &number, sizeof(number));
    sha256_update(copy->sha, line, len);
}

/* What stands outside of the parts of a multipart: boundary lines count, boundaries do not. */
static void add_between(struct copy *copy, uint64_t from, uint64_t to, const char *boundary)
{
    struct buf text = {0};
    const char *line, *end, *stop;

    if (to < from || to - from > BETWEEN_MAX) {
        copy->odd = true;
        return;
    }
    text.cap = (size_t)(to - from) + 1;
    text.data = mem_alloc(text.cap);
    text.len = text.cap - 1;
    if (fdio_pread_all(copy->fd, text.data, text.len, from) != 0)
        copy->failed = errno;
    stop = text.data + text.len;
    while (stop > text.data && (stop[-1] == '\n' || stop[-1] == '\r'))
        stop--;
    for (line = text.data; line < stop; line = end + 1) {
        size_t len;

        end = memchr(line, '\n', (size_t)(stop - line));
        end = end != NULL ? end : stop;
        len = (size_t)(end - line);
        len -= len > 0 && line[len - 1] == '\r';
        add_line(copy, line, len, boundary);
    }
    add_text(copy, "end");
    buf_free(&text);
}

/* Does its boundary begin like that of a multipart around it? Many readers look at the beginning only. */
static bool is_mixed_up(const struct mime_part *part, const char *boundary)
{
    for (const struct mime_part *outer = part->parent; outer != NULL; outer = outer->parent) {
        const char *other = header_typed_param(&outer->type, "boundary");

        if (other != NULL &&
            (strncmp(boundary, other, strlen(other)) == 0 || strncmp(boundary, other, strlen(boundary)) == 0))
            return true;
    }
    return false;
}

static void add_part(struct copy *copy, const struct mime_part *part);

static void add_multipart(struct copy *copy, const struct mime_part *part)
{
    const char *boundary = header_typed_param(&part->type, "boundary");
    uint64_t at = part->body;

    if (boundary == NULL || !part->closed || part->boundary_outside || is_mixed_up(part, boundary)) {
        copy->odd = true;
        return;
    }
    for (const struct mime_part *child = part->children; child != NULL; child = child->next) {
        add_between(copy, at, child->start, boundary);
        add_part(copy, child);
        at = child->end;
    }
    add_between(copy, at, part->end, boundary);
}

/* Recursion ends with the limit of mime_parse() on depth. */
static void add_part(struct copy *copy, const struct mime_part *part)
{
    if (fields_odd(part) || (part->children != NULL && !is_identity(part->encoding)))
        copy->odd = true;
    if (copy->odd || copy->failed != 0)
        return;
    add_text(copy, part->children == NULL ? "leaf" : "parts");
    add_fields(copy, part);
    if (part->children == NULL)
        add_leaf(copy, part);
    else if (mime_type_is(part, "multipart/"))
        add_multipart(copy, part);
    else
        add_part(copy, part->children);
    add_text(copy, "end of part");
}

/* ---- both kinds ---- */

/* A field as it stands, with LF; if it is one of MIME, or readers could see more than one in it. */
static void add_octets_of_field(struct copy *copy, const struct header *header, size_t index)
{
    const char *data = (const char *)header->data + header->fields[index].start;
    size_t len = header->fields[index].end - header->fields[index].start;
    bool wanted = counts(header, index, true) || memchr(data, '\0', len) != NULL;
    struct buf text = {0};

    for (size_t i = 0; i < len; i++) {
        bool line_end = data[i] == '\r' && i + 1 < len && data[i + 1] == '\n';

        wanted = wanted || (data[i] == '\r' && !line_end);
        if (!line_end)
            buf_add_char(&text, data[i]);
    }
    if (wanted) {
        uint64_t number = text.len;

        sha256_update(copy->sha, &number, sizeof(number));
        sha256_update(copy->sha, text.data, text.len);
    }
    buf_free(&text);
}

/* Everything that a reader could look at. */
static void add_octets(struct copy *copy, const struct mime *mime)
{
    const struct mime_part *root = mime->root;

    for (size_t i = 0; i < root->header.count; i++)
        add_octets_of_field(copy, &root->header, i);
    add_text(copy, root->truncated_header ? "cut" : "whole");
    add_range(copy, root->body, root->end - root->body, MIME_BINARY, true);
}

static void begin(struct copy *copy, const char *kind)
{
    unsigned char unused[SHA256_LEN];

    sha256_final(copy->sha, unused); /* and begins anew */
    add_text(copy, kind);
}

int copydigest(int fd, uint64_t offset, uint64_t len, unsigned char digest_r[SHA256_LEN])
{
    struct copy copy = {.fd = fd, .sha = sha256_new()};
    struct mime mime;
    int rc = mime_parse(&mime, fd, offset, len, NULL);

    if (rc == 0) {
        begin(&copy, "julia copy structure 1");
        copy.odd = mime.fault != MIME_OK;
        add_part(&copy, mime.root);
        if (copy.odd && copy.failed == 0) {
            begin(&copy, "julia copy octets 1");
            add_octets(&copy, &mime);
        }
        mime_free(&mime);
    }
    sha256_final(copy.sha, digest_r);
    sha256_free(copy.sha);
    if (copy.failed != 0) {
        errno = copy.failed;
        rc = -1;
    }
    return rc;
}
