#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/journal.h"
#include "core/journal_file.h"

static bool is_hex(const char *name, size_t len)
{
    return strlen(name) == len && strspn(name, "0123456789abcdef") == len;
}

/* `fd` is the directory's and is closed here. */
static long prune_folder(int fd, int64_t before)
{
    DIR *dir = fdopendir(fd);
    struct dirent *entry;
    long removed = 0;

    if (dir == NULL) {
        close(fd);
        return 0;
    }
    while ((entry = readdir(dir)) != NULL)
        if (is_hex(entry->d_name, SHA256_HEX_LEN))
            removed += journal_file_remove(fd, entry->d_name, before);
    closedir(dir);
    return removed;
}

/* Nothing but our own files is touched, whatever else lies there. */
long journal_prune(const char *path, uint64_t keep_seconds)
{
    DIR *dir = opendir(path);
    int64_t before = (int64_t)time(NULL) - (int64_t)keep_seconds;
    struct dirent *entry;
    long removed = 0;

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL) {
        int fd;

        if (!is_hex(entry->d_name, 2))
            continue;
        fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0)
            removed += prune_folder(fd, before);
    }
    closedir(dir);
    return removed;
}
