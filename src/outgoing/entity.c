#include "outgoing/entity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "outgoing/hcp.h"
#include "outgoing/prepare.h"
#include "util/fdio.h"
#include "util/tmpfile.h"

#define BLANKS " \t\r\n"

void entity_free(struct entity *entity)
{
    fdio_close(&entity->own_fd);
    entity->count = 0;
}

uint64_t entity_length(const struct entity *entity)
{
    uint64_t length = 0;
    for (size_t i = 0; i < entity->count; i++)
        length += entity->pieces[i].length;
    return length;
}

/* The last field of a header section that no empty line ended may lack its line end. */
static void end_line(struct buf *out, const char *eol)
{
    if (out->len > 0 && out->data[out->len - 1] != '\n')
        buf_add_text(out, eol);
}

static void copy_field(const struct header *header, size_t index, struct buf *out)
{
    header_copy(header, index, out);
    end_line(out, header->eol);
}

static void copy_subject(const struct entity_header *how, size_t index, struct buf *out)
{
    const struct header *header = &how->message->mime.root->header;
    if (how->trigger.sign || how->trigger.encrypt)
        trigger_strip(how->message->config, header, index, out);
    else
        header_copy(header, index, out);
    end_line(out, header->eol);
}

/* Everything that the Subject says, with triggers and without. */
static void begin_hcp(const struct entity_header *how, struct hcp *hcp)
{
    const struct header *header = &how->message->mime.root->header;
    struct buf field = {0};
    hcp_begin(hcp, how->encrypted ? how->protection : CONFIG_PROTECTION_NO, header);
    for (size_t i = 0; i < header->count; i++)
        if (header_field_is(header, i, "Subject"))
            copy_subject(how, i, &field);
    hcp_add_subject(hcp, &field);
    buf_free(&field);
}

/* Of several fields of these names the first is enough. */
static bool once_more(const struct header *header, size_t index, bool subject_too)
{
    return (header_field_is(header, index, "MIME-Version") &&
            header_find(header, "MIME-Version", 0) < (long)index) ||
           (subject_too && header_field_is(header, index, "Subject") &&
            header_find(header, "Subject", 0) < (long)index);
}

void entity_outer_header(const struct entity_header *how, struct buf *out)
{
    static const char *const never[] = {"Bcc", "Resent-Bcc", "HP-Outer", NULL};
    const struct header *header = &how->message->mime.root->header;
    struct hcp hcp;
    begin_hcp(how, &hcp);
    for (size_t i = 0; i < header->count; i++) {
        if (header_field_is_content(header, i) || header_field_in(header, i, never) ||
            (how->left_out != NULL && how->left_out[i]) || once_more(header, i, hcp_hides(hcp.policy)))
            continue;
        if (header_field_is(header, i, "Subject") && !hcp_hides(hcp.policy))
            copy_subject(how, i, out);
        else
            hcp_outside(&hcp, header, i, out);
    }
    if (header_count(header, "MIME-Version") == 0)
        buf_printf(out, "MIME-Version: 1.0%s", header->eol);
    hcp_free(&hcp);
}

void entity_clear_header(const struct entity_header *how, struct buf *out)
{
    const struct header *header = &how->message->mime.root->header;
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        if (how->left_out != NULL && how->left_out[i])
            continue;
        if (header_field_is(header, i, "Subject"))
            trigger_strip(how->message->config, header, i, out);
        else
            buf_add(out, header->data + field->start, field->end - field->start);
    }
}

/* Behind a quoted string or comment that begins at `at`, else `at` itself. */
static size_t skip_quoted(const char *text, size_t len, size_t at)
{
    char end = text[at] == '"' ? '"' : text[at] == '(' ? ')' : '\0';
    size_t i = at + 1;
    if (end == '\0')
        return at;
    for (; i < len && text[i] != end; i++)
        if (text[i] == '\\')
            i++;
    return i < len ? i + 1 : len;
}

static size_t skip_blanks(const char *text, size_t len, size_t at)
{
    while (at < len && strchr(BLANKS, text[at]) != NULL)
        at++;
    return at;
}

/* How many octets the parameter hp takes whose ';' stands at text[at]; 0: it is another one. */
static size_t hp_length(const char *text, size_t len, size_t at)
{
    size_t i = skip_blanks(text, len, at + 1), end;
    if (i + 2 >= len || strncasecmp(text + i, "hp", 2) != 0)
        return 0;
    i = skip_blanks(text, len, i + 2);
    if (i == len || text[i] != '=')
        return 0;
    i = skip_blanks(text, len, i + 1);
    end = i < len ? skip_quoted(text, len, i) : len;
    if (end == i)
        while (end < len && text[end] != ';' && strchr(BLANKS, text[end]) == NULL)
            end++;
    return end - at;
}

/* Removes hp, which a message that came protected may have already, from the Content-Type at
 * out->data[start]. */
static void drop_hp(struct buf *out, size_t start)
{
    size_t to = start, kept;
    for (size_t i = start; i < out->len; i += kept) {
        const char *text = out->data;
        size_t behind = skip_quoted(text, out->len, i);
        size_t gone = behind == i && text[i] == ';' ? hp_length(text, out->len, i) : 0;
        i += gone;
        kept = gone > 0 ? 0 : behind > i ? behind - i : 1;
        memmove(out->data + to, out->data + i, kept);
        to += kept;
    }
    out->len = to;
}

