/* Input for tests of parsers: copied to memory of exactly its size, without a NUL behind it, so that tools
   see an overread; or put into a file that has no name. */
#ifndef JULIA_MAIL_INPUT_H
#define JULIA_MAIL_INPUT_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

#endif
