#include "util/tmpfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/mem.h"

#define TMPFILE_MODE 0600

static int open_named_and_unlink(const char *dir)
{
    char *path = mem_printf("%s/julia.XXXXXX", dir);
    int fd = mkostemp(path, O_CLOEXEC);
    int saved = errno;

    if (fd >= 0)
        unlink(path);
    free(path);
    errno = saved;
    return fd;
}

int tmpfile_open(const char *dir, uint64_t expect, uint64_t memory_max)
{
    int fd = -1;

#ifdef MFD_CLOEXEC
    if (expect <= memory_max && expect != UINT64_MAX)
        fd = memfd_create("julia", MFD_CLOEXEC);
#endif
#ifdef O_TMPFILE
    if (fd < 0)
        fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, TMPFILE_MODE);
#endif
    return fd >= 0 ? fd : open_named_and_unlink(dir);
}
