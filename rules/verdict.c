#include "rules/verdict.h"

#include <string.h>

#include "util/mem.h"

/* One action in its rule; positions are compared in the order of the file. */
struct spot {
    const struct rule *rule;
    const struct action *action;
};

bool rule_covers(const struct rule *a, const struct rule *b)
{
    if (a == b)
        return true;
    if (!pattern_covers(&a->from, &b->from) || !pattern_covers(&a->to, &b->to))
        return false;
    for (size_t i = 0; i < a->condition_count; i++) {
        bool implied = false;
        for (size_t k = 0; k < b->condition_count; k++)
            implied = implied || condition_implies(&b->conditions[k], &a->conditions[i]);
        if (!implied)
            return false;
    }
    return true;
}

static bool is_before(struct spot a, struct spot b)
{
    return a.rule->line != b.rule->line ? a.rule->line < b.rule->line : a.action < b.action;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_property(enum action_kind a, enum action_kind b)
{
    return (action_signs(a) && action_signs(b)) || (action_encrypts(a) && action_encrypts(b)) ||
           (a == ACTION_REJECT && b == ACTION_REJECT);
}

static bool is_forced(enum action_kind kind)
{
    return kind == ACTION_FS || kind == ACTION_FE;
}

/* Some action of the same property stands between the two. */
static bool something_between(const struct ruleset *ruleset, struct spot first, struct spot second)
{
    for (const struct rule *rule = first.rule; rule <= second.rule && rule < ruleset->rules + ruleset->count;
         rule++)
        for (size_t i = 0; i < rule->action_count; i++) {
            struct spot spot = {rule, &rule->actions[i]};
            if (is_before(first, spot) && is_before(spot, second) &&
                same_property(spot.action->kind, first.action->kind))
                return true;
        }
    return false;
}

/* The words that `a` brings (key, certificate, profile, text) never decide because of `b`, which covers it.
 */
static bool words_are_idle(const struct ruleset *ruleset, struct spot a, struct spot b)
{
    const struct action *x = a.action, *y = b.action;
    bool stronger = is_forced(y->kind) && !is_forced(x->kind);
    if (action_encrypts(x->kind) && stronger)
        return true; /* EIP names nothing where FE matches */
    if (is_forced(x->kind) && !is_forced(y->kind))
        return false;    /* may itself be cancelled */
    if (is_before(a, b)) /* the later one decides, unless it names nothing */
        return (!x->address || y->address) && (!x->profile || y->profile);
    return same_text(x->address, y->address) && same_text(x->profile, y->profile) &&
           same_text(x->text, y->text) && !something_between(ruleset, b, a);
}

static bool is_same_action(const struct action *a, const struct action *b)
{
    return a->kind == b->kind && same_text(a->address, b->address) && same_text(a->profile, b->profile) &&
           same_text(a->text, b->text);
}

/* FS, SIP, FE, EIP, REJECT: does `b` make `a` superfluous? */
static bool is_implied(const struct ruleset *ruleset, struct spot a, struct spot b)
{
    if (!same_property(a.action->kind, b.action->kind) ||
        (is_forced(a.action->kind) && !is_forced(b.action->kind)))
        return false;
    if (is_before(a, b) && is_same_action(a.action, b.action) && rule_covers(a.rule, b.rule))
        return false; /* twins: the later one is the superfluous one */
    return words_are_idle(ruleset, a, b);
}

static enum action_kind canceller(enum action_kind kind)
{
    return kind == ACTION_SIP ? ACTION_NS : ACTION_NE;
}

/* SIP under NS, EIP under NE. */
static bool is_cancelled(struct spot a, struct spot b)
{
    return (a.action->kind == ACTION_SIP || a.action->kind == ACTION_EIP) &&
           b.action->kind == canceller(a.action->kind);
}

/* NS under FS, NE under FE; for the null sender FS is only SIP. */
static bool is_powerless(struct spot a, struct spot b)
{
    return (a.action->kind == ACTION_NE && b.action->kind == ACTION_FE) ||
           (a.action->kind == ACTION_NS && b.action->kind == ACTION_FS && a.rule->from.kind != PATTERN_NULL);
}

static bool judge_pair(const struct ruleset *ruleset, struct spot a, struct spot b, struct verdict *verdict)
{
    const char *mine = action_name(a.action->kind), *other = action_name(b.action->kind);
    unsigned int line = b.rule->line;
    if (is_cancelled(a, b)) {
        verdict->worth_a_line = true;
        verdict->why = mem_printf("%s never counts: %s in line %u cancels it", mine, other, line);
    } else if (is_powerless(a, b)) {
        verdict->worth_a_line = true;
        verdict->why = mem_printf("%s cancels nothing here: %s in line %u is stronger", mine, other, line);
    } else if (a.action->kind == b.action->kind &&
               (a.action->kind == ACTION_NS || a.action->kind == ACTION_NE) &&
               (is_before(b, a) || !rule_covers(a.rule, b.rule))) {
        verdict->why = mem_printf("line %u says %s for the same mail", line, other);
    } else if (is_implied(ruleset, a, b)) {
        verdict->worth_a_line = a.rule == b.rule || (is_forced(b.action->kind) && !is_forced(a.action->kind));
        verdict->why =
            is_same_action(a.action, b.action) ? mem_printf("line %u says %s for the same mail", line, other)
            : is_before(a, b) ? mem_printf("%s never decides: %s in line %u does", mine, other, line)
                              : mem_printf("%s adds nothing to %s in line %u", mine, other, line);
    } else {
        return false;
    }
    verdict->superfluous = true;
    return true;
}

/* An NE (NS) that no EIP (SIP) can ever meet. FS counts as SIP for the null sender. */
static bool has_target(const struct ruleset *ruleset, struct spot a)
{
    for (size_t i = 0; i < ruleset->count; i++) {
        const struct rule *rule = &ruleset->rules[i];
        for (size_t k = 0; k < rule->action_count; k++) {
            enum action_kind kind = rule->actions[k].kind;
            bool target = a.action->kind == ACTION_NE ? kind == ACTION_EIP : action_signs(kind);
            if (target && !pattern_disjoint(&a.rule->to, &rule->to))
                return true;
        }
    }
    return false;
}

void verdict_judge(const struct ruleset *ruleset, const struct covering *covering, const struct rule *rule,
                   const struct action *action, struct verdict *verdict)
{
    struct spot a = {rule, action};
    memset(verdict, 0, sizeof *verdict);
    for (size_t i = 0; i < covering->count; i++) {
        const struct rule *other = covering->rules[i];
        for (size_t k = 0; k < other->action_count; k++) {
            struct spot b = {other, &other->actions[k]};
            if (b.action != a.action && judge_pair(ruleset, a, b, verdict))
                return;
        }
    }
    if ((action->kind == ACTION_NE || action->kind == ACTION_NS) && !has_target(ruleset, a)) {
        verdict->superfluous = true;
        verdict->worth_a_line = true;
        verdict->why = mem_printf("%s cancels nothing: no line says %s for these recipients",
                                  action_name(action->kind), action->kind == ACTION_NE ? "EIP" : "SIP");
    }
}
