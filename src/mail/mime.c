#include "mail/mime.h"

#include <stdlib.h>
#include <string.h>

static void part_free(struct mime_part *part)
{
    header_free(&part->header);
    header_typed_free(&part->type);
    free(part);
}

/* Without recursion: the tree may be deep. */
void mime_free(struct mime *mime)
{
    struct mime_part *part = mime->root;

    while (part != NULL) {
        struct mime_part *next;

        if (part->children != NULL) {
            next = part->children;
            part->children = NULL; /* all children go before their parent */
        } else {
            next = part->next != NULL ? part->next : part->parent;
            part_free(part);
        }
        part = next;
    }
    memset(mime, 0, sizeof(*mime));
}

bool mime_type_is(const struct mime_part *part, const char *type)
{
    size_t len = strlen(type);

    if (len > 0 && type[len - 1] == '/')
        return strncmp(part->type.value, type, len) == 0;
    return strcmp(part->type.value, type) == 0;
}

const char *mime_encoding_name(enum mime_encoding encoding)
{
    static const char *const names[] = {"7bit", "8bit", "binary", "quoted-printable", "base64", "unknown"};

    return names[encoding];
}
