/* Entries of an answer: one per certificate, however many files and areas hold it. */
#ifndef JULIA_KEYS_FILE_ENTRY_H
#define JULIA_KEYS_FILE_ENTRY_H

#include "modules/keys-file/chain.h"
#include "modules/keys-file/module.h"

struct entry {
    const struct areas_certificate *certificate; /* of the area that decides */
    const struct areas_certificate *key;         /* the one with a private key, NULL if none */
    const struct buf *capabilities;              /* that lie beside it, or in it; NULL: unknown */
    struct buf learnt;                           /* that stand above them; empty: none */
    struct chain chain;                          /* empty unless asked for */
};
struct entry_list {
    struct entry *items;
    size_t count;
};

/* Brings together what `list` (which must outlive the entries) has of the same certificate. The area that
   decides: untrusted, then trusted, private, public, ca. Order: trusted ones first, then the newest. */
void entry_list_make(const struct areas_list *list, bool keys_only, struct entry_list *entries);
void entry_list_free(struct entry_list *entries);

/* Adds what was learnt from their holders' signatures, and from those under `address` (NULL: none is asked
 * for). */
void entry_list_add_learnt(const char *folder, const char *address, struct entry_list *entries);

/* Builds the chains of the entries that have a key. False: error_r. */
bool entry_list_add_chains(struct areas *areas, struct entry_list *entries, char *error_r, size_t size);

/* Writes one <entry>. */
void entry_write(const struct module *module, const struct entry *entry, struct xml_writer *w);

#endif
