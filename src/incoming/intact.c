#include "incoming/intact.h"

#include <string.h>

static bool header_sound(const struct mime_part *part)
{
    for (size_t i = 0; i < part->header.count; i++) {
        const struct header_field *field = &part->header.fields[i];

        if (field->name_len == 0)
            return false;
        if (memchr(part->header.data + field->start, '\0', field->end - field->start) != NULL)
            return false;
    }
    return !part->truncated_header;
}

static bool multipart_sound(const struct mime_part *part)
{
    if (!mime_type_is(part, "multipart/"))
        return true;
    return part->children != NULL && part->closed && !part->epilogue_nonblank;
}

/* The part behind `part` in reading order, not going into attached messages; NULL at the end. */
static const struct mime_part *next_part(const struct mime_part *part)
{
    if (part->children != NULL && mime_type_is(part, "multipart/"))
        return part->children;
    while (part != NULL && part->next == NULL)
        part = part->parent;
    return part == NULL ? NULL : part->next;
}

bool intact_entity(const struct mime *mime)
{
    if (mime->fault != MIME_OK || mime->root->header.count == 0 || !header_sound(mime->root))
        return false;
    for (const struct mime_part *part = mime->root; part != NULL; part = next_part(part))
        if (!multipart_sound(part))
            return false;
    return true;
}
