#include "modules/areas/cache.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t place_of(const char *fingerprint)
{
    char start[5] = "";

    strncpy(start, fingerprint, sizeof(start) - 1);
    return strtoul(start, NULL, 16) % CACHE_PLACES;
}

X509 *areas_cache_get(struct cache *cache, const char *fingerprint, const unsigned char *der, size_t len)
{
    size_t i = place_of(fingerprint);
    X509 *certificate = cache->places[i].certificate;

    if (certificate == NULL || strcmp(cache->places[i].fingerprint, fingerprint) != 0) {
        certificate = len <= LONG_MAX ? d2i_X509(NULL, &der, (long)len) : NULL;
        if (certificate == NULL)
            return NULL;
        X509_free(cache->places[i].certificate);
        cache->places[i].certificate = certificate;
        snprintf(cache->places[i].fingerprint, sizeof(cache->places[i].fingerprint), "%s", fingerprint);
    }
    X509_up_ref(certificate);
    return certificate;
}

void areas_cache_clear(struct cache *cache)
{
    for (size_t i = 0; i < CACHE_PLACES; i++)
        X509_free(cache->places[i].certificate);
    memset(cache, 0, sizeof(*cache));
}
