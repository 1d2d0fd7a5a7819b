#include "incoming/assemble.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "incoming/forged.h"
#include "incoming/headercopy.h"
#include "outgoing/prepare.h"
#include "util/base64.h"
#include "util/fdio.h"

/* Stands between our fields and a message that begins with a folded line, which would else continue the last
 * of them. */
#define ABSORBER "X-JULIA-Folded: this line belonged to no field"

static int put(int out, const struct buf *octets)
{
    return octets->len == 0 ? 0 : fdio_write_all(out, octets->data, octets->len);
}

static void own_fields(const struct assemble *a, struct buf *text)
{
    unsigned char first = 0;

    buf_add(text, buf_text(a->fields), a->fields->len);
    if (a->message->size > 0 && pread(a->message->fd, &first, 1, (off_t)a->message->offset) == 1 &&
        (first == ' ' || first == '\t'))
        buf_printf(text, "%s%s", ABSORBER, a->message->eol);
}

/* Our fields and the outer header without the empty line. end_r: where the copied section ended in the
 * message. */
static int write_outer(const struct assemble *a, bool inner, int out, uint64_t *end_r)
{
    const struct message *message = a->message;
    struct strlist drop = {0};
    struct headercopy how = {.authserv_id = message->config->authserv_id, .drop = &drop, .drop_mime = inner};
    struct buf text = {0};
    bool open = false;
    int rc;

    for (size_t i = 0; i < a->protected->names.count; i++)
        strlist_add(&drop, a->protected->names.items[i]);
    if (a->subject != NULL)
        strlist_add(&drop, "Subject");
    own_fields(a, &text);
    rc = put(out, &text);
    if (rc == 0)
        rc = headercopy_run(&how, message->fd, message->offset, message->size, out, end_r, &open);
    buf_clear(&text);
    if (open && (inner || a->subject != NULL || a->protected->names.count > 0))
        buf_add_text(&text, message->eol);
    if (a->protected->names.count > 0)
        protected_write(a->protected, a->subject != NULL, how.authserv_id, message->eol, &text);
    if (a->subject != NULL)
        header_write(&text, "Subject", a->subject, message->eol);
    if (rc == 0)
        rc = put(out, &text);
    buf_free(&text);
    strlist_free(&drop);
    return rc;
}

static int write_as_it_came(const struct assemble *a, int out)
{
    const struct message *message = a->message;
    uint64_t end = 0;

    if (write_outer(a, false, out, &end) != 0)
        return -1;
    return fdio_copy_range(message->fd, end, message->offset + message->size - end, out);
}

/* The header of the entity as it goes out: its Content-* fields. False when it has none: then its header
   section, whatever it is, is text that somebody encrypted without making it a MIME entity. */
static bool content_fields(const struct header *header, const char *authserv_id, struct buf *out)
{
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];

        if (!header_field_is_content(header, i) ||
            forged_field((const char *)header->data + field->start, field->end - field->start, authserv_id))
            continue;
        protected_put_field(header, i, header->eol, out);
    }
    return out->len > 0 || header_count(header, "MIME-Version") > 0;
}

/* Would a relay destroy something in a leaf? Raw 8-bit text may pass as it is. */
static bool fragile(const struct mime_part *part)
{
    for (; part != NULL; part = part->next) {
        if (part->children == NULL &&
            (part->has_nul || part->has_bare_cr || part->has_long_line || part->encoding == MIME_BINARY))
            return true;
        if (part->children != NULL && fragile(part->children)) /* as deep as MAX_DEPTH */
            return true;
    }
    return false;
}

/* Copies octets of an entity with the message's line ends. */
static int copy_text(const struct message *message, int from, uint64_t offset, uint64_t len, int out)
{
    enum source_eol eol = message->eol[0] == '\r' ? SOURCE_EOL_CRLF : SOURCE_EOL_LF;
    struct source *source = source_new(from, offset, len, MIME_BINARY, eol);
    int rc = source_copy(source, out, NULL);

    source_free(source);
    return rc;
}

