/* Certificates as parsed by earlier look-ups: reading one costs a hundred times the look-up itself. */
#ifndef JULIA_AREAS_CACHE_H
#define JULIA_AREAS_CACHE_H

#include <openssl/x509.h>

#include "util/sha256.h"

#define CACHE_PLACES 64 /* certificates of a few KB each; a newer one takes the place of an older one */

struct cache { /* zeroed: empty */
    struct {
        char fingerprint[SHA256_HEX_LEN + 1];
        X509 *certificate;
    } places[CACHE_PLACES];
};

/* The certificate with these octets, a reference for the caller; NULL when they are none. `fingerprint` must
   be theirs. */
X509 *areas_cache_get(struct cache *cache, const char *fingerprint, const unsigned char *der, size_t len);
void areas_cache_clear(struct cache *cache);

#endif
