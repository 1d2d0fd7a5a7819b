/* Validation by modules/protocol.rng itself, for tests only. */
#ifndef JULIA_TEST_MODULE_RNG_H
#define JULIA_TEST_MODULE_RNG_H

#include <stdbool.h>
#include <stddef.h>

/* A path below the source tree; the caller frees it. */
char *module_rng_path(const char *relative);
bool module_rng_valid(const char *xml, size_t len);

#endif