/* Re-encodes the entity into a file of its own and copies that. */
static int write_prepared(const struct assemble *a, const struct mime *mime, const struct buf *header,
                          int out, struct outcome *outcome)
{
    int fd = message_output(a->message, a->node->entity.length, outcome);
    bool unsafe = false;
    uint64_t size = 0;
    int rc = -1;

    if (fd < 0)
        return -1;
    if (prepare_write(mime->root, header, a->node->entity.fd, fd, &unsafe) == 0 && fdio_size(fd, &size) == 0)
        rc = copy_text(a->message, fd, 0, size, out);
    fdio_close(&fd);
    return rc;
}

/* The inner entity: Content-* fields, empty line, body. */
static int write_entity(const struct assemble *a, const struct mime *mime, int out, struct outcome *outcome)
{
    const struct layer_entity *entity = &a->node->entity;
    const struct mime_part *root = mime->root;
    struct buf header = {0}, text = {0};
    uint64_t body = root->body;
    int rc;

    if (!content_fields(&root->header, a->message->config->authserv_id, &header) &&
        a->node->layer.kind != LAYER_WRAPPED)
        body = entity->offset;
    if (header.len > 0 && fragile(root)) {
        rc = write_prepared(a, mime, &header, out, outcome);
    } else {
        for (size_t i = 0; i < header.len; i++)
            if (header.data[i] == '\n')
                buf_add_text(&text, a->message->eol);
            else if (!(header.data[i] == '\r' && i + 1 < header.len && header.data[i + 1] == '\n'))
                buf_add_char(&text, header.data[i]);
        buf_add_text(&text, a->message->eol);
        rc = put(out, &text);
        if (rc == 0)
            rc = copy_text(a->message, entity->fd, body, entity->offset + entity->length - body, out);
    }
    buf_free(&header);
    buf_free(&text);
    return rc;
}

static void make_boundary(struct buf *boundary)
{
    unsigned char octets[16] = {0};

    if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
        memcpy(octets, &boundary, sizeof(boundary)); /* cannot be: 16 octets always come at once */
    buf_add_text(boundary, "=_julia_");
    hex_encode_buf(boundary, octets, sizeof(octets));
}

/* The report as last part of a multipart/mixed (REPORT). */
static int write_with_report(const struct assemble *a, const struct mime *mime, int out,
                             struct outcome *outcome)
{
    const char *eol = a->message->eol;
    struct buf boundary = {0}, text = {0};
    int rc;

    make_boundary(&boundary);
    buf_printf(&text, "Content-Type: multipart/mixed; boundary=\"%s\"%s%s--%s%s", boundary.data, eol, eol,
               boundary.data, eol);
    rc = put(out, &text);
    if (rc == 0)
        rc = write_entity(a, mime, out, outcome);
    buf_clear(&text);
    buf_printf(&text, "%s--%s%s", eol, boundary.data, eol);
    buf_add(&text, a->report->data, a->report->len);
    buf_printf(&text, "%s--%s--%s", eol, boundary.data, eol);
    if (rc == 0)
        rc = put(out, &text);
    buf_free(&boundary);
    buf_free(&text);
    return rc;
}

static int write_inner(const struct assemble *a, int out, struct outcome *outcome)
{
    struct buf version = {0};
    struct mime mime;
    uint64_t end;
    int rc;

    if (unwrap_parse(a->message, a->node, &mime) != 0)
        return -1;
    buf_printf(&version, "MIME-Version: 1.0%s", a->message->eol);
    rc = write_outer(a, true, out, &end);
    if (rc == 0)
        rc = put(out, &version);
    if (rc == 0)
        rc = a->report != NULL ? write_with_report(a, &mime, out, outcome)
                               : write_entity(a, &mime, out, outcome);
    buf_free(&version);
    mime_free(&mime);
    return rc;
}

int assemble_write(const struct assemble *assemble, int out, struct outcome *outcome)
{
    if (assemble->node->outer == NULL)
        return write_as_it_came(assemble, out);
    return write_inner(assemble, out, outcome);
}
