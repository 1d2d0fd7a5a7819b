/* Standard input on its way into an unlinked file: memory up to SPOOL_MEMORY, then disk; digest and size are
   taken on the way. Whatever happens the input is read to its end, since MTAs mistake a reader who stops for
   a finished one. */
#ifndef JULIA_SPOOL_H
#define JULIA_SPOOL_H

#include <stdbool.h>

#include "core/config.h"
#include "util/outcome.h"
#include "util/sha256.h"

struct spool;
struct spool *spool_new(const struct config *config);
void spool_free(struct spool *spool);

/* Reads until the first line is complete, ENVELOPE_LINE_MAX octets are there, or the input ends. */
void spool_first(struct spool *spool, int fd_in, struct outcome *outcome);
const char *spool_data(const struct spool *spool); /* what spool_first() read */
size_t spool_held(const struct spool *spool);
/* Reads the rest. `skip` octets at the beginning belong neither to size nor to digest, which begins with
   `sender` and NUL. Full disk, unreadable input: temporary; more than MAX_SIZE: permanent 5.3.4. */
void spool_rest(struct spool *spool, int fd_in, uint64_t skip, const char *sender, struct outcome *outcome);
bool spool_is_empty(const struct spool *spool); /* nothing came but `skip` octets */
/* The file (the caller's now), the size behind `skip`, the digest. */
int spool_take(struct spool *spool, uint64_t *size_r, unsigned char digest_r[SHA256_LEN]);

#endif
