/* Writes what a group gets: signed, encrypted, both, or with a changed Subject only; and proves it by the
 * last check. */
#ifndef JULIA_PRODUCT_H
#define JULIA_PRODUCT_H

#include "delivery/journal.h"
#include "outgoing/group.h"

struct product; /* of one message; keeps signatures that several groups share */
struct product *product_new(const struct plan *plan, struct journal *journal);
void product_free(struct product *product);

struct product_file {
    int fd;          /* borrowed from the product, or the message's own */
    uint64_t start;  /* hand off from here on */
    const char *how; /* "signed", "encrypted", "signed+encrypted", "clear" */
};
/* false: outcome filled in (temporary), nothing may be handed off; a failed last check has been told to
 * ADMIN. */
bool product_make(struct product *product, const struct group *group, struct product_file *file_r,
                  struct outcome *outcome);

/* Did the last product_make() fail because the smime module ended while it worked? */
bool product_module_died(const struct product *product);

#endif
