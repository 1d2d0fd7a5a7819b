#include "util/tmpfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/mem.h"

#define TMPFILE_MODE 0600
#define WRITER_TRIES 200

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
    if (expect <= memory_max && expect != UINT64_MAX) {
        fd = memfd_create("julia", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd >= 0 && fchmod(fd, TMPFILE_MODE) != 0) { /* it is made for everybody */
            close(fd);
            fd = -1;
        }
    }
#endif
#ifdef O_TMPFILE
    if (fd < 0)
        fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, TMPFILE_MODE);
#endif
    return fd >= 0 ? fd : open_named_and_unlink(dir);
}

#ifdef F_SETLEASE
/* The kernel grants a lease for reading only while nobody has the file open for writing. A module closes what
   it got before it answers; the kernel may need a moment. */
static int written_by_nobody(int fd)
{
    static const struct timespec moment = {.tv_nsec = 1000 * 1000};

    for (int i = 0; i < WRITER_TRIES; i++) {
        if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
            return fcntl(fd, F_SETLEASE, F_UNLCK);
        if (errno != EAGAIN)
            return 0;
        nanosleep(&moment, NULL);
    }
    errno = EBUSY;
    return -1;
}
#endif

/* A memfd: the kernel does not count who writes to those, but can forbid it. Elsewhere: false, nothing is
   changed; EINVAL, or, as tmpfs has all its files sealed against seals, EPERM. */
static bool seal(int fd)
{
#ifdef F_ADD_SEALS
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
#else
    (void)fd;
    return false;
#endif
}

/* `path`: that of its descriptor below /proc. A module can forbid seals on a memfd, but not rename it. */
static bool is_in_a_directory(const char *path)
{
    static const char memfd[] = "/memfd:";
    char name[sizeof(memfd)];
    ssize_t len = readlink(path, name, sizeof(name));

    return len > 0 && ((size_t)len < strlen(memfd) || memcmp(name, memfd, strlen(memfd)) != 0);
}

int tmpfile_finish(int *fd)
{
    char path[sizeof("/proc/self/fd/") + 12];
    bool sealed = seal(*fd);
    int error = errno;
    int reader;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
    if (!sealed && error != EINVAL && !is_in_a_directory(path))
        return -1;
    reader = open(path, O_RDONLY | O_CLOEXEC);
    if (reader < 0)
        return 0;
    close(*fd);
    *fd = reader;
#ifdef F_SETLEASE
    return sealed ? 0 : written_by_nobody(reader);
#else
    return 0;
#endif
}
