#include "core/slice.h"

void slice_each(struct message *message, struct journal *journal, const struct strlist *recipients,
                struct buf *explain, slice_run *run, struct outcome *outcome)
{
    const struct config *config = message->config;
    const size_t most = config->partial == CONFIG_PARTIAL_ALL ? recipients->count : config->max_recipients;

    for (size_t at = 0; at < recipients->count; at += most) {
        struct strlist slice = {0};
        struct outcome part;

        outcome_done(&part);
        for (size_t i = at; i < recipients->count && i - at < most; i++)
            strlist_add(&slice, recipients->items[i]);
        run(message, journal, &slice, explain, &part);
        outcome_merge(outcome, &part);
        strlist_free(&slice);
    }
}
