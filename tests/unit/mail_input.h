/* Input for tests of parsers: copied to memory of exactly its size, without a NUL behind it, so that tools
   see an overread; or put into a file that has no name. And the text of a part of such a file. */
#ifndef JULIA_MAIL_INPUT_H
#define JULIA_MAIL_INPUT_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail/source.h"
#include "util/buf.h"

static inline char *input_exact(const char *text, size_t len)
{
    char *copy = malloc(len == 0 ? 1 : len);

    if (copy == NULL)
        abort();
    memcpy(copy, text, len);
    return copy;
}

static inline int input_file(const void *data, size_t len)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len)
        abort();
    return fd;
}

/* Decoded, with LF. */
static inline char *input_part_text(int fd, const struct mime_part *part)
{
    struct source *source = source_new(fd, part->body, part->end - part->body, part->encoding, SOURCE_EOL_LF);
    struct buf text = {0};
    char chunk[4096];
    ssize_t n;

    while ((n = source_read(source, chunk, sizeof(chunk))) > 0)
        buf_add(&text, chunk, (size_t)n);
    if (n != 0)
        abort();
    source_free(source);
    return buf_take(&text);
}

#endif
