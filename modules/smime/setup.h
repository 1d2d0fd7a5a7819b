/* What has to happen before the first octet of mail is read. */
#ifndef SMIME_SETUP_H
#define SMIME_SETUP_H

#include <stdbool.h>

/* Providers, error strings, random numbers: whatever OpenSSL and libc would open files for later. False:
 * message on stderr. */
bool setup_openssl(void);
/* No core dumps: content keys and plain text pass through this process. */
void setup_no_core(void);

#endif
