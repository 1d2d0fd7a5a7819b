#include <dirent.h>
#include <string.h>
#include <time.h>

#include "delivery/journal.h"
#include "delivery/journal_file.h"

/* Nothing but our own files is touched, whatever else lies there. */
static bool is_journal(const char *name)
{
    return strlen(name) == SHA256_HEX_LEN && strspn(name, "0123456789abcdef") == SHA256_HEX_LEN;
}

long journal_prune(const char *path, uint64_t keep_seconds)
{
    DIR *dir = opendir(path);
    int64_t before = (int64_t)time(NULL) - (int64_t)keep_seconds;
    struct dirent *entry;
    long removed = 0;

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL)
        if (is_journal(entry->d_name))
            removed += journal_file_remove(dirfd(dir), entry->d_name, before);
    closedir(dir);
    return removed;
}
