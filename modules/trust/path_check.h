/* Is a path valid? RFC 5280 section 6 by OpenSSL on exactly this path, and what OpenSSL leaves open. */
#ifndef JULIA_TRUST_PATH_CHECK_H
#define JULIA_TRUST_PATH_CHECK_H

#include "modules/trust/path.h"

/* Adds what is wrong with a path that ends at an anchor: signatures, dates, basic constraints, name
   constraints, policies, critical extensions, form. Not: algorithms, use, revocation. False when it could not
   be judged at all. */
bool path_check(const struct terms *terms, const struct path *path, struct faults *faults);

/* The part for a path without anchor: why it has none. */
void path_explain_end(const struct terms *terms, const struct path *path, struct faults *faults);

#endif
