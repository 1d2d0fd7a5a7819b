/* What tells that a file or directory changed, as git does it: inode, size, modification and status change
   times. The change time catches what tools hide (rsync -t, touch -r, chmod). */
#ifndef JULIA_AREAS_STAMP_H
#define JULIA_AREAS_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define AREAS_STAMP_MAX 128
/* Time stamps of file systems tick as coarsely as 2 s (FAT, some NFS): whatever changed that lately may
   change again without a new stamp. */
#define AREAS_STAMP_RACY_NS INT64_C(2000000000)

struct areas_stamp {
    char text[AREAS_STAMP_MAX]; /* compared as a whole; "" for what is not there */
    int64_t changed_ns;         /* change time */
};

void areas_stamp_from_stat(struct areas_stamp *stamp, const struct stat *st);
bool areas_stamp_equal(const struct areas_stamp *a, const char *text);
/* Too young at `now_ns`, or from the future: the same stamp does not yet prove the same content. */
bool areas_stamp_racy(const struct areas_stamp *stamp, int64_t now_ns);
int64_t areas_stamp_now(void); /* CLOCK_REALTIME in nanoseconds */

#endif
