/* Whose mail a key may decrypt (DESIGN section 4, incoming 3). */
#ifndef JULIA_KEYRIGHT_H
#define JULIA_KEYRIGHT_H

#include "core/ask.h"
#include "core/config.h"

/* A personal key: only for an envelope recipient whose address it carries. A gateway key (marked so by its
   module, or one of its addresses is in GATEWAY_KEY): for everybody in the domains of its addresses; one that
   is marked and carries no address: for everybody inside. */
bool keyright_allows(const struct config *config, const struct ask_entry *entry, const char *recipient);

#endif
