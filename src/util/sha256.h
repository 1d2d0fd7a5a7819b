/* SHA-256 by nettle, for journal keys, fingerprints and digests of copies. */
#ifndef JULIA_SHA256_H
#define JULIA_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN     32
#define SHA256_HEX_LEN 64

struct sha256;
struct sha256 *sha256_new(void);
void sha256_update(struct sha256 *s, const void *data, size_t len);
void sha256_final(struct sha256 *s, unsigned char digest[SHA256_LEN]); /* s may be used anew afterwards */
void sha256_free(struct sha256 *s);
void sha256_hex(const void *data, size_t len, char hex_r[SHA256_HEX_LEN + 1]);

#endif
