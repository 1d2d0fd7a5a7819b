/* What partners say of themselves in their signatures: SMIMECapabilities, one small file for each certificate
   that signed and for each address in it, so that a partner with certificates of their own for encryption is
   known, too. Of several signatures the newest counts (RFC 8551 2.7.1). Files of the areas, which are the
   administrator's, are never touched. */
#ifndef JULIA_KEYS_FILE_LEARNT_H
#define JULIA_KEYS_FILE_LEARNT_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "util/buf.h"

struct learnt_lesson {
    const X509 *certificate; /* of the signer */
    const char *fingerprint;
    const struct buf *capabilities; /* DER */
    const char
        *signing_time; /* as the protocol writes it; NULL: the signature names none, any other one is newer */
};
/* A time that is still to come teaches nothing: it would keep out all later ones. 0, or -1 with errno. */
int learnt_store(const char *folder, const struct learnt_lesson *lesson);

/* What this certificate's holder said last, or if it never signed, what was said last under `address` (NULL:
   none is known). False: nothing. What cannot be read is as if it had never been said: it decides about no
   more than the choice of an algorithm. */
bool learnt_find(const char *folder, const char *fingerprint, const char *address,
                 struct buf *capabilities_r);

#endif
