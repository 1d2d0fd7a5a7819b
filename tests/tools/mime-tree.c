/* mime-tree FILE: how julia reads the structure of a message. One line a part, indented by its depth: content
   type, number of header fields, then the octets where its header section, its body and what follows it
   begin. Exit status 1 when a limit was reached. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "mail/mime.h"
#include "util/fdio.h"

static size_t count_fields(const struct header *header)
{
    size_t count = 0;

    for (size_t i = 0; i < header->count; i++)
        count += header->fields[i].name_len > 0;
    return count;
}

static void show(const struct mime_part *part, int depth)
{
    for (; part != NULL; part = part->next) {
        printf("%*s%s %zu %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", depth, "", part->type.value,
               count_fields(&part->header), part->start, part->body, part->end);
        show(part->children, depth + 1);
    }
}

int main(int argc, char **argv)
{
    struct mime mime;
    uint64_t size;
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1, fault;

    if (fd < 0 || fdio_size(fd, &size) != 0 || mime_parse(&mime, fd, 0, size, NULL) != 0) {
        perror(argc == 2 ? argv[1] : "mime-tree");
        return 2;
    }
    show(mime.root, 0);
    fault = mime.fault;
    mime_free(&mime);
    fdio_close(&fd);
    return fault == MIME_OK ? 0 : 1;
}
