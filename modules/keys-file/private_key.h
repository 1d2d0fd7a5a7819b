/* Private keys by reference, kept between requests while their files stay as they are. */
#ifndef JULIA_KEYS_FILE_PRIVATE_KEY_H
#define JULIA_KEYS_FILE_PRIVATE_KEY_H

#include <openssl/evp.h>

#include "modules/keys-file/module.h"

/* Keys that a running service keeps; the one not used for longest goes first. Each takes about 4 KB of locked
 * memory. */
#define PRIVATE_KEYS_MAX 64

struct private_keys *private_keys_new(void);
void private_keys_free(struct private_keys *keys); /* wipes them */

/* "keys-file:FINGERPRINT" of a certificate. */
#define PRIVATE_KEY_REFERENCE_MAX 80
void private_key_reference(const char *fingerprint, char reference_r[PRIVATE_KEY_REFERENCE_MAX]);

/* There is such a key (it is not read). False: `answer` says why not. */
bool private_key_exists(struct module *module, const char *reference, struct serve_answer *answer);
/* The key itself; the caller frees it. NULL: `answer` says why. */
EVP_PKEY *private_key_get(struct module *module, const char *reference, struct serve_answer *answer);

#endif
