/* Digests of one content in several algorithms at once. */
#ifndef SMIME_DIGESTS_H
#define SMIME_DIGESTS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

#include "modules/smime/algorithm.h"

#define DIGESTS_MAX   7  /* as many as this module knows */
#define DIGESTS_FIRST 16 /* octets of the content that are kept to look at */

struct digests { /* zero it to begin */
    size_t count;
    const struct digest_algorithm *algorithms[DIGESTS_MAX];
    EVP_MD_CTX *contexts[DIGESTS_MAX];
    unsigned char first[DIGESTS_FIRST];
    size_t first_len;
};

/* Adds an algorithm before the first update; one that is there already counts as added. */
bool digests_add(struct digests *digests, const struct digest_algorithm *algorithm);
bool digests_update(struct digests *digests, const void *data, size_t len);
/* The digest of what was added so far: 0 octets when that algorithm was not asked for. */
size_t digests_get(const struct digests *digests, const struct digest_algorithm *algorithm,
                   unsigned char digest_r[EVP_MAX_MD_SIZE]);
/* Does the content begin as signed attributes do, SET { SEQUENCE { OBJECT IDENTIFIER? A signature over such
   content can be the one over the attributes of another message (draft-ietf-lamps-cms-euf-cma-signeddata). */
bool digests_of_attributes(const struct digests *digests);
void digests_free(struct digests *digests);

#endif
