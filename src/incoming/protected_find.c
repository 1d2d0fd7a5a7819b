/* Where in a message the protected fields stand: only the root of what is behind all layers counts (RFC 9788
   4.1), never a part of it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "incoming/protected.h"
#include "mail/source.h"

#define PART_MAX  (64u << 10)              /* octets of a text/rfc822-headers part that are read */
#define FRONT_MAX (2 * HEADER_SECTION_MAX) /* octets in which a header and that of a first part stand */

struct finder {
    struct protected *found;
    const struct message *message;
    const struct unwrap_node *node; /* the one looked at */
    struct mime mime;
};

static bool param_is(const struct mime_part *part, const char *name, const char *value)
{
    const char *found = header_typed_param(&part->type, name);

    return found != NULL && strcasecmp(found, value) == 0;
}

static bool is_hp(const struct mime_part *part)
{
    return (param_is(part, "hp", "clear") || param_is(part, "hp", "cipher")) &&
           header_count(&part->header, "Content-Type") == 1 && !header_hides(&part->header, "Content-Type");
}

static bool is_v1(const struct mime_part *part)
{
    return param_is(part, "protected-headers", "v1");
}

static void take(struct finder *f, enum protected_form form, const struct buf *fields)
{
    f->found->form = form;
    header_parse(&f->found->inside, buf_text(fields), fields->len);
    f->found->encrypted = unwrap_encrypted(f->node) != NULL;
    f->found->signature = unwrap_signed(f->node) == NULL ? NULL : &unwrap_signed(f->node)->layer;
}

static void take_header(struct finder *f, enum protected_form form, const struct mime_part *part)
{
    struct buf fields = {0};

    buf_add(&fields, part->header.data, part->header.len);
    take(f, form, &fields);
    buf_free(&fields);
}

/* The first part of a multipart/mixed may hold the fields, where readers that know none of this see them
   ("Memory Hole"). */
static const struct mime_part *header_part(const struct mime_part *root)
{
    const struct mime_part *first = root->children;

    return mime_type_is(root, "multipart/mixed") && first != NULL &&
                   mime_type_is(first, "text/rfc822-headers") && is_v1(first)
               ? first
               : NULL;
}

static int read_part(const struct finder *f, const struct mime_part *part, struct buf *text)
{
    struct source *source =
        source_new(f->node->entity.fd, part->body, part->end - part->body, part->encoding, SOURCE_EOL_KEEP);
    char chunk[4096];
    ssize_t n;

    while ((n = source_read(source, chunk, sizeof(chunk))) > 0 && text->len < PART_MAX)
        buf_add(text, chunk, (size_t)n);
    source_free(source);
    return n < 0 ? -1 : 0;
}

/* Fields of the root, and those of the part that the root does not have. */
static int take_v1(struct finder *f, const struct mime_part *part)
{
    const struct mime_part *root = f->mime.root;
    struct buf fields = {0}, text = {0};
    struct header more;

    if (is_v1(root))
        for (size_t i = 0; i < root->header.count; i++)
            protected_put_field(&root->header, i, "\n", &fields);
    if (part != NULL && read_part(f, part, &text) != 0) {
        buf_free(&fields);
        buf_free(&text);
        return -1;
    }
    header_parse(&more, buf_text(&text), text.len);
    for (size_t i = 0; i < more.count; i++) {
        char *name = header_name(&more, i);

        if (*name != '\0' && (!is_v1(root) || header_count(&root->header, name) == 0))
            protected_put_field(&more, i, "\n", &fields);
        free(name);
    }
    take(f, PROTECTED_V1, &fields);
    header_free(&more);
    buf_free(&fields);
    buf_free(&text);
    return 0;
}

/* Of the payload: what stands behind all layers. `part` is its root. */
static int look_at_payload(struct finder *f, const struct mime_part *part)
{
    const struct mime_part *fields = header_part(part);

    if (f->node->layer.kind == LAYER_WRAPPED)
        take_header(f, PROTECTED_WRAPPED, part);
    else if (is_hp(part))
        take_header(f, PROTECTED_HP, part);
    else if (part == f->mime.root && (is_v1(part) || fields != NULL))
        return take_v1(f, fields);
    else if (is_v1(part))
        take_header(f, PROTECTED_V1, part);
    return 0;
}

/* All that counts stands in front: `most` octets are looked at. */
static int open_node(struct finder *f, const struct unwrap_node *node, uint64_t most)
{
    struct unwrap_node front = *node;

    mime_free(&f->mime);
    memset(&f->mime, 0, sizeof(f->mime));
    f->node = node;
    if (front.entity.length > most)
        front.entity.length = most;
    return unwrap_parse(f->message, &front, &f->mime);
}

