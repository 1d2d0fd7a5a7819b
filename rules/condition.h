/* Conditions, "(if) ...". Private to rules/. */
#ifndef JULIA_RULE_CONDITION_H
#define JULIA_RULE_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/ruleset.h"

enum condition_kind {
    CONDITION_CALENDAR, /* a text/calendar part exists */
    CONDITION_HEADER, /* some field NAME has exactly this value, decoded, blanks collapsed, ASCII case ignored
                       */
    CONDITION_SIZE_ABOVE, /* size > OCTETS */
    CONDITION_SIZE_BELOW  /* size < OCTETS */
};

struct condition {
    enum condition_kind kind;
    char *name, *value; /* of CONDITION_HEADER */
    uint64_t octets;
};

void condition_free(struct condition *condition);
bool condition_holds(const struct condition *condition, const struct ruleset_facts *facts);
/* Whenever `a` holds, `b` holds. */
bool condition_implies(const struct condition *a, const struct condition *b);
/* Trims and makes every run of white space one blank, in place. */
void condition_collapse(char *text);

#endif
