#include "incoming/protected.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "incoming/author.h"
#include "incoming/forged.h"
#include "incoming/signerstatus.h"
#include "mail/address.h"

/* What people read and answer to. Trace fields, results of checks and the like mean nothing when they come
 * from inside. Message-ID stays the outer one: it names the message on its way, also in notices that go back
 * (quoted.h). */
static const char *const restorable[] = {
    "Subject", "From",     "Sender",      "Reply-To",   "To",       "Cc",
    "Date",    "Comments", "In-Reply-To", "References", "Keywords", "Followup-To",
};

static bool is_protected(const struct mime_part *root)
{
    const char *hp = header_typed_param(&root->type, "hp");
    const char *old = header_typed_param(&root->type, "protected-headers");

    if (hp != NULL && (strcasecmp(hp, "clear") == 0 || strcasecmp(hp, "cipher") == 0))
        return true;
    return old != NULL && strcasecmp(old, "v1") == 0;
}

/* From inside counts if it says the same as outside, or if somebody who may say so signed it. */
static void decide_from(struct protected *protected, const struct layer *signature)
{
    const char *inner = protected->inner_from, *outer = protected->outer_from;

    if (header_count(&protected->mime.root->header, "From") == 0)
    protected->from_kept = true;
    else if (inner == NULL) protected->from_kept = true;
    else if (outer != NULL && address_equal(inner, outer)) protected->from_kept = false;
    else protected->from_kept = signature == NULL || !signerstatus_vouches(signature, inner);
}

int protected_read(struct protected *protected, const struct message *message,
                   const struct unwrap_strand *strand, const struct layer *signature)
{
    const struct header *header;

    memset(protected, 0, sizeof(*protected));
    protected->outer_from = author_address(&message->mime.root->header, "From");
    protected->from_kept = true;
    if (strand->stop != UNWRAP_CLEAN || unwrap_encrypted(strand->inner) == NULL)
        return 0;
    if (unwrap_parse(message, strand->inner, &protected->mime) != 0)
        return -1;
    if (!is_protected(protected->mime.root))
        return 0;
    protected->active = true;
    header = &protected->mime.root->header;
    protected->inner_from = author_address(header, "From");
    decide_from(protected, signature);
    for (size_t i = 0; i < sizeof(restorable) / sizeof(restorable[0]); i++)
        if (header_count(header, restorable[i]) > 0 &&
            !(protected->from_kept && strcmp(restorable[i], "From") == 0))
            strlist_add(&protected->names, restorable[i]);
    return 0;
}

void protected_forgo(struct protected *protected)
{
    protected->active = false;
    protected->from_kept = true;
    strlist_free(&protected->names);
}

void protected_free(struct protected *protected)
{
    mime_free(&protected->mime);
    strlist_free(&protected->names);
    free(protected->outer_from);
    free(protected->inner_from);
    memset(protected, 0, sizeof(*protected));
}

const char *protected_from(const struct protected *protected)
{
    return protected->from_kept ? protected->outer_from : protected->inner_from;
}

/* The decoded values of all fields of that name, one a line. */
static char *all_values(const struct header *header, const char *name)
{
    struct buf all = {0};
    long index;

    for (size_t from = 0; (index = header_next(header, name, from)) >= 0; from = (size_t)index + 1) {
        char *value = header_value(header, (size_t)index), *text = header_decode(value);

        buf_printf(&all, "%s\n", text);
        free(value);
        free(text);
    }
    return buf_take(&all);
}

bool protected_hidden(const struct protected *protected, const struct header *outer)
{
    static const char *const names[] = {"Subject", "Comments", "Keywords"};
    bool hidden = false;

    for (size_t i = 0; protected->active && i < sizeof(names) / sizeof(names[0]) && !hidden; i++) {
        char *inside, *outside;

        if (!strlist_has(&protected->names, names[i]))
            continue;
        inside = all_values(&protected->mime.root->header, names[i]);
        outside = all_values(outer, names[i]);
        hidden = inside == NULL || outside == NULL || strcmp(inside, outside) != 0;
        free(inside);
        free(outside);
    }
    return hidden;
}

void protected_put_field(const struct header *header, size_t index, const char *eol, struct buf *out)
{
    const struct header_field *field = &header->fields[index];

    for (size_t i = field->start; i < field->end; i++) {
        unsigned char c = header->data[i];

        if (c == '\r' && i + 1 < field->end && header->data[i + 1] == '\n')
            continue;
        if (c == '\n')
            buf_add_text(out, eol);
        else
            buf_add_char(out, (char)c);
    }
    if (field->end == field->start || header->data[field->end - 1] != '\n')
        buf_add_text(out, eol);
}

void protected_write(const struct protected *protected, bool skip_subject, const char *authserv_id,
                     const char *eol, struct buf *out)
{
    const struct header *header;

    if (!protected->active)
        return;
    header = &protected->mime.root->header;
    for (size_t n = 0; n < protected->names.count; n++) {
        const char *name = protected->names.items[n];

        for (size_t i = 0; i < header->count; i++) {
            const struct header_field *field = &header->fields[i];

            if (!header_field_is(header, i, name) || (skip_subject && strcasecmp(name, "Subject") == 0) ||
                forged_field((const char *)header->data + field->start, field->end - field->start,
                             authserv_id))
                continue;
            protected_put_field(header, i, eol, out);
        }
    }
}
