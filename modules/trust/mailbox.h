/* Mail addresses under name constraints: what OpenSSL 3.0 overlooks. */
#ifndef JULIA_TRUST_MAILBOX_H
#define JULIA_TRUST_MAILBOX_H

#include "modules/trust/path.h"

/* Adds no-path faults: a mailbox of the certificate that a CA above excludes, in whatever letters; a
   SmtpUTF8Mailbox (RFC 9598) that could as well be an rfc822Name (and so would slip through constraints on
   those), one that is no address, and one whose domain a CA above excludes, whichever way the two are
   written.
 */
void mailbox_check(const struct path *path, struct faults *faults);

#endif
