#include "modules/areas/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t nanoseconds(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

void areas_stamp_from_stat(struct areas_stamp *stamp, const struct stat *st)
{
    /* Directories: their size and the files' device number say nothing, and the latter changes over reboots.
     */
    snprintf(stamp->text, sizeof(stamp->text), "%ju.%jd.%" PRIx64 ".%" PRIx64, (uintmax_t)st->st_ino,
             S_ISDIR(st->st_mode) ? (intmax_t)0 : (intmax_t)st->st_size, (uint64_t)nanoseconds(&st->st_mtim),
             (uint64_t)nanoseconds(&st->st_ctim));
    stamp->changed_ns = nanoseconds(&st->st_ctim);
}

bool areas_stamp_equal(const struct areas_stamp *a, const char *text)
{
    return text != NULL && strcmp(a->text, text) == 0;
}

bool areas_stamp_racy(const struct areas_stamp *stamp, int64_t now_ns)
{
    return stamp->text[0] != '\0' && stamp->changed_ns + AREAS_STAMP_RACY_NS >= now_ns;
}

int64_t areas_stamp_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return nanoseconds(&t);
}
