/* A stream of octets out of a file range, through decoding and line-end filters, in constant memory. Reads by
   pread, so any number of sources share a descriptor. */
#ifndef JULIA_SOURCE_H
#define JULIA_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mail/mime.h"

enum source_eol {
    SOURCE_EOL_KEEP,
    SOURCE_EOL_CRLF, /* LF without CR before it becomes CRLF: the canonical form that is hashed (RFC
                        8551 3.1.1) */
    SOURCE_EOL_LF    /* every CRLF becomes LF */
};

struct source;
/* `encoding`: MIME_QP and MIME_BASE64 are decoded, all others pass. Filters apply after decoding. */
struct source *source_new(int fd, uint64_t offset, uint64_t len, enum mime_encoding encoding,
                          enum source_eol eol);
/* 0 at the end, -1 on read errors (errno). */
ssize_t source_read(struct source *source, void *out, size_t size);
/* True when octets were met that no correct encoder writes (base64: alphabet behind padding, non-alphabet).
 */
bool source_strange(const struct source *source);
void source_free(struct source *source);

/* Copies everything to the current position of `fd`; adds up the octets in written_r if not NULL. 0 or -1,
 * errno. */
int source_copy(struct source *source, int fd, uint64_t *written_r);

#endif
