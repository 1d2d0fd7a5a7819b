#include "core/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/envelope_line.h"
#include "util/fdio.h"
#include "util/mem.h"
#include "util/tmpfile.h"

#define SPOOL_CHUNK (32u * 1024)

struct spool {
    const struct config *config;
    int fd;
    bool on_disk;
    uint64_t written; /* octets in fd */
    uint64_t skip;    /* of them in front of the message */
    struct sha256 *digest;
    size_t held; /* octets in chunk */
    char chunk[SPOOL_CHUNK];
};

struct spool *spool_new(const struct config *config)
{
    struct spool *spool = mem_alloc(sizeof(*spool));

    spool->config = config;
    spool->fd = -1;
    spool->digest = sha256_new();
    return spool;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL)
        return;
    fdio_close(&spool->fd);
    sha256_free(spool->digest);
    free(spool);
}

/* One read into the free part of the chunk. False at the end of the input and on errors. */
static bool read_more(struct spool *spool, int fd_in, struct outcome *outcome)
{
    ssize_t n;

    do
        n = read(fd_in, spool->chunk + spool->held, sizeof(spool->chunk) - spool->held);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        outcome_temporary(outcome, "4.3.0", "the message cannot be read from the MTA: %s", strerror(errno));
    if (n > 0)
        spool->held += (size_t)n;
    return n > 0;
}

void spool_first(struct spool *spool, int fd_in, struct outcome *outcome)
{
    while (spool->held < ENVELOPE_LINE_MAX && memchr(spool->chunk, '\n', spool->held) == NULL)
        if (!read_more(spool, fd_in, outcome))
            break;
}

const char *spool_data(const struct spool *spool)
{
    return spool->chunk;
}

size_t spool_held(const struct spool *spool)
{
    return spool->held;
}

/* The right place for what will be `size` octets; moves what is there when memory gets too small. */
static int make_room(struct spool *spool, uint64_t size)
{
    const struct config *config = spool->config;
    bool disk = size > config->spool_memory;
    int fd;

    if (spool->fd >= 0 && (spool->on_disk || !disk))
        return 0;
    fd = tmpfile_open(config->spool, disk ? UINT64_MAX : size, config->spool_memory);
    if (fd < 0)
        return -1;
    if (spool->fd >= 0 && fdio_copy_range(spool->fd, 0, spool->written, fd) != 0) {
        fdio_close(&fd);
        return -1;
    }
    fdio_close(&spool->fd);
    spool->fd = fd;
    spool->on_disk = disk;
    return 0;
}

static void write_chunk(struct spool *spool, struct outcome *outcome)
{
    const struct config *config = spool->config;
    uint64_t size = spool->written + spool->held;
    size_t skip = spool->written < spool->skip ? (size_t)(spool->skip - spool->written) : 0;

    if (size - spool->skip > config->max_size) {
        outcome_permanent(outcome, EX_DATAERR, "5.3.4", "the message is larger than MAX_SIZE, %llu octets",
                          (unsigned long long)config->max_size);
    } else if (make_room(spool, size) != 0 || fdio_write_all(spool->fd, spool->chunk, spool->held) != 0) {
        outcome_temporary(outcome, "4.3.1", "the message cannot be stored in %s: %s", config->spool,
                          strerror(errno));
    } else {
        sha256_update(spool->digest, spool->chunk + skip, spool->held - skip);
        spool->written = size;
    }
}

/* After a fault the input is still read, but nothing is kept. */
void spool_rest(struct spool *spool, int fd_in, uint64_t skip, const char *sender, struct outcome *outcome)
{
    spool->skip = skip;
    sha256_update(spool->digest, sender, strlen(sender) + 1);
    do {
        if (outcome->kind == OUTCOME_DONE)
            write_chunk(spool, outcome);
        spool->held = 0;
    } while (read_more(spool, fd_in, outcome));
}

bool spool_is_empty(const struct spool *spool)
{
    return spool->written <= spool->skip;
}

int spool_take(struct spool *spool, uint64_t *size_r, unsigned char digest_r[SHA256_LEN])
{
    int fd = spool->fd;

    sha256_final(spool->digest, digest_r);
    *size_r = spool->written - spool->skip;
    spool->fd = -1;
    return fd;
}
