#include "rules_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static bool profile_known(const char *name, void *context)
{
    (void)context;
    return strcmp(name, "default") == 0 || strcmp(name, "modern") == 0 || strcmp(name, "bdew") == 0;
}

struct ruleset *rules_file_load(const void *data, size_t len, struct ruleset_faults *faults)
{
    char directory[] = "/tmp/test-rules.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    FILE *file = fopen("FILE", "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
    struct ruleset *ruleset = ruleset_load("FILE", profile_known, NULL, faults);
    ck_assert_int_eq(unlink("FILE"), 0);
    ck_assert_int_eq(rmdir(directory), 0);
    return ruleset;
}

struct ruleset *rules_file_text(const char *text, struct ruleset_faults *faults)
{
    return rules_file_load(text, strlen(text), faults);
}
