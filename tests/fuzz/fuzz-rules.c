/* Rule files: loading, lint and matching of anything; the letter case of a rule file changes nothing. The
   first line of the input is the sender, the second the recipient. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "rules/ruleset.h"
#include "tests/fuzz/fuzz.h"
#include "util/mem.h"

#define INPUT_MAX 4096u /* lint compares every line with every other */

static char *take_line(const uint8_t **data, size_t *size)
{
    const uint8_t *end = memchr(*data, '\n', *size);
    size_t len = end ? (size_t)(end - *data) : *size;
    char *line = mem_strndup((const char *)*data, len);
    *data += end ? len + 1 : len;
    *size -= end ? len + 1 : len;
    return line;
}

static struct ruleset *load(const void *data, size_t size, struct ruleset_faults *faults)
{
    char path[32];
    int fd = fuzz_file(data, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct ruleset *ruleset = ruleset_load(path, NULL, NULL, faults);
    close(fd);
    return ruleset;
}

/* What the rules say, as julia-rules prints it. */
static char *decide(const struct ruleset *ruleset, const struct ruleset_facts *facts, const char *recipient)
{
    struct ruleset_treatment treatment;
    struct buf line = {0};
    ruleset_match(ruleset, facts, recipient, &treatment);
    ruleset_treatment_print(&treatment, &line);
    ruleset_treatment_free(&treatment);
    return buf_take(&line);
}

/* But for expressions, whose escapes are two things in two cases. */
static void check_case(const uint8_t *data, size_t size, const struct ruleset_facts *facts,
                       const char *recipient, const char *decided)
{
    struct ruleset_faults faults = {0};
    struct buf other = {0};
    for (size_t i = 0; i < size; i++) {
        bool letter = (data[i] >= 'A' && data[i] <= 'Z') || (data[i] >= 'a' && data[i] <= 'z');
        buf_add_char(&other, (char)(letter ? data[i] ^ 0x20 : data[i]));
    }
    struct ruleset *ruleset = load(buf_text(&other), other.len, &faults);
    FUZZ_HOLDS((ruleset != NULL) == (decided != NULL));
    if (ruleset) {
        char *again = decide(ruleset, facts, recipient);
        FUZZ_HOLDS(strcasecmp(again, decided) == 0);
        free(again);
    }
    ruleset_free(ruleset);
    ruleset_faults_free(&faults);
    buf_free(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX || size == 0)
        return 0;
    char *sender = take_line(&data, &size), *recipient = take_line(&data, &size), *decided = NULL;
    struct ruleset_facts facts = {
        .sender = sender, .header_from = recipient, .size = size, .calendar = size % 2};
    struct ruleset_faults faults = {0};
    struct ruleset *ruleset = load(data, size, &faults);
    FUZZ_HOLDS(ruleset || faults.items.count > 0); /* never refused without a reason */
    if (ruleset) {
        ruleset_lint(ruleset, &faults);
        decided = decide(ruleset, &facts, recipient);
    }
    if (size > 0 && !memchr(data, '/', size))
        check_case(data, size, &facts, recipient, decided);
    ruleset_free(ruleset);
    ruleset_faults_free(&faults);
    free(decided);
    free(sender);
    free(recipient);
    return 0;
}
