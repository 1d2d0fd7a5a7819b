#include "util/sha256.h"

#include <sha2.h>
#include <stdlib.h>
#include <string.h>

#include "util/fdio.h"
#include "util/mem.h"
#include "util/sha256_private.h"

#define SHA256_BLOCK 64
#define LENGTH_LEN   8 /* the message's length in bits, at the end of the last block */
#define SHA256_CHUNK (64u * 1024)

struct sha256 {
    uint32_t state[8];
    uint64_t total; /* octets */
    unsigned char block[SHA256_BLOCK];
    size_t held; /* octets in block */
};

static void compress(uint32_t state[8], const unsigned char *data, size_t blocks)
{
    if (sha256_cpu_has())
        sha256_cpu_compress(state, data, blocks);
    else
        for (; blocks > 0; blocks--, data += SHA256_BLOCK)
            SHA256Transform(state, data);
}

static void start(struct sha256 *s)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memcpy(s->state, initial, sizeof(initial));
    s->total = 0;
    s->held = 0;
}

struct sha256 *sha256_new(void)
{
    struct sha256 *s = mem_alloc(sizeof(*s));

    start(s);
    return s;
}

void sha256_update(struct sha256 *s, const void *data, size_t len)
{
    const unsigned char *in = data;
    size_t blocks;

    s->total += len;
    if (s->held > 0) {
        size_t n = SHA256_BLOCK - s->held < len ? SHA256_BLOCK - s->held : len;

        memcpy(s->block + s->held, in, n);
        s->held += n;
        in += n;
        len -= n;
        if (s->held < SHA256_BLOCK)
            return;
        compress(s->state, s->block, 1);
        s->held = 0;
    }
    blocks = len / SHA256_BLOCK;
    compress(s->state, in, blocks);
    s->held = len - blocks * SHA256_BLOCK;
    if (s->held > 0)
        memcpy(s->block, in + blocks * SHA256_BLOCK, s->held);
}

/* FIPS 180-4 section 5.1.1: a one bit, zeros, the length. */
void sha256_final(struct sha256 *s, unsigned char digest[SHA256_LEN])
{
    unsigned char padding[SHA256_BLOCK + LENGTH_LEN] = {0x80};
    uint64_t bits = s->total * 8;
    size_t zeros = (2 * SHA256_BLOCK - LENGTH_LEN - 1 - s->held) % SHA256_BLOCK;

    for (size_t i = 0; i < LENGTH_LEN; i++)
        padding[1 + zeros + i] = (unsigned char)(bits >> (56 - 8 * i));
    sha256_update(s, padding, 1 + zeros + LENGTH_LEN);
    for (size_t i = 0; i < SHA256_LEN; i++)
        digest[i] = (unsigned char)(s->state[i / 4] >> (24 - 8 * (i % 4)));
    start(s);
}

void sha256_free(struct sha256 *s)
{
    if (s != NULL)
        mem_wipe(s, sizeof(*s));
    free(s);
}

void sha256_hex(const void *data, size_t len, char hex_r[SHA256_HEX_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_LEN];
    struct sha256 s;

    start(&s);
    sha256_update(&s, data, len);
    sha256_final(&s, digest);
    for (size_t i = 0; i < SHA256_LEN; i++) {
        hex_r[2 * i] = digits[digest[i] >> 4];
        hex_r[2 * i + 1] = digits[digest[i] & 15];
    }
    hex_r[SHA256_HEX_LEN] = '\0';
}

int sha256_fd_range(int fd, uint64_t offset, uint64_t len, unsigned char digest[SHA256_LEN])
{
    unsigned char chunk[SHA256_CHUNK];
    struct sha256 s;

    start(&s);
    while (len > 0) {
        size_t n = len < sizeof(chunk) ? (size_t)len : sizeof(chunk);

        if (fdio_pread_all(fd, chunk, n, offset) != 0)
            return -1;
        sha256_update(&s, chunk, n);
        offset += n;
        len -= n;
    }
    sha256_final(&s, digest);
    return 0;
}
