/* Faults and findings with their place in a rule file. Private to rules/. */
#ifndef JULIA_RULE_FAULT_H
#define JULIA_RULE_FAULT_H

#include <stdarg.h>

#include "rules/ruleset.h"

struct fault_place {
    const char *file;
    unsigned int line;
    const char *text; /* the line, `len` octets, no line end; NULL: no excerpt */
    size_t len;
    size_t at; /* octet offset of the culprit in `text` */
};

/* Adds "FILE:LINE:COLUMN: KIND: text", the line, a caret. The column counts characters from 1. Octets that
   could harm a terminal are shown as '?'. */
void fault_add(struct ruleset_faults *faults, const struct fault_place *place, const char *kind,
               const char *format, ...) __attribute__((format(printf, 4, 5)));
void fault_vadd(struct ruleset_faults *faults, const struct fault_place *place, const char *kind,
                const char *format, va_list ap) __attribute__((format(printf, 4, 0)));

#endif
