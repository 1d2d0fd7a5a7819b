/* Recipients that get the same octets (DESIGN section 4, outgoing 6). */
#ifndef JULIA_GROUP_H
#define JULIA_GROUP_H

#include "outgoing/plan.h"

#define GROUP_RECIPIENTS_MAX 250 /* their certificates must fit into one frame */

struct group {
    enum plan_end end;
    const struct select_candidate *signer; /* NULL: julia does not sign */
    const char *signer_address;
    const struct config_profile *profile;
    const struct select_candidate *
        *certificates; /* the RecipientInfos: of the recipients and ENCRYPT_ALSO_TO, each once */
    size_t certificate_count;
    struct plan_recipient **members;
    size_t count;
};

struct group_list {
    struct group *items;
    size_t count;
};

/* Encrypted ones: recipients named in the header together, every other one alone, so that no RecipientInfo
   betrays it; those with a common certificate together in any case. Refused and waiting recipients are
   grouped by their reason. */
void group_make(struct plan *plan, struct group_list *list_r);
void group_free(struct group_list *list);
/* Borrowed addresses of the members, copied into `recipients`. */
void group_recipients(const struct group *group, struct strlist *recipients);
/* Line numbers of the rules that matched for any member, ascending, comma-separated; "-" when none did. */
void group_lines(const struct group *group, struct buf *out);

/* What becomes of the group, into the trace line. `made`: its output was made. */
void group_trace(const struct group *group, enum config_target target, bool made);

#endif
