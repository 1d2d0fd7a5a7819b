#include <stdlib.h>
#include <string.h>

#include "rules/fault.h"
#include "rules/verdict.h"
#include "util/mem.h"

static void finding(struct ruleset_faults *findings, const struct ruleset *ruleset, const struct rule *rule,
                    size_t at, const char *prefix, const char *text)
{
    struct fault_place place = {ruleset->file, rule->line, rule->text, strlen(rule->text), at};
    fault_add(findings, &place, "warning", "%s%s", prefix, text);
}

static void covering_find(struct covering *covering, const struct ruleset *ruleset, const struct rule *rule)
{
    for (size_t i = 0; i < ruleset->count; i++) {
        if (!rule_covers(&ruleset->rules[i], rule))
            continue;
        const struct rule **slot = mem_push(&covering->rules, &covering->count, sizeof *slot);
        *slot = &ruleset->rules[i];
    }
}

/* The line that refuses whatever the rule is about, or NULL. */
static const struct rule *rejecting(const struct covering *covering)
{
    for (size_t i = 0; i < covering->count; i++)
        for (size_t k = 0; k < covering->rules[i]->action_count; k++)
            if (covering->rules[i]->actions[k].kind == ACTION_REJECT)
                return covering->rules[i];
    return NULL;
}

static void lint_reject(const struct ruleset *ruleset, const struct rule *rule, const struct rule *reject,
                        struct ruleset_faults *findings)
{
    if (reject == rule) {
        finding(findings, ruleset, rule, rule->at, "",
                "REJECT refuses the mail, the other actions of this line never count");
        return;
    }
    char *text =
        mem_printf("unreachable: REJECT in line %u refuses all mail that this line is about", reject->line);
    finding(findings, ruleset, rule, rule->at, "", text);
    free(text);
}

static void lint_actions(const struct ruleset *ruleset, const struct covering *covering,
                         const struct rule *rule, struct ruleset_faults *findings)
{
    struct verdict *verdicts = mem_array(rule->action_count, sizeof *verdicts);
    bool all = true;
    for (size_t i = 0; i < rule->action_count; i++) {
        verdict_judge(ruleset, covering, rule, &rule->actions[i], &verdicts[i]);
        all = all && verdicts[i].superfluous;
    }
    if (all)
        finding(findings, ruleset, rule, rule->at, "this line changes nothing: ", verdicts[0].why);
    for (size_t i = 0; i < rule->action_count; i++) {
        if (!all && verdicts[i].worth_a_line)
            finding(findings, ruleset, rule, rule->actions[i].at, "", verdicts[i].why);
        free(verdicts[i].why);
    }
    free(verdicts);
}

static void lint_patterns(const struct ruleset *ruleset, const struct rule *rule,
                          struct ruleset_faults *findings)
{
    const struct pattern *const patterns[] = {&rule->from, &rule->to};
    for (size_t i = 0; i < 2; i++) {
        const char *suspicion = pattern_suspicion(patterns[i]);
        if (suspicion)
            finding(findings, ruleset, rule, patterns[i]->at, "", suspicion);
    }
}

static void lint_rule(const struct ruleset *ruleset, const struct rule *rule, struct ruleset_faults *findings)
{
    struct covering covering = {0};
    covering_find(&covering, ruleset, rule);
    const struct rule *reject = rejecting(&covering);
    bool own = false, only = true; /* has a REJECT, has nothing else */
    for (size_t i = 0; i < rule->action_count; i++) {
        own = own || rule->actions[i].kind == ACTION_REJECT;
        only = only && rule->actions[i].kind == ACTION_REJECT;
    }
    lint_patterns(ruleset, rule, findings);
    if (own && !only)
        lint_reject(ruleset, rule, rule, findings);
    else if (reject && !own)
        lint_reject(ruleset, rule, reject, findings);
    else
        lint_actions(ruleset, &covering, rule, findings);
    free(covering.rules);
}

size_t ruleset_lint(const struct ruleset *ruleset, struct ruleset_faults *findings)
{
    size_t before = findings->items.count;
    for (size_t i = 0; i < ruleset->count; i++)
        lint_rule(ruleset, &ruleset->rules[i], findings);
    return findings->items.count - before;
}
