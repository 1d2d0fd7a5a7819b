/* Writes what a group gets: signed, encrypted, both, or with a changed Subject only; and proves it by the
 * last check. */
#ifndef JULIA_OUTPUT_H
#define JULIA_OUTPUT_H

#include "core/group.h"
#include "core/journal.h"

struct output; /* of one message; keeps signatures that several groups share */
struct output *output_new(const struct plan *plan, struct journal *journal);
void output_free(struct output *output);

struct output_file {
    int fd;          /* borrowed from `output`, or the message's own */
    uint64_t start;  /* hand off from here on */
    const char *how; /* "signed", "encrypted", "signed+encrypted", "clear" */
};
/* false: outcome filled in (temporary), nothing may be handed off; a failed last check has been told to
 * ADMIN. */
bool output_make(struct output *output, const struct group *group, struct output_file *file_r,
                 struct outcome *outcome);

#endif
