/* Rule files for tests. */
#ifndef JULIA_TEST_RULES_FILE_H
#define JULIA_TEST_RULES_FILE_H

#include <stddef.h>

#include "rules/ruleset.h"

/* Loads `len` octets as a rule file named "FILE" in all faults; profiles other than default, modern, bdew are
 * unknown. */
struct ruleset *rules_file_load(const void *data, size_t len, struct ruleset_faults *faults);
struct ruleset *rules_file_text(const char *text, struct ruleset_faults *faults);

#endif
