/* Whole reads and writes on descriptors. EINTR is retried. All return 0, or -1 with errno set. */
#ifndef JULIA_FDIO_H
#define JULIA_FDIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"

int fdio_write_all(int fd, const void *data, size_t len);
int fdio_pread_all(int fd, void *data, size_t len, uint64_t offset); /* short file: -1, errno EIO */
/* Copies octets [offset, offset+len) of `from` (by pread) to the current position of `to`. */
int fdio_copy_range(int from, uint64_t offset, uint64_t len, int to);
/* Are the `len` octets of `a` from `a_offset` those of `b` from `b_offset`? A range that is not there: -1,
 * EIO. */
int fdio_same_range(int a, uint64_t a_offset, int b, uint64_t b_offset, uint64_t len, bool *same_r);
/* Reads a whole file of at most `max` octets; larger: -1, errno EFBIG. `out` is appended to. */
int fdio_read_file(const char *path, size_t max, struct buf *out);
int fdio_read_fd(int fd, size_t max, struct buf *out);
/* Writes `data` to a new file beside `path`, fsyncs it, renames it over `path`, fsyncs the directory. */
int fdio_replace_file(const char *path, const void *data, size_t len, unsigned int mode);
int fdio_sync_directory(const char *dir);
int fdio_size(int fd, uint64_t *size_r);
/* mkdir -p; existing directories are fine. */
int fdio_make_dirs(const char *path, unsigned int mode);
void fdio_close(int *fd); /* closes when >= 0 and sets -1 */

#endif
