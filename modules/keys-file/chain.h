/* The issuers of an own certificate, so that a signature can carry them. */
#ifndef JULIA_KEYS_FILE_CHAIN_H
#define JULIA_KEYS_FILE_CHAIN_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "modules/areas/areas.h"

#define CHAIN_MAX 8 /* CA certificates above a leaf; real ones have one to three */

struct chain {
    X509 *items[CHAIN_MAX]; /* the leaf's issuer first; the self-signed root is left out, whoever trusts it
                               has it */
    size_t count;
};

/* From area ca and from the leaf's own file. False: the areas could not be read, error_r. An incomplete chain
 * is no failure. */
bool chain_build(struct areas *areas, const struct areas_certificate *leaf, struct chain *chain,
                 char *error_r, size_t size);
void chain_free(struct chain *chain);

#endif