/* hp="clear" or hp="cipher" behind the parameters of the Content-Type at the end of `out`. */
static void add_hp(const struct entity_header *how, struct buf *out, const char *eol)
{
    while (out->len > 0 && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r' ||
                            out->data[out->len - 1] == ' ' || out->data[out->len - 1] == ';'))
        out->len--;
    buf_printf(out, ";%s hp=\"%s\"%s", eol, how->encrypted ? "cipher" : "clear", eol);
}

static void copy_protected(const struct entity_header *how, struct buf *out)
{
    const struct header *header = &how->message->mime.root->header;
    for (size_t i = 0; i < header->count; i++) {
        if (header_field_is(header, i, "Subject"))
            copy_subject(how, i, out);
        else if (hcp_protects(header, i))
            copy_field(header, i, out);
    }
}

/* HP-Outer (RFC 9788 2.2): what stands outside of an encrypted entity, so that the reader's client knows what
 * was hidden. */
static void add_hp_outer(const struct entity_header *how, struct buf *out)
{
    struct buf outside = {0};
    struct header header;
    entity_outer_header(how, &outside);
    header_parse(&header, buf_text(&outside), outside.len);
    for (size_t i = 0; i < header.count; i++)
        if (hcp_protects(&header, i)) {
            buf_add_text(out, "HP-Outer: ");
            copy_field(&header, i, out);
        }
    header_free(&header);
    buf_free(&outside);
}

static const struct message *content_of(const struct entity_header *how)
{
    return how->content != NULL ? how->content : how->message;
}

void entity_inner_header(const struct entity_header *how, struct buf *out)
{
    const struct mime_part *root = content_of(how)->mime.root;
    const struct header *header = &root->header;
    const bool protect = how->protection != CONFIG_PROTECTION_NO && !how->kept_inside;
    bool typed = false;
    if (protect)
        copy_protected(how, out);
    if (protect && how->encrypted)
        add_hp_outer(how, out);
    for (size_t i = 0; i < header->count; i++) {
        if (!header_field_is_content(header, i) || header_field_is(header, i, "Content-Length"))
            continue; /* Content-Length is no MIME field, and would be wrong inside */
        size_t start = out->len;
        copy_field(header, i, out);
        if (protect && !typed && header_field_is(header, i, "Content-Type")) {
            drop_hp(out, start);
            add_hp(how, out, header->eol);
        }
        typed = typed || header_field_is(header, i, "Content-Type");
    }
    if (typed)
        return;
    buf_printf(out, "Content-Type: text/plain; charset=%s%s", root->has_8bit ? "unknown-8bit" : "us-ascii",
               header->eol);
    if (protect)
        add_hp(how, out, header->eol);
}

/* Writes the inner header with its empty line to a file of its own. */
static int header_file(const struct entity_header *how, uint64_t *length_r, struct outcome *outcome)
{
    struct buf inner = {0};
    entity_inner_header(how, &inner);
    buf_add_text(&inner, how->message->mime.root->header.eol);
    int fd = message_output(how->message, inner.len, outcome);
    if (fd >= 0 && fdio_write_all(fd, inner.data, inner.len) != 0) {
        outcome_temporary(outcome, "4.3.1", "cannot write to SPOOL: %s", strerror(errno));
        fdio_close(&fd);
    }
    if (fd >= 0)
        tmpfile_finish(&fd); /* the smime module only reads what the last check compares with */
    *length_r = inner.len;
    buf_free(&inner);
    return fd;
}

bool entity_plain(const struct entity_header *how, struct entity *entity_r, struct outcome *outcome)
{
    const struct message *content = content_of(how);
    const struct mime_part *root = content->mime.root;
    uint64_t length;
    int fd = header_file(how, &length, outcome);
    *entity_r = (struct entity){.own_fd = fd};
    if (fd < 0)
        return false;
    entity_r->pieces[0] = (struct entity_piece){fd, 0, length};
    entity_r->pieces[1] = (struct entity_piece){content->fd, root->body, root->end - root->body};
    entity_r->count = root->end > root->body ? 2 : 1;
    return true;
}

bool entity_prepared(const struct entity_header *how, struct entity *entity_r, struct outcome *outcome)
{
    const struct message *message = content_of(how);
    struct buf inner = {0};
    entity_inner_header(how, &inner);
    bool limited =
        message->mime.fault != MIME_OK; /* what lies deeper is not known, so it cannot be re-encoded */
    if (limited || !prepare_needed(message->mime.root, &inner, message->fd)) {
        bool ok = entity_plain(how, entity_r, outcome);
        entity_r->fragile = limited;
        buf_free(&inner);
        return ok;
    }
    int fd = message_output(message, message->size + message->size / 2, outcome);
    *entity_r = (struct entity){.own_fd = fd};
    bool ok = fd >= 0;
    uint64_t length = 0;
    if (ok && (prepare_write(message->mime.root, &inner, message->fd, fd, &entity_r->fragile) != 0 ||
               fdio_size(fd, &length) != 0)) {
        outcome_temporary(outcome, "4.3.1", "cannot write to SPOOL: %s", strerror(errno));
        entity_free(entity_r);
        ok = false;
    }
    if (ok) {
        tmpfile_finish(&fd);
        entity_r->own_fd = fd;
        entity_r->pieces[0] = (struct entity_piece){fd, 0, length};
        entity_r->count = 1;
    }
    buf_free(&inner);
    return ok;
}
