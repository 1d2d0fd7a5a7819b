#include "rules/parse.h"

#include <stdlib.h>

/* Reads one pattern. false: none is there. A faulty one is reported and reading goes on. */
static bool parse_pattern(struct scan *scan, struct pattern *pattern, const char *whose, const char *keyword)
{
    bool missing;
    scan_blanks(scan);
    pattern->at = scan->place.at;
    char *word = scan_pattern(scan, &missing);
    if (missing)
        scan_fault(scan, pattern->at, "the %s pattern is missing before %s", whose, keyword);
    if (!word)
        return false;
    char *error = pattern_parse(pattern, word);
    if (error)
        scan_fault(scan, pattern->at, "%s", error);
    free(error);
    free(word);
    return true;
}

static bool expect_keyword(struct scan *scan, const char *name, const char *behind)
{
    scan_blanks(scan);
    if (scan_keyword(scan, name))
        return true;
    if (scan_peek(scan) == '\0')
        scan_fault(scan, scan->place.at, "the line ends here, (%s) is missing behind %s", name, behind);
    else
        scan_fault(scan, scan->place.at, "(%s) is expected here, behind %s", name, behind);
    return false;
}

static bool parse_conditions(struct scan *scan, struct rule *rule)
{
    for (;;) {
        scan_blanks(scan);
        if (!scan_keyword(scan, "if"))
            return true;
        if (!parse_condition(scan, rule))
            return false;
    }
}

void parse_rule(struct scan *scan, struct rule *rule)
{
    scan_blanks(scan);
    rule->at = scan->place.at;
    if (!parse_pattern(scan, &rule->from, "sender", "(to)") ||
        !expect_keyword(scan, "to", "the sender pattern") ||
        !parse_pattern(scan, &rule->to, "recipient", "(do)"))
        return;
    if (rule->to.kind == PATTERN_NULL)
        scan_fault(scan, rule->to.at, "<> is the null sender and never a recipient");
    if (!parse_conditions(scan, rule) ||
        !expect_keyword(scan, "do", rule->condition_count ? "the condition" : "the recipient pattern"))
        return;
    parse_actions(scan, rule);
}
