#include "outgoing/legacy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "outgoing/hcp.h"
#include "outgoing/legacy_private.h"
#include "util/fdio.h"
#include "util/tmpfile.h"

/* Fields that people read (RFC 9787 1.1.2), in the order in which they are shown. */
static const char *const shown[] = {"Subject", "From",   "To",       "Cc",
                                    "Date",    "Sender", "Reply-To", "Followup-To"};

/* The texts of all fields of that name, one "Name: text" a line. */
static void put_fields(const struct header *header, const char *name, struct buf *out)
{
    long index;
    for (size_t from = 0; (index = header_next(header, name, from)) >= 0; from = (size_t)index + 1) {
        char *text = header_text(header, (size_t)index);
        buf_printf(out, "%s: %s\n", name, text);
        free(text);
    }
}

/* Those that say something else inside than outside. */
static void find_lines(const struct entity_header *how, struct buf *lines)
{
    struct buf inner = {0}, outer = {0};
    struct header inside, outside;
    entity_inner_header(how, &inner);
    entity_outer_header(how, &outer);
    header_parse(&inside, buf_text(&inner), inner.len);
    header_parse(&outside, buf_text(&outer), outer.len);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        struct buf in = {0}, out = {0};
        put_fields(&inside, shown[i], &in);
        put_fields(&outside, shown[i], &out);
        if (strcmp(buf_text(&in), buf_text(&out)) != 0)
            buf_add(lines, buf_text(&in), in.len);
        buf_free(&in);
        buf_free(&out);
    }
    header_free(&inside);
    header_free(&outside);
    buf_free(&inner);
    buf_free(&outer);
}

static bool is_attachment(const struct mime_part *part)
{
    char *value = header_value_of(&part->header, "Content-Disposition");
    bool attachment = value != NULL && strncasecmp(value, "attachment", strlen("attachment")) == 0;
    free(value);
    return attachment;
}

static void walk(struct legacy *l, const struct mime_part *part)
{
    bool text = mime_type_is(part, "text/plain") || mime_type_is(part, "text/html");
    if (is_attachment(part) || mime_type_is(part, "multipart/signed") ||
        mime_type_is(part, "multipart/encrypted"))
        return;
    if (text && part->children == NULL) {
        legacy_part(l, part);
    } else if (mime_type_is(part, "multipart/alternative")) {
        for (const struct mime_part *child = part->children; child != NULL; child = child->next)
            walk(l, child); /* as deep as MAX_DEPTH */
    } else if (mime_type_is(part, "multipart/") && part->children != NULL) {
        walk(l, part->children);
    }
}

bool legacy_write(const struct entity_header *how, int *fd_r, struct outcome *outcome)
{
    const struct message *message = how->message;
    struct legacy l = {.message = message, .at = message->offset};
    struct buf lines = {0};
    *fd_r = -1;
    if (!how->encrypted || how->kept_inside || !hcp_hides(how->protection) || message->mime.fault != MIME_OK)
        return true;
    find_lines(how, &lines);
    l.lines = buf_text(&lines);
    l.out = lines.len > 0 ? message_output(message, message->size + message->size / 2, outcome) : -1;
    if (l.out >= 0) {
        walk(&l, message->mime.root);
        if (l.any && l.error == 0 &&
            fdio_copy_range(message->fd, l.at, message->offset + message->size - l.at, l.out) != 0)
            l.error = errno;
        if (l.error != 0)
            outcome_temporary(outcome, "4.3.1", "cannot write to SPOOL: %s", strerror(l.error));
        if (l.error != 0 || !l.any)
            fdio_close(&l.out);
        else
            tmpfile_finish(&l.out); /* the smime module reads it only */
        *fd_r = l.out;
    }
    buf_free(&lines);
    return outcome->kind == OUTCOME_DONE;
}
