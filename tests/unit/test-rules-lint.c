/* Lint: which lines can never count. */
#include <string.h>

#include "rules_file.h"
#include "unit.h"

static const struct {
    const char *rules, *finding; /* NULL: none */
} CASES[] = {
    /* the operating concept's way of writing is clean */
    {". (to) . (do) FS=m@b.de\n. (to) p.com (do) FE,FS\nu@b.de (to) . (do) EIP, FS", NULL},
    {". (to) . (do) FS\n. (to) p.com (do) FE,FS", NULL},
    {". (to) . (do) EIP\n. (to) p.com (do) NE", NULL},
    {". (to) . (do) FS\n<> (to) . (do) NS", NULL},
    {". (to) . (do) FS=a@b.de\n. (to) p.com (do) FS=c@b.de\nu@b.de (to) p.com (do) FS=a@b.de", NULL},
    {". (to) . (if) size > 5M (do) FE\n. (to) . (if) size > 10M (do) FE:bdew", NULL},
    {". (to) p.com (do) REJECT \"x\"\nu@b.de (to) p.com (do) REJECT \"y\"", NULL},
    /* twins and implied lines */
    {". (to) . (do) FS\n. (to) . (do) FS", "FILE:2:1: warning: this line changes nothing: line 1 says FS"},
    {". (to) . (do) FE,FS\n. (to) p.com (do) FS, FE", "FILE:2:1: warning: this line changes nothing"},
    {". (to) p.com (do) FE\n. (to) . (do) FE",
     "FILE:1:1: warning: this line changes nothing: line 2 says FE"},
    {". (to) . (if) size > 5M (do) FE\n. (to) . (if) size > 10M (do) FE",
     "FILE:2:1: warning: this line changes"},
    {". (to) . (do) FS=a@b.de\n. (to) . (do) FS=c@b.de",
     "FILE:1:1: warning: this line changes nothing: FS never decides"},
    {". (to) . (do) FE=a@b.de\n. (to) . (do) FE=c@b.de",
     "FILE:1:1: warning: this line changes nothing: FE never decides"},
    {". (to) . (do) FS, FS", "FILE:1:19: warning: line 1 says FS"},
    /* contradictions */
    {". (to) . (do) FE\n. (to) p.com (do) NE",
     "FILE:2:1: warning: this line changes nothing: NE cancels nothing here: FE"},
    {". (to) . (do) FE, NE", "FILE:1:19: warning: NE cancels nothing here: FE in line 1"},
    {". (to) . (do) FE\nu@b.de (to) . (do) EIP, FS", "FILE:2:20: warning: EIP adds nothing to FE in line 1"},
    {". (to) . (do) NE, FS\nu@b.de (to) p.com (do) EIP",
     "FILE:2:1: warning: this line changes nothing: EIP never counts"},
    {". (to) p.com (do) EIP\n. (to) q.com (do) NE",
     "FILE:2:1: warning: this line changes nothing: NE cancels nothing: no"},
    {". (to) .p.com (do) REJECT \"x\"\nu@b.de (to) a@x.p.com (do) FE",
     "FILE:2:1: warning: unreachable: REJECT in line 1"},
    {". (to) . (do) FS, REJECT \"x\"", "FILE:1:1: warning: REJECT refuses the mail"},
    {"u@b.de (to) p.com (do) REJECT \"y\"\n. (to) p.com (do) REJECT \"x\"",
     "FILE:1:1: warning: this line changes nothing"},
    /* patterns that look like mistakes */
    {"*@b.de (to) . (do) FS", "FILE:1:1: warning: this looks like an expression"},
    {". (to) partner (do) FS", "FILE:1:8: warning: a domain of one word"},
    {". (to) /.*@p.com/ (do) FS", "FILE:1:8: warning: '.' stands for any character"},
    {". (to) /p\\.com/ (do) FS", "FILE:1:8: warning: an expression is compared with the whole"},
    {". (to) /.*@p\\.com/ (do) FS", NULL},
};

START_TEST(test_cases)
{
    for (size_t i = 0; i < ROWS(CASES); i++) {
        struct ruleset_faults faults = {0};
        struct ruleset *ruleset = rules_file_text(CASES[i].rules, &faults);
        ck_assert_msg(ruleset != NULL, "row %zu: %s", i, faults.items.count ? faults.items.items[0] : "");
        size_t found = ruleset_lint(ruleset, &faults);
        const char *first = found ? faults.items.items[0] : "nothing";
        if (!CASES[i].finding)
            ck_assert_msg(found == 0, "row %zu: %s", i, first);
        else
            ck_assert_msg(found == 1 && strncmp(first, CASES[i].finding, strlen(CASES[i].finding)) == 0,
                          "row %zu: %zu, %s", i, found, first);
        ruleset_free(ruleset);
        ruleset_faults_free(&faults);
    }
}
END_TEST

UNIT_MAIN("rules-lint", test_cases)
