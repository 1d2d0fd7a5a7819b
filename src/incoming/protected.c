#include "incoming/protected.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "incoming/author.h"
#include "incoming/forged.h"
#include "incoming/signerstatus.h"
#include "mail/address.h"

static bool same_from(const struct protected *protected)
{
    return protected->inner_from != NULL && protected->outer_from != NULL &&
           address_equal(protected->inner_from, protected->outer_from);
}

static bool has_from(const struct protected *protected)
{
    return header_count(&protected->inside, "From") > 0;
}

static bool vouched(const struct protected *protected, const char *address)
{
    return protected->signature != NULL && address != NULL &&
           signerstatus_vouches(protected->signature, address);
}

/* From inside counts if it says the same as outside, or if somebody who may say so signed it. Of a message
   that was only signed nothing counts without such a signature: everybody can write inside of a bad one. */
static void decide(struct protected *protected)
{
    bool inner =
        protected->inner_from != NULL && (same_from(protected) || vouched(protected, protected->inner_from));

    protected->active =
        protected->encrypted ||
        vouched(protected, has_from(protected) ? protected->inner_from : protected->outer_from);
    protected->from_kept = !protected->active || !inner;
}

int protected_read(struct protected *protected, const struct message *message,
                   const struct unwrap_strand *strand)
{
    const struct header *outer = &message->mime.root->header;

    memset(protected, 0, sizeof(*protected));
    protected->outer_from = author_address(outer, "From");
    protected->from_kept = true;
    if (protected_find(protected, message, strand) != 0)
        return -1;
    if (protected->form == PROTECTED_NOT)
        return 0;
    protected->inner_from = author_address(&protected->inside, "From");
    decide(protected);
    protected_compare(protected, outer);
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
    header_free(&protected->inside);
    header_free(&protected->said);
    strlist_free(&protected->names);
    free(protected->told);
    free(protected->outer_from);
    free(protected->inner_from);
    memset(protected, 0, sizeof(*protected));
}

const char *protected_from(const struct protected *protected)
{
    return protected->from_kept ? protected->outer_from : protected->inner_from;
}

bool protected_other_signed(const struct protected *protected)
{
    return protected->signature != NULL && has_from(protected) && protected->from_kept &&
           !same_from(protected);
}

enum protected_hides protected_hides(const struct protected *protected)
{
    static const char *const names[] = {"From", "Sender", "Reply-To", "To", "Cc", "Date"};
    static const char *const texts[] = {"Subject", "Comments", "Keywords", "Thread-Topic"};

    if (!protected->encrypted)
        return PROTECTED_HIDES_NOTHING;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlist_has(&protected->names, names[i]))
            return PROTECTED_HIDES_NAMES;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strlist_has(&protected->names, texts[i]))
            return PROTECTED_HIDES_SUBJECT;
    return PROTECTED_HIDES_NOTHING;
}

void protected_put_field(const struct header *header, size_t index, const char *eol, struct buf *out)
{
    struct buf field = {0};

    header_copy(header, index, &field);
    for (size_t i = 0; i < field.len; i++) {
        char c = field.data[i];

        if (c == '\n')
            buf_add_text(out, eol);
        else if (c != '\r')
            buf_add_char(out, c);
    }
    if (field.len == 0 || field.data[field.len - 1] != '\n')
        buf_add_text(out, eol);
    buf_free(&field);
}

void protected_write(const struct protected *protected, bool skip_subject, const char *authserv_id,
                     const char *eol, struct buf *out)
{
    const struct header *header = &protected->inside;

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