/* HP-Outer (RFC 9788 2.2): each has a whole field as its value. */
static void read_said(struct protected *protected, const struct header *header)
{
    struct buf fields = {0};
    long index;

    for (size_t from = 0; (index = header_next(header, "HP-Outer", from)) >= 0; from = (size_t)index + 1) {
        char *field = header_value(header, (size_t)index);

        buf_printf(&fields, "%s\n", field);
        free(field);
    }
    header_free(&protected->said);
    header_parse(&protected->said, buf_text(&fields), fields.len);
    buf_free(&fields);
}

/* Texts that are protected around a signature only. Nothing that says who wrote the message, or to whom an
   answer goes: that must be signed, where something is. */
static void add_texts(struct protected *protected, const struct header *around)
{
    static const char *const texts[] = {"Subject", "Comments", "Keywords", "Thread-Topic"};
    struct buf all = {0};

    buf_add(&all, protected->inside.data, protected->inside.len);
    buf_add_text(&all, all.len > 0 && all.data[all.len - 1] != '\n' ? "\n" : "");
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
        bool missing = header_count(&protected->inside, texts[t]) == 0;

        for (size_t i = 0; missing && i < around->count; i++)
            if (header_field_is(around, i, texts[t]))
                protected_put_field(around, i, "\n", &all);
    }
    header_free(&protected->inside);
    header_parse(&protected->inside, buf_text(&all), all.len);
    buf_free(&all);
}

/* julia as the sender cannot write into a signature that the user has made himself: then the fields stand
   around it, at the root of what came out of the encrypted layer. RFC 9788 knows no such place, and nothing
   there is signed. */
static int look_around_signatures(struct finder *f, const struct unwrap_node *node)
{
    while (node->layer.kind == LAYER_SIGNED || node->layer.kind == LAYER_COMPRESSED) {
        node = node->outer;
        if (node->outer == NULL)
            return 0;
        if (open_node(f, node, FRONT_MAX) != 0)
            return -1;
        if (!param_is(f->mime.root, "hp", "cipher"))
            continue;
        if (f->found->form == PROTECTED_NOT)
            take_header(f, PROTECTED_HP, f->mime.root);
        else
            add_texts(f->found, &f->mime.root->header);
        if (f->found->said.count == 0)
            read_said(f->found, &f->mime.root->header);
        return 0;
    }
    return 0;
}

/* A signature that cannot be judged, or is broken, is none: what stands behind it is shown, and so are its
   fields. */
static const struct mime_part *behind_bad_signature(const struct mime_part *root, enum unwrap_stop stop)
{
    bool bad = stop == UNWRAP_BROKEN || stop == UNWRAP_UNCHECKED || stop == UNWRAP_UNASKED;

    return bad && smime_part_shape(root) == SMIME_SHAPE_DETACHED ? root->children : NULL;
}

static int find(struct finder *f, const struct unwrap_node *inner, enum unwrap_stop stop)
{
    const struct mime_part *payload;

    if (open_node(f, inner, stop == UNWRAP_CLEAN ? FRONT_MAX : UINT64_MAX) != 0)
        return -1;
    payload = stop == UNWRAP_CLEAN ? f->mime.root : behind_bad_signature(f->mime.root, stop);
    if (payload == NULL)
        return 0;
    if (look_at_payload(f, payload) != 0)
        return -1;
    if (f->found->form == PROTECTED_HP && param_is(payload, "hp", "cipher"))
        read_said(f->found, &payload->header);
    if (payload != f->mime.root && f->found->form == PROTECTED_NOT &&
        param_is(f->mime.root, "hp", "cipher")) {
        take_header(f, PROTECTED_HP, f->mime.root);
        read_said(f->found, &f->mime.root->header);
    }
    return unwrap_encrypted(inner) != NULL ? look_around_signatures(f, inner) : 0;
}

int protected_find(struct protected *protected, const struct message *message,
                   const struct unwrap_strand *strand)
{
    struct finder f = {.found = protected, .message = message};
    const struct unwrap_node *inner = unwrap_undisputed(strand->inner);
    enum unwrap_stop stop = inner == strand->inner ? strand->stop : unwrap_reason(strand);
    int rc = 0;

    if (unwrap_encrypted(inner) != NULL || (stop == UNWRAP_CLEAN && unwrap_signed(inner) != NULL))
        rc = find(&f, inner, stop);
    mime_free(&f.mime);
    return rc;
}
