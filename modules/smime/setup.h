/* What has to happen before the first octet of mail is read. */
#ifndef SMIME_SETUP_H
#define SMIME_SETUP_H

#include <stdbool.h>

/* Providers, error strings, random numbers: whatever OpenSSL and libc would open files for later. False:
 * message on stderr. */
bool setup_openssl(void);
/* Content keys and plain text pass through this process: no core dumps, and freed memory is overwritten, also
   where libraries free it. */
void setup_memory(void);

#endif
