#include "incoming/wrapped.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "incoming/author.h"
#include "incoming/readings.h"
#include "mail/address.h"

/* Signed or encrypted once more: then it is a message of its own (RFC 9788 4.10.1), whoever wrote it. */
static bool is_layer(const struct mime_part *part)
{
    return smime_part_shape(part) != SMIME_SHAPE_NONE || mime_type_is(part, "multipart/signed") ||
           mime_type_is(part, "multipart/encrypted");
}

/* Fields are all that is taken over of the header: not if readers may see other ones. */
static bool is_clear(const struct mime_part *part)
{
    return header_count(&part->header, "Content-Type") <= 1 && !part->type.repeated &&
           !header_has_strays(&part->header) && !header_has_controls(&part->header) &&
           !part->truncated_header;
}

static bool same_author(const struct header *outer, const struct header *inner)
{
    char *a = author_address(outer, "From"), *b = author_address(inner, "From");
    bool same = a != NULL && b != NULL && address_equal(a, b);

    free(a);
    free(b);
    return same;
}

static bool same_id(const struct header *outer, const struct header *inner)
{
    char *a = header_value_of(outer, "Message-ID"), *b = header_value_of(inner, "Message-ID");
    bool same = a != NULL && b != NULL && *a != '\0' && strcmp(a, b) == 0 &&
                header_count(outer, "Message-ID") == 1 && header_count(inner, "Message-ID") == 1;

    free(a);
    free(b);
    return same;
}

bool wrapped_find(const struct message *message, const struct mime *mime, int fd,
                  struct layer_entity *entity_r)
{
    const struct mime_part *root = mime->root, *inner = root->children;
    const struct header *outer = &message->mime.root->header;
    const char *forwarded = header_typed_param(&root->type, "forwarded");

    if (!mime_type_is(root, "message/rfc822") || inner == NULL || mime->fault != MIME_OK ||
        readings_agree(fd, root) != 1 || !is_clear(inner) || is_layer(inner) ||
        header_typed_param(&inner->type, "hp") != NULL)
        return false;
    if (forwarded != NULL ? strcasecmp(forwarded, "no") != 0
                          : !same_id(outer, &inner->header) || !same_author(outer, &inner->header))
        return false;
    *entity_r = (struct layer_entity){fd, inner->start, inner->end - inner->start};
    return true;
}
