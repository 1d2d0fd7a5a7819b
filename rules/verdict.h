/* Whether an action of a rule can ever count, given all other lines. Private to rules/.
   Since all matching lines count, "never" means: whatever message the rule matches, other lines that match it
   too make this action superfluous or cancel it. */
#ifndef JULIA_RULE_VERDICT_H
#define JULIA_RULE_VERDICT_H

#include "rules/rule.h"

/* The rules that match whatever one rule matches, itself among them, in the order of the file. */
struct covering {
    const struct rule **rules;
    size_t count;
};

struct verdict {
    bool superfluous;
    bool worth_a_line; /* a contradiction, reported even when the rest of the line counts */
    char *why;         /* newly allocated; NULL unless superfluous */
};

/* Whatever `b` is about, `a` is about as well. */
bool rule_covers(const struct rule *a, const struct rule *b);
void verdict_judge(const struct ruleset *ruleset, const struct covering *covering, const struct rule *rule,
                   const struct action *action, struct verdict *verdict);

#endif
