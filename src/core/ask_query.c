/* What a look-up found, and its end. */
#include <stdlib.h>
#include <string.h>

#include "core/ask.h"

void ask_entry_free(struct ask_entry *entry)
{
    buf_free(&entry->certificate);
    free(entry->fingerprint);
    free(entry->area);
    free(entry->key);
    free(entry->source);
    strlist_free(&entry->addresses);
    buf_free(&entry->capabilities);
    for (size_t i = 0; i < entry->chain_count; i++)
        buf_free(&entry->chain[i]);
    free(entry->chain);
    memset(entry, 0, sizeof(*entry));
}

void ask_query_free(struct ask_query *query)
{
    for (size_t i = 0; i < query->entry_count; i++)
        ask_entry_free(&query->entries[i]);
    free(query->entries);
    free(query->uncertain_text);
    query->entries = NULL;
    query->entry_count = 0;
    query->uncertain_text = NULL;
    query->uncertain = false;
}
