/* What a rule file is in memory. Private to rules/. */
#ifndef JULIA_RULE_H
#define JULIA_RULE_H

#include "rules/action.h"
#include "rules/condition.h"
#include "rules/pattern.h"
#include "rules/ruleset.h"

/* Limits of a rule file, so that a wrong path (a log, a device) ends in a clear error. */
#define RULE_FILE_MAX (16u << 20) /* octets */
#define RULE_LINE_MAX 4000u       /* octets; the excerpt in a fault stays readable */

struct rule {
    unsigned int line;
    char *text; /* the line as written, without its end */
    size_t at;  /* where the rule begins in `text` */
    struct pattern from, to;
    struct condition *conditions; /* all must hold */
    size_t condition_count;
    struct action *actions; /* in the order written */
    size_t action_count;
};

struct ruleset {
    char *file;
    struct rule *rules; /* in the order of the file */
    size_t count;
};

#endif
