#include "incoming/intact.h"

#include "incoming/garbled.h"

static bool header_sound(const struct mime_part *part)
{
    return !header_has_strays(&part->header) && !garbled_header(part) &&
           header_count(&part->header, "Content-Type") <= 1 &&
           header_count(&part->header, "Content-Transfer-Encoding") <= 1;
}

static bool multipart_sound(const struct mime_part *part)
{
    if (!mime_type_is(part, "multipart/"))
        return true;
    return part->children != NULL && part->closed && !part->epilogue_nonblank;
}

/* The part behind `part` in reading order; *attached: it lies in an attached message. NULL at the end. */
static const struct mime_part *next_part(const struct mime_part *part, unsigned int *attached)
{
    if (part->children != NULL) {
        *attached += !mime_type_is(part, "multipart/");
        return part->children;
    }
    while (part != NULL && part->next == NULL) {
        part = part->parent;
        if (part != NULL)
            *attached -= !mime_type_is(part, "multipart/");
    }
    return part == NULL ? NULL : part->next;
}

int intact_entity(int fd, const struct mime *mime)
{
    unsigned int attached = 0;

    if (mime->fault != MIME_OK || mime->root->header.count == 0 || mime->root->truncated_header)
        return 0;
    for (const struct mime_part *part = mime->root; part != NULL; part = next_part(part, &attached)) {
        int garbled = part->children == NULL ? garbled_leaf(fd, part, attached == 0) : 0;

        if (garbled < 0)
            return -1;
        if (garbled || (attached == 0 && (!header_sound(part) || !multipart_sound(part))))
            return 0;
    }
    return 1;
}
