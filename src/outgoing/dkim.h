/* DKIM-Signature fields (RFC 6376) of own domains that do not survive what julia does (DKIM_BROKEN). */
#ifndef JULIA_DKIM_H
#define JULIA_DKIM_H

#include "outgoing/entity.h"
#include "outgoing/plan.h"

/* Which fields of the message are signatures of a domain equal to or below INTERNAL_DOMAINS that would be
   broken by what becomes of the message: one flag for each header field, newly allocated; NULL: none.
   `sealed`: it is signed or encrypted, which changes body and Content-* fields; else only what
   entity_clear_header() changes. */
bool *dkim_broken(const struct entity_header *how, bool sealed);
/* The same for everybody who is treated like this: `is_signed` and `encrypted` by julia. */
bool *dkim_broken_by(const struct plan *plan, const struct config_profile *profile, bool is_signed,
                     bool encrypted);

/* The domain (tag d) of a DKIM-Signature field. Newly allocated, NULL if there is none. */
char *dkim_domain(const struct header *header, size_t index);

/* DKIM_BROKEN=refuse: whoever would get the message with a broken signature does not get it. */
void dkim_refuse(struct plan *plan);
/* DKIM_BROKEN=remove: takes broken signatures out of `how`. Returns what the caller frees when `how` is done
 * with. */
bool *dkim_remove(const struct plan *plan, struct entity_header *how, bool sealed);

#endif
