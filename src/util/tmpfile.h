/* Unlinked temporary files for mail: a memfd while small, else O_TMPFILE (or mkostemp + unlink) below a
   directory. Close-on-exec, readable and writable, position 0. */
#ifndef JULIA_TMPFILE_H
#define JULIA_TMPFILE_H

#include <stdint.h>

/* `expect` is the size to come if known (UINT64_MAX: unknown, go to disk). Up to `memory_max` octets a memfd
   is made. Returns a descriptor or -1 with errno. */
int tmpfile_open(const char *dir, uint64_t expect, uint64_t memory_max);
/* What was written stays as it is: replaces *fd by a descriptor that can only read and shares its position
   with nobody, and makes sure that no other process can write, either. -1: one still has the file open for
   writing (EBUSY). A system without /proc or leases keeps what it has. */
int tmpfile_finish(int *fd);

#endif
