#include "core/quoted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "core/direction.h"
#include "incoming/forged.h"
#include "incoming/headercopy.h"
#include "mail/mime_scan.h"
#include "mail/source.h"
#include "util/fdio.h"
#include "util/log.h"

/* A report quotes one mail, perhaps a few; what is quoted has parts as any mail. */
#define DEPTH_MAX 200
#define PARTS_MAX 20000

struct cleaning {
    const struct message *message;
    struct outcome *outcome;
    int out;     /* -1 until there is something to change */
    uint64_t at; /* up to here the message is copied */
};

struct quoted { /* one quoted mail, decoded */
    int fd;     /* of the message, or own */
    bool own;
    uint64_t offset, length;
    bool opened; /* came encrypted, or nobody can tell: it is only named */
    bool marked; /* has fields of ours */
    struct mime mime;
};

bool quoted_is_quoting(const struct mime_part *part)
{
    static const char *const types[] = {"message/rfc822", "message/global", "text/rfc822-headers",
                                        "message/rfc822-headers", "message/global-headers"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (mime_type_is(part, types[i]))
            return true;
    return false;
}

/* base64 and quoted-printable are decoded into a file. */
static int open_quoted(struct quoted *quoted, const struct cleaning *c, const struct mime_part *part)
{
    struct source *source;
    int rc;

    *quoted = (struct quoted){.fd = c->message->fd, .offset = part->body, .length = part->end - part->body};
    if (part->encoding != MIME_QP && part->encoding != MIME_BASE64)
        return 0;
    quoted->fd = message_output(c->message, quoted->length, c->outcome);
    if (quoted->fd < 0)
        return -1;
    quoted->own = true;
    source = source_new(c->message->fd, part->body, quoted->length, part->encoding, SOURCE_EOL_KEEP);
    quoted->offset = quoted->length = 0;
    rc = source_copy(source, quoted->fd, &quoted->length);
    source_free(source);
    return rc;
}

static void close_quoted(struct quoted *quoted)
{
    mime_free(&quoted->mime);
    if (quoted->own)
        fdio_close(&quoted->fd);
}

static void judge_field(struct quoted *quoted, const struct header *header, size_t index,
                        const char *authserv_id)
{
    const struct header_field *field = &header->fields[index];
    char *value;

    if (!forged_field((const char *)header->data + field->start, field->end - field->start, authserv_id))
        return;
    quoted->marked = true;
    if (!header_field_is(header, index, "X-JULIA-Encryption"))
        return;
    value = header_value(header, index);
    if (strcasecmp(value, "none") != 0)
        quoted->opened = true;
    free(value);
}

static bool has_quoting(const struct mime_part *part)
{
    for (; part != NULL; part = part->next)
        if (quoted_is_quoting(part) || has_quoting(part->children)) /* as deep as MAX_DEPTH */
            return true;
    return false;
}

/* Is there something in it that is not looked at: beyond the limits, or quoted inside of an encoded one? */
static bool may_hide(const struct quoted *quoted)
{
    return quoted->mime.fault != MIME_OK || (quoted->own && has_quoting(quoted->mime.root));
}

/* A mail that consists of another one: its header is that of a mail, and was looked at already. */
static bool is_mail(const struct mime_part *part)
{
    return part->parent == NULL || !mime_type_is(part->parent, "multipart/");
}

/* A line that could be taken for a boundary of the report: 1, 0, or -1 with errno. */
static int has_dashes(const struct quoted *quoted)
{
    struct mime_line line = {0};
    struct mime_scan scan;
    bool found = false;
    int got = 0;

    mime_scan_begin(&scan, quoted->fd, quoted->offset, quoted->length);
    while (!found && (got = mime_scan_line(&scan, &line)) > 0)
        found = line.begins && line.len >= 2 && memcmp(line.data, "--", 2) == 0;
    mime_scan_end(&scan);
    return found ? 1 : got;
}

/* Can what was decoded not stand in its place? Where the header that stays says that it is encoded, or where
   the parts around it could become others: 1, 0, or -1 with errno. */
static int stays_encoded(const struct quoted *quoted, const struct mime_part *part)
{
    if (!quoted->own || !quoted->marked)
        return 0;
    return is_mail(part) || mime_type_is(quoted->mime.root, "multipart/") ? 1 : has_dashes(quoted);
}

static int judge(struct quoted *quoted, const struct cleaning *c, const struct mime_part *part)
{
    const struct header *header;
    int encoded;

    if (mime_parse(&quoted->mime, quoted->fd, quoted->offset, quoted->length, NULL) != 0)
        return -1;
    header = &quoted->mime.root->header;
    for (size_t i = 0; i < header->count; i++)
        judge_field(quoted, header, i, c->message->config->authserv_id);
    /* a copy that came back from the virus scanner without what was found here */
    if (header_count(header, "X-JULIA-Encryption") == 0 && direction_was_scanned(c->message->config, header))
        quoted->opened = true;
    encoded = stays_encoded(quoted, part);
    if (may_hide(quoted) || encoded > 0)
        quoted->opened = true;
    return encoded < 0 ? -1 : 0;
}

/* Copies the message up to `upto`; makes the output if there is none. */
static int copy_to(struct cleaning *c, uint64_t upto)
{
    uint64_t from = c->at;

    if (c->out < 0)
        c->out = message_output(c->message, c->message->size, c->outcome);
    if (c->out < 0)
        return -1;
    c->at = upto;
    return fdio_copy_range(c->message->fd, from, upto - from, c->out);
}

static int put(const struct cleaning *c, const struct buf *text)
{
    return text->len > 0 ? fdio_write_all(c->out, text->data, text->len) : 0;
}

/* The part becomes one that names the mail and nothing else. */
static int write_name(struct cleaning *c, const struct mime_part *part, const struct quoted *quoted)
{
    const struct header *header = &quoted->mime.root->header;
    long id = header_find(header, "Message-ID", 0);
    const char *eol = c->message->eol;
    struct buf text = {0};
    int rc;

    if (!is_mail(part))
        buf_printf(&text, "Content-Type: text/rfc822-headers%s%s", eol, eol);
    if (id >= 0)
        header_copy(header, (size_t)id, &text);
    rc = copy_to(c, is_mail(part) ? part->body : part->start);
    if (rc == 0)
        rc = put(c, &text);
    c->at = part->end;
    buf_free(&text);
    return rc;
}

/* The header of a part whose encoding is undone. */
static int write_decoded_header(struct cleaning *c, const struct mime_part *part)
{
    struct buf text = {0};
    int rc = copy_to(c, part->start);

    for (size_t i = 0; i < part->header.count; i++)
        if (!header_field_is(&part->header, i, "Content-Transfer-Encoding"))
            header_copy(&part->header, i, &text);
    buf_printf(&text, "Content-Transfer-Encoding: 8bit%s%s", c->message->eol, c->message->eol);
    if (rc == 0)
        rc = put(c, &text);
    buf_free(&text);
    return rc;
}

/* The quoted mail without fields of ours. What follows its header is copied later when it stands in the
 * message itself. */
static int write_unmarked(struct cleaning *c, const struct mime_part *part, const struct quoted *quoted)
{
    const struct headercopy how = {.authserv_id = c->message->config->authserv_id};
    uint64_t end = 0;
    bool open = false;
    int rc = quoted->own ? write_decoded_header(c, part) : copy_to(c, part->body);

    if (rc == 0)
        rc = headercopy_run(&how, quoted->fd, quoted->offset, quoted->length, c->out, &end, &open);
    if (rc == 0 && quoted->own)
        rc = fdio_copy_range(quoted->fd, end, quoted->offset + quoted->length - end, c->out);
    c->at = quoted->own ? part->end : end;
    return rc;
}

/* deeper_r: mails that are quoted in the quoted one are still to be looked at. */
static int clean_quoted(struct cleaning *c, const struct mime_part *part, bool *deeper_r)
{
    struct quoted quoted;
    int rc = open_quoted(&quoted, c, part);

    if (rc == 0)
        rc = judge(&quoted, c, part);
    if (rc == 0 && quoted.opened)
        rc = write_name(c, part, &quoted);
    else if (rc == 0 && quoted.marked)
        rc = write_unmarked(c, part, &quoted);
    *deeper_r = !quoted.opened && !quoted.own;
    close_quoted(&quoted);
    return rc;
}

static int refuse(struct cleaning *c)
{
    outcome_permanent(c->outcome, EX_DATAERR, "5.6.0",
                      "a report with more in it than can be looked at may quote what must stay inside");
    return -1;
}

static int clean_parts(struct cleaning *c, const struct mime_part *part)
{
    int rc = 0;

    for (; rc == 0 && part != NULL; part = part->next) {
        bool deeper = true;

        if (part->header_cut) /* nobody knows what kind of part it is */
            return refuse(c);
        if (quoted_is_quoting(part))
            rc = clean_quoted(c, part, &deeper);
        if (rc == 0 && deeper && part->children != NULL) /* as deep as the tree */
            rc = clean_parts(c, part->children);
    }
    return rc;
}

/* Where a limit was met the message's own tree is not all of it: a larger one, which must be. */
static int clean_large(struct cleaning *c)
{
    const struct message *message = c->message;
    const struct mime_limits limits = {.max_depth = DEPTH_MAX, .max_parts = PARTS_MAX};
    struct mime mime;
    int rc = mime_parse(&mime, message->fd, message->offset, message->size, &limits);

    if (rc == 0)
        rc = mime.incomplete ? refuse(c) : clean_parts(c, mime.root);
    mime_free(&mime);
    return rc;
}

bool quoted_clean(struct message *message, struct outcome *outcome)
{
    struct cleaning c = {.message = message, .outcome = outcome, .out = -1, .at = message->offset};
    int rc;

    if (message->envelope.sender[0] != '\0' && !mime_type_is(message->mime.root, "multipart/report"))
        return true;
    rc = message->mime.fault == MIME_OK ? clean_parts(&c, message->mime.root) : clean_large(&c);
    if (rc == 0 && c.out >= 0)
        rc = copy_to(&c, message->offset + message->size);
    if (rc != 0) {
        if (outcome->kind == OUTCOME_DONE)
            outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        fdio_close(&c.out);
    } else if (c.out >= 0) {
        log_event(
            LOG_LEVEL_INFO, "quoted", "text",
            "a report quotes mail that was worked on here: what was found and what was inside is left out",
            (char *)NULL);
        message_replace(message, c.out, outcome);
    }
    return outcome->kind == OUTCOME_DONE;
}
