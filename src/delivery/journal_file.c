#include "delivery/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/fdio.h"
#include "util/mem.h"

#define FILE_MODE  0600
#define DIR_MODE   0700
#define FILE_MAX   (16u << 20) /* 16 MB hold 100,000 entries; a larger file is no journal */
#define OPEN_TRIES 10
#define IN_USE     0                   /* the octet that says so */
#define LOCKS_FROM ((uint64_t)1 << 62) /* no record stands there */
#define RECORD_END " .\n"

static int range_lock(int fd, int command, short type, uint64_t at)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = 1};

    return fcntl(fd, command, &lock);
}

static uint64_t lock_offset(uint64_t number)
{
    return LOCKS_FROM | (number & (LOCKS_FROM - 1));
}

/* Opens or makes the file and takes the shared lock; one that was removed before that does not count
 * (EAGAIN). */
static int open_once(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_CREAT, FILE_MODE);

    if (fd < 0)
        return -1;
    if (range_lock(fd, F_SETLKW, F_RDLCK, IN_USE) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
        return fd;
    close(fd);
    errno = EAGAIN;
    return -1;
}

/* The name of a new file must survive a crash as the records do. A file that is still empty may be one whose
   maker did not come that far. */
static int sync_name(const struct journal_file *file, const char *dir)
{
    uint64_t size;

    if (fdio_size(file->fd, &size) != 0)
        return -1;
    return size == 0 ? fdio_sync_directory(dir) : 0;
}

int journal_file_open(struct journal_file *file, const char *dir, const char *key)
{
    char *path = mem_printf("%s/%s", dir, key);

    *file = (struct journal_file){.fd = -1};
    for (int i = 0; i < OPEN_TRIES && file->fd < 0; i++) {
        file->fd = open_once(path);
        if (file->fd >= 0 || (errno != ENOENT && errno != EAGAIN))
            break;
        if (errno == ENOENT && fdio_make_dirs(dir, DIR_MODE) != 0)
            break;
    }
    free(path);
    return file->fd >= 0 ? sync_name(file, dir) : -1;
}

void journal_file_close(struct journal_file *file)
{
    fdio_close(&file->fd);
}

void journal_file_compose(struct buf *records, const char *const *fields, size_t count)
{
    buf_add_char(records, '\n');
    for (size_t i = 0; i < count; i++)
        buf_printf(records, "%s%s", i > 0 ? " " : "", fields[i]);
    buf_add_text(records, RECORD_END);
}

int journal_file_append(struct journal_file *file, const struct buf *records, bool synced)
{
    ssize_t n;

    do
        n = write(file->fd, records->data, records->len);
    while (n < 0 && errno == EINTR);
    if (n >= 0 && (size_t)n != records->len)
        errno = ENOSPC;
    if (n != (ssize_t)records->len)
        return -1;
    return synced ? fdatasync(file->fd) : 0;
}

int journal_file_reserve(struct journal_file *file, uint64_t octets)
{
#ifdef FALLOC_FL_KEEP_SIZE
    struct stat st;

    if (fstat(file->fd, &st) != 0)
        return -1;
    if (fallocate(file->fd, FALLOC_FL_KEEP_SIZE, st.st_size, (off_t)octets) == 0)
        return 0;
    return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -1;
#else
    (void)file;
    (void)octets;
    return 0;
#endif
}

/* Splits one complete record; false if it is none. */
static bool split_record(char *line, struct strlist *fields)
{
    for (char *field = line, *blank; field != NULL; field = blank) {
        blank = strchr(field, ' ');
        if (blank != NULL)
            *blank++ = '\0';
        else
            return strcmp(field, ".") == 0 && fields->count > 0;
        strlist_add(fields, field);
    }
    return false;
}

int journal_file_read(struct journal_file *file, void (*each)(void *context, const struct strlist *fields),
                      void *context)
{
    struct buf text = {0};
    uint64_t size;
    char *line, *end;
    int rc = -1;

    if (fdio_size(file->fd, &size) != 0)
        return -1;
    if (size > FILE_MAX) {
        errno = EFBIG;
        return -1;
    }
    if (size <= file->seen)
        return 0;
    text.cap = (size_t)(size - file->seen) + 1;
    text.data = mem_alloc(text.cap);
    text.len = text.cap - 1;
    if (fdio_pread_all(file->fd, text.data, text.len, file->seen) != 0)
        goto out;
    for (line = text.data; (end = memchr(line, '\n', (size_t)(text.data + text.len - line))) != NULL;
         line = end + 1) {
        struct strlist fields = {0};

        *end = '\0';
        if (split_record(line, &fields))
            each(context, &fields);
        strlist_free(&fields);
    }
    file->seen +=
        (uint64_t)(line - text.data); /* the beginning of a record that is being written stays for later */
    rc = 0;
out:
    buf_free(&text);
    return rc;
}

int journal_file_lock(struct journal_file *file, uint64_t number)
{
    if (range_lock(file->fd, F_SETLK, F_WRLCK, lock_offset(number)) == 0)
        return 1;
    return errno == EACCES || errno == EAGAIN ? 0 : -1;
}

void journal_file_unlock(struct journal_file *file, uint64_t number)
{
    range_lock(file->fd, F_SETLK, F_UNLCK, lock_offset(number));
}

bool journal_file_is_locked(const struct journal_file *file, uint64_t number)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)lock_offset(number), .l_len = 1};

    return fcntl(file->fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

int journal_file_remove(int dir_fd, const char *name, int64_t before)
{
    int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    struct stat st;
    int removed = 0;

    if (fd < 0)
        return 0;
    if (range_lock(fd, F_SETLK, F_WRLCK, IN_USE) == 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_mtime < before)
        removed = unlinkat(dir_fd, name, 0) == 0;
    close(fd);
    return removed;
}
