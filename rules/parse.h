/* From a line to a rule. Private to rules/. */
#ifndef JULIA_RULE_PARSE_H
#define JULIA_RULE_PARSE_H

#include "rules/rule.h"
#include "rules/scan.h"

/* Reads FROM (to) TO [(if) CONDITION]... (do) ACTION[, ACTION]... into the zeroed `rule`. Faults are added to
   scan->faults; reading goes on behind each as far as it makes sense. */
void parse_rule(struct scan *scan, struct rule *rule);

/* The parts, each at the reading position. false: fault added and the rest of the line is not worth reading.
 */
bool parse_condition(struct scan *scan, struct rule *rule);
void parse_actions(struct scan *scan, struct rule *rule);

#endif
