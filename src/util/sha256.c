#include <nettle/sha2.h>
#undef sha256_update /* nettle's short name for nettle_sha256_update(); ours is a function */

#include <stdlib.h>

#include "util/mem.h"
#include "util/sha256.h"

struct sha256 {
    struct sha256_ctx context;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *s = mem_alloc(sizeof(*s));

    nettle_sha256_init(&s->context);
    return s;
}

void sha256_update(struct sha256 *s, const void *data, size_t len)
{
    nettle_sha256_update(&s->context, len, data);
}

void sha256_final(struct sha256 *s, unsigned char digest[SHA256_LEN])
{
    nettle_sha256_digest(&s->context, SHA256_LEN, digest); /* begins anew by itself */
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

    nettle_sha256_init(&s.context);
    sha256_update(&s, data, len);
    sha256_final(&s, digest);
    for (size_t i = 0; i < SHA256_LEN; i++) {
        hex_r[2 * i] = digits[digest[i] >> 4];
        hex_r[2 * i + 1] = digits[digest[i] & 15];
    }
    hex_r[SHA256_HEX_LEN] = '\0';
}
