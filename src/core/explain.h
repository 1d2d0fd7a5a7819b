/* The lines of `julia -explain` (julia(8)): one tab-separated line per group, then `#` lines with the
 * reasons. */
#ifndef JULIA_EXPLAIN_H
#define JULIA_EXPLAIN_H

#include "outgoing/group.h"

/* The first line of a group whose message goes to `target` if it is sent. */
void explain_treatment(const struct group *group, const char *direction, enum config_target target,
                       struct buf *out);
/* A group of outgoing recipients. */
void explain_group(const struct plan *plan, const struct group *group, const char *direction,
                   struct buf *out);
/* Recipients that get the message unchanged, or are refused (`refuse` not NULL; target NULL then). */
void explain_plain(const char *direction, const char *target, const struct strlist *recipients,
                   const char *refuse, struct buf *out);
/* One "# ..." line; control characters become '?'. */
void explain_note(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
