/* Validation against modules/protocol.rng as installed. */
#ifndef JULIA_CHECK_RNG_H
#define JULIA_CHECK_RNG_H

#include <stdbool.h>
#include <stddef.h>

struct rng;

struct rng *rng_load(const char *path); /* NULL: not readable or no schema; told on stderr */
void rng_free(struct rng *rng);
/* false: error_r says what the validator said first. */
bool rng_valid(struct rng *rng, const char *xml, size_t len, char *error_r, size_t size);

#endif
