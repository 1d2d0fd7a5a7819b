/* What stands outermost in an entity. */
#include <string.h>
#include <strings.h>

#include "incoming/armour.h"
#include "incoming/layer.h"
#include "incoming/readings.h"

static enum layer_kind kind_of(enum cms_type type)
{
    switch (type) {
    case CMS_SIGNED:
        return LAYER_SIGNED;
    case CMS_ENVELOPED:
    case CMS_AUTH_ENVELOPED:
        return LAYER_ENCRYPTED;
    case CMS_COMPRESSED:
        return LAYER_COMPRESSED;
    default:
        return LAYER_OTHER;
    }
}

/* What the label promises (RFC 8551 3.2.2); encrypted unless it says otherwise. Certificates that cannot be
   read are neither a signature nor secret. */
static enum layer_kind kind_of_label(const struct mime_part *part)
{
    const char *type = header_typed_param(&part->type, "smime-type");

    if (type != NULL && strcasecmp(type, "certs-only") == 0)
        return LAYER_NONE;
    if (type != NULL && strcasecmp(type, "signed-data") == 0)
        return LAYER_SIGNED;
    if (type != NULL && strcasecmp(type, "compressed-data") == 0)
        return LAYER_COMPRESSED;
    return LAYER_ENCRYPTED;
}

static int read_outline(struct layer_look *look)
{
    struct source *source = source_new(look->content.fd, look->content.offset, look->content.length,
                                       look->encoding, SOURCE_EOL_KEEP);
    int rc;

    cms_outline_free(&look->outline);
    rc = cms_outline_read(&look->outline, source, false);
    source_free(source);
    return rc;
}

/* The CMS object in a part, in its transfer encoding, or if it is none in that, in armour. */
static int look_at_object(struct layer_look *look, int fd, const struct mime_part *part)
{
    struct layer_entity base64;
    int rc;

    look->content = (struct layer_entity){fd, part->body, part->end - part->body};
    look->encoding = part->encoding;
    rc = read_outline(look);
    if (rc != 0 || look->outline.type != CMS_NONE || part->encoding == MIME_BASE64 ||
        part->encoding == MIME_QP || !armour_find(&look->content, &base64))
        return rc;
    look->content = base64;
    look->encoding = MIME_BASE64;
    rc = read_outline(look);
    if (look->outline.type == CMS_NONE) {
        look->content = (struct layer_entity){fd, part->body, part->end - part->body};
        look->encoding = part->encoding;
    }
    return rc;
}

static int look_opaque(struct layer_look *look, int fd, const struct mime_part *part)
{
    int rc = look_at_object(look, fd, part);

    look->readable = look->outline.type != CMS_NONE;
    look->kind = look->readable ? kind_of(look->outline.type) : kind_of_label(part);
    look->too_much = look->outline.too_much;
    if (look->kind == LAYER_ENCRYPTED && !look->outline.complete)
        look->readable = false;
    return rc;
}

/* What the signature's part holds is for the smime module to say. */
static int look_detached(struct layer_look *look, int fd, const struct mime_part *part)
{
    const struct mime_part *entity = part->children;

    look->kind = LAYER_SIGNED;
    look->readable = true;
    look->detached = true;
    look->covered = (struct layer_entity){fd, entity->start, entity->end - entity->start};
    return look_at_object(look, fd, entity->next);
}

static int look_at_shape(struct layer_look *look, int fd, const struct mime *mime)
{
    switch (smime_part_shape(mime->root)) {
    case SMIME_SHAPE_OPAQUE:
        return look_opaque(look, fd, mime->root);
    case SMIME_SHAPE_DETACHED:
        return look_detached(look, fd, mime->root);
    default:
        return 0;
    }
}

/* Does anything in the header call it a CMS object? */
static bool is_called_so(const struct header *header)
{
    static const char *const names[] = {"pkcs7-mime", ".p7m", ".p7z"};

    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
        for (size_t i = 0, len = strlen(names[n]); i + len <= header->len; i++)
            if (strncasecmp((const char *)header->data + i, names[n], len) == 0)
                return true;
    return false;
}

static bool is_layer(const struct layer_look *look)
{
    switch (kind_of(look->outline.type)) {
    case LAYER_SIGNED:
    case LAYER_COMPRESSED:
        return true;
    case LAYER_ENCRYPTED:
        return look->outline.complete;
    default:
        return look->outline.type == CMS_DATA || look->outline.type == CMS_DIGESTED;
    }
}

/* For readers who take another field, or another place in the header, for its label or transfer encoding, it
   may be one. 1: `found` is it; 0: none; -1: errno. */
static int look_otherwise(struct layer_look *found, int fd, const struct mime_part *part)
{
    const enum mime_encoding encodings[] = {part->encoding, MIME_BINARY, MIME_BASE64, MIME_QP};
    struct mime_part other = *part;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        other.encoding = encodings[i];
        rc = look_at_object(found, fd, &other);
        if (rc == 0 && is_layer(found))
            rc = 1;
    }
    return rc;
}

/* Goes on with that, if there is anything. */
static int look_disputed(struct layer_look *look, int fd, const struct mime_part *part)
{
    struct layer_look found = {.kind = LAYER_DISPUTED, .readable = true, .label = look->kind};
    int rc = 0;

    if (is_called_so(&part->header) && !readings_header_agree(part))
        rc = look_otherwise(&found, fd, part);
    if (rc == 1) {
        cms_outline_free(&look->outline);
        *look = found;
    } else {
        cms_outline_free(&found.outline);
    }
    return rc < 0 ? -1 : 0;
}

int layer_look(struct layer_look *look, int fd, const struct mime *mime)
{
    int rc, agree = 1;

    memset(look, 0, sizeof(*look));
    rc = look_at_shape(look, fd, mime);
    /* a signature says nothing about a message that others may take apart differently */
    if (rc == 0 && look->kind == LAYER_SIGNED)
        agree = readings_agree(fd, mime->root);
    if (rc != 0 || agree < 0)
        return -1;
    if (agree == 0)
        look->kind = LAYER_NONE;
    if (!look->readable || look->detached || look->kind == LAYER_OTHER)
        rc = look_disputed(look, fd, mime->root);
    if (agree == 0 && look->readable)
        look->kind = LAYER_DISPUTED;
    return rc;
}

enum layer_kind layer_look_label(const struct layer_look *look)
{
    return look->kind == LAYER_DISPUTED ? look->label : look->kind;
}

void layer_look_free(struct layer_look *look)
{
    cms_outline_free(&look->outline);
}
