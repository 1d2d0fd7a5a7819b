/* Faults of rule files: where they are and that all are told. */
#include <string.h>

#include "rules_file.h"
#include "unit.h"

static const struct {
    const char *line, *fault; /* what the fault begins with */
} FAULTS[] = {
    {"x", "FILE:1:2: error: the line ends here, (to) is missing"},
    {"(to) . (do) FS", "FILE:1:1: error: the sender pattern is missing"},
    {". (to) (do) FS", "FILE:1:8: error: the recipient pattern is missing"},
    {". . (do) FS", "FILE:1:3: error: (to) is expected"},
    {". (to) . FS", "FILE:1:10: error: (do) is expected"},
    {". (to) . x (do) FS", "FILE:1:10: error: (do) is expected"},
    {". (to) .", "FILE:1:9: error: the line ends here, (do)"},
    {". (to) . (do)", "FILE:1:14: error: an action is expected"},
    {". (to) . (do) FS,", "FILE:1:18: error: an action is expected"},
    {". (to) . (do) FS FE", "FILE:1:18: error: a comma"},
    {". (to) . (do) FX", "FILE:1:15: error: unknown action \"FX\""},
    {". (to) . (do) FSx", "FILE:1:15: error: unknown action \"FSx\""},
    {". (to) . (do) FS=", "FILE:1:18: error: the address is missing"},
    {". (to) . (do) FS=x.de", "FILE:1:18: error: \"x.de\" is not a mail address"},
    {". (to) . (do) NS=a@x.de", "FILE:1:17: error: a comma"},
    {". (to) . (do) FE:", "FILE:1:18: error: a profile's name"},
    {". (to) . (do) FE:hugo", "FILE:1:18: error: profile \"hugo\""},
    {". (to) . (do) REJECT", "FILE:1:21: error: REJECT wants a text"},
    {". (to) . (do) REJECT \"", "FILE:1:22: error: the closing quotation mark"},
    {". (to) . (do) REJECT \"a", "FILE:1:22: error: the closing quotation mark"},
    {". (to) . (do) REJECT \"\"", "FILE:1:22: error: the text of REJECT"},
    {". (to) <> (do) FS", "FILE:1:8: error: <> is the null sender"},
    {". (to) . (if) (do) FS", "FILE:1:15: error: a condition is expected"},
    {". (to) . (if) time > 3 (do) FS", "FILE:1:15: error: a condition is expected"},
    {". (to) . (if) size 3 (do) FS", "FILE:1:20: error: \"> SIZE\""},
    {". (to) . (if) size > (do) FS", "FILE:1:22: error: \"\" is no size"},
    {". (to) . (if) size > -1 (do) FS", "FILE:1:22: error: \"-1\" is no size"},
    {". (to) . (if) header : x (do) FS", "FILE:1:22: error: a header field's name"},
    {". (to) . (if) header A (do) FS", "FILE:1:24: error: a colon is expected"},
    {". (to) . (if) header A: (do) FS", "FILE:1:25: error: the value of the header"},
    {". (to) . (if) calendar", "FILE:1:23: error: the line ends here, (do) is missing behind the condition"},
    {"\"a (to) . (do) FS", "FILE:1:1: error: a quotation mark is missing"},
    {"/a (to) . (do) FS", "FILE:1:1: error: the regular expression has no closing slash"},
    {"/a/b/ (to) . (do) FS", "FILE:1:4: error: text behind the closing slash"},
    {"\xc3\xbc@ (to) . (do) FS", "FILE:1:1: error:"},
    {"\xc3\xbc.de (to) \xff (do) FS", "FILE:1:11: error: not UTF-8"},
    {". (to) .\x01 (do) FS", "FILE:1:9: error: control character U+0001"},
    {". (to) .\r (do) FS", "FILE:1:9: error: control character U+000D"},
};

START_TEST(test_faults)
{
    for (size_t i = 0; i < ROWS(FAULTS); i++) {
        struct ruleset_faults faults = {0};
        ck_assert_msg(rules_file_text(FAULTS[i].line, &faults) == NULL, "row %zu", i);
        ck_assert_msg(faults.items.count == 1, "row %zu: %zu faults", i, faults.items.count);
        ck_assert_msg(strncmp(faults.items.items[0], FAULTS[i].fault, strlen(FAULTS[i].fault)) == 0,
                      "row %zu: %s", i, faults.items.items[0]);
        ruleset_faults_free(&faults);
    }
}
END_TEST

START_TEST(test_all_faults_with_excerpt)
{
    struct ruleset_faults faults = {0};
    ck_assert_ptr_null(rules_file_text(
        "x\n. (to) . (do) FS\n\t\xc3\xbc.de\x02 (to)\n. (to) @x.de (do) XX, FE, FS=q", &faults));
    ck_assert_uint_eq(faults.items.count, 5);
    ck_assert_str_eq(faults.items.items[0],
                     "FILE:1:2: error: the line ends here, (to) is missing behind the sender "
                     "pattern\nx\n ^");
    ck_assert_str_eq(faults.items.items[1],
                     "FILE:3:6: error: control character U+0002\n\t\xc3\xbc.de? (to)\n\t    ^");
    ck_assert_ptr_nonnull(strstr(faults.items.items[2], "FILE:4:8:"));
    ck_assert_ptr_nonnull(strstr(faults.items.items[3], "FILE:4:19:"));
    ck_assert_ptr_nonnull(strstr(faults.items.items[4], "FILE:4:30:"));
    ruleset_faults_free(&faults);
}
END_TEST

START_TEST(test_strange_files)
{
    struct ruleset_faults faults = {0};
    ck_assert_ptr_null(ruleset_load("/nonexistent/rules", NULL, NULL, &faults));
    ck_assert_ptr_nonnull(strstr(faults.items.items[0], "/nonexistent/rules:0:0: error: cannot be read"));
    ruleset_faults_free(&faults);
    ck_assert_ptr_null(rules_file_load(". (to) . (do) FS\0NE", 20, &faults));
    ck_assert_ptr_nonnull(strstr(faults.items.items[0], "FILE:1:17: error: control character U+0000"));
    ruleset_faults_free(&faults);
    char line[5000];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    ck_assert_ptr_null(rules_file_text(line, &faults));
    ck_assert_str_eq(faults.items.items[0], "FILE:1:0: error: the line is longer than 4000 octets");
    ruleset_faults_free(&faults);
}
END_TEST

UNIT_MAIN("rules-parse", test_faults, test_all_faults_with_excerpt, test_strange_files)
