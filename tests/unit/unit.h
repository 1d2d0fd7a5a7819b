/* What every unit test program ends with: UNIT_MAIN("noun", test_a, test_b) runs them, each in its own
 * process. */
#ifndef JULIA_UNIT_H
#define JULIA_UNIT_H

#include <check.h>
#include <stdlib.h>

/* Tables of cases fail with the row: the line in the source stands in the table itself. */
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static inline int unit_run(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner;
    int failed;

    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define UNIT_MAIN(name, ...)                                                                                 \
    int main(void)                                                                                           \
    {                                                                                                        \
        const TTest *const tests[] = {__VA_ARGS__};                                                          \
                                                                                                             \
        return unit_run(name, tests, ROWS(tests));                                                           \
    }

#endif
