/* Any octets are some tree: every part lies inside its parent, behind its sibling, and in the order start,
 * body, end. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail/smime_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(const struct mime_part *part)
{
    uint64_t behind = part->body;

    if (part->start > part->body || part->body > part->end)
        abort();
    for (const struct mime_part *child = part->children; child != NULL; child = child->next) {
        if (child->parent != part || child->start < behind || child->end > part->end)
            abort();
        behind = child->end;
        check_part(child);
    }
    smime_part_shape(part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mime_limits limits = {.max_depth = 20, .max_parts = 50};
    int fd = memfd_create("fuzz", 0);
    struct mime mime;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (mime_parse(&mime, fd, 0, size, &limits) == 0) {
        if (mime.parts > limits.max_parts || mime.root->end != size)
            abort();
        check_part(mime.root);
        mime_free(&mime);
    }
    close(fd);
    return 0;
}
