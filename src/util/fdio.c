#include "util/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/mem.h"

#define FDIO_CHUNK (32u * 1024) /* of mail */
#define FILE_CHUNK 8192u        /* of small files, by programs that never see mail */

int fdio_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int fdio_pread_all(int fd, void *data, size_t len, uint64_t offset)
{
    char *at = data;

    while (len > 0) {
        ssize_t n = pread(fd, at, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return -1;
        at += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

int fdio_copy_range(int from, uint64_t offset, uint64_t len, int to)
{
    char chunk[FDIO_CHUNK];

    while (len > 0) {
        size_t n = len < sizeof(chunk) ? (size_t)len : sizeof(chunk);

        if (fdio_pread_all(from, chunk, n, offset) != 0 || fdio_write_all(to, chunk, n) != 0)
            return -1;
        offset += n;
        len -= n;
    }
    return 0;
}

int fdio_same_range(int a, uint64_t a_offset, int b, uint64_t b_offset, uint64_t len, bool *same_r)
{
    char a_chunk[FDIO_CHUNK], b_chunk[FDIO_CHUNK];

    *same_r = true;
    for (uint64_t done = 0; done < len && *same_r;) {
        size_t n = len - done < FDIO_CHUNK ? (size_t)(len - done) : FDIO_CHUNK;

        if (fdio_pread_all(a, a_chunk, n, a_offset + done) != 0 ||
            fdio_pread_all(b, b_chunk, n, b_offset + done) != 0)
            return -1;
        *same_r = memcmp(a_chunk, b_chunk, n) == 0;
        done += n;
    }
    return 0;
}

int fdio_read_fd(int fd, size_t max, struct buf *out)
{
    char chunk[FILE_CHUNK];
    size_t total = 0;

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        if ((size_t)n > max - total) {
            errno = EFBIG;
            return -1;
        }
        buf_add(out, chunk, (size_t)n);
        total += (size_t)n;
    }
}

int fdio_read_file(const char *path, size_t max, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int rc, saved;

    if (fd < 0)
        return -1;
    rc = fdio_read_fd(fd, max, out);
    saved = errno;
    close(fd);
    errno = saved;
    return rc;
}

int fdio_sync_directory(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 ? fsync(fd) : -1;

    fdio_close(&fd);
    return rc;
}

static int sync_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir =
        slash == NULL ? mem_strdup(".") : mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int rc = fdio_sync_directory(dir);

    free(dir);
    return rc;
}

static int write_and_sync(int fd, const void *data, size_t len, unsigned int mode)
{
    if (fchmod(fd, (mode_t)mode) != 0 || fdio_write_all(fd, data, len) != 0)
        return -1;
    return fsync(fd);
}

int fdio_replace_file(const char *path, const void *data, size_t len, unsigned int mode)
{
    char *temporary = mem_printf("%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    int rc = -1, saved;

    if (fd >= 0) {
        rc = write_and_sync(fd, data, len, mode);
        if (rc == 0)
            rc = rename(temporary, path);
        saved = errno;
        if (rc != 0)
            unlink(temporary);
        close(fd);
        errno = saved;
    }
    free(temporary);
    return rc == 0 ? sync_directory_of(path) : -1;
}

int fdio_size(int fd, uint64_t *size_r)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return -1;
    *size_r = (uint64_t)st.st_size;
    return 0;
}

static int make_dir(const char *path, unsigned int mode)
{
    struct stat st;
    int saved;

    if (mkdir(path, (mode_t)mode) == 0)
        return 0;
    saved = errno;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return 0;
        saved = ENOTDIR;
    }
    errno = saved;
    return -1;
}

int fdio_make_dirs(const char *path, unsigned int mode)
{
    char *copy = mem_strdup(path);
    int rc = 0;

    for (char *slash = copy + 1; *copy != '\0' && rc == 0; *slash++ = '/') {
        slash = strchr(slash, '/');
        if (slash == NULL)
            break;
        *slash = '\0';
        rc = make_dir(copy, mode);
    }
    if (rc == 0)
        rc = make_dir(path, mode);
    free(copy);
    return rc;
}

void fdio_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}
