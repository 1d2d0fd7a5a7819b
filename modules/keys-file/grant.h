/* Grants: what one connection may do with private keys. A connection begins with its grant, or never gets
   one; afterwards it serves nothing but what the grant names. */
#ifndef JULIA_KEYS_FILE_GRANT_H
#define JULIA_KEYS_FILE_GRANT_H

#include "modules/keys-file/module.h"

/* For serve_module: one of these belongs to each connection. */
void *grant_connection_open(void *module, uid_t peer_uid);
void grant_connection_close(void *module, void *connection);
/* There is something left to use. */
bool grant_connection_waits(void *module, const void *connection);
bool grant_admit(const char *operation, unsigned int number, const struct serve_request *request,
                 struct serve_answer *answer, void *module);

/* Takes one use of `key` for `operation` off the grant, whatever comes of it. False: `answer` says that it is
 * not granted. */
bool grant_use(const struct serve_request *request, const char *operation, const char *key,
               struct serve_answer *answer);

#endif
