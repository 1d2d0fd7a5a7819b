/* What stands outermost in an entity. */
#include <string.h>
#include <strings.h>

#include "incoming/layer.h"

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

static int look_opaque(struct layer_look *look, int fd, const struct mime_part *part)
{
    struct source *source;
    int rc;

    look->content = (struct layer_entity){fd, part->body, part->end - part->body};
    look->encoding = part->encoding;
    source = source_new(fd, part->body, part->end - part->body, part->encoding, SOURCE_EOL_KEEP);
    rc = cms_outline_read(&look->outline, source, false);
    source_free(source);
    look->readable = look->outline.type != CMS_NONE;
    look->kind = look->readable ? kind_of(look->outline.type) : kind_of_label(part);
    if (look->kind == LAYER_ENCRYPTED && !look->outline.complete)
        look->readable = false;
    return rc;
}

static void look_detached(struct layer_look *look, int fd, const struct mime_part *part)
{
    const struct mime_part *entity = part->children, *signature = entity->next;

    look->kind = LAYER_SIGNED;
    look->readable = true;
    look->detached = true;
    look->content = (struct layer_entity){fd, signature->body, signature->end - signature->body};
    look->encoding = signature->encoding;
    look->covered = (struct layer_entity){fd, entity->start, entity->end - entity->start};
}

/* Two Content-Type fields, one of them perhaps behind a bare CR, a parameter given twice,
   something like a boundary outside of the parts, two transfer encodings, or one that a multipart cannot
   have. */
bool layer_look_ambiguous(const struct mime_part *part)
{
    static const char type[] = "Content-Type", encoding[] = "Content-Transfer-Encoding";
    bool coded = part->encoding == MIME_BASE64 || part->encoding == MIME_QP;

    return header_count(&part->header, type) != 1 || part->type.repeated || part->boundary_outside ||
           header_count(&part->header, encoding) > 1 || (coded && part->children != NULL) ||
           header_hides(&part->header, type) || header_hides(&part->header, encoding);
}

static int look_at_shape(struct layer_look *look, int fd, const struct mime *mime)
{
    switch (smime_part_shape(mime->root)) {
    case SMIME_SHAPE_OPAQUE:
        return look_opaque(look, fd, mime->root);
    case SMIME_SHAPE_DETACHED:
        look_detached(look, fd, mime->root);
        return 0;
    default:
        return 0;
    }
}

int layer_look(struct layer_look *look, int fd, const struct mime *mime)
{
    int rc;

    memset(look, 0, sizeof(*look));
    rc = look_at_shape(look, fd, mime);
    /* a signature says nothing about a message that others may take apart differently */
    if (look->kind == LAYER_SIGNED && layer_look_ambiguous(mime->root))
        look->kind = LAYER_NONE;
    return rc;
}

void layer_look_free(struct layer_look *look)
{
    cms_outline_free(&look->outline);
}
