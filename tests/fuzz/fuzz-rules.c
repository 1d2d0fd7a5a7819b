/* Rule files: loading, lint and matching of anything. The first line of the input is the sender, the second
 * the recipient. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rules/ruleset.h"
#include "util/buf.h"
#include "util/mem.h"

#define INPUT_MAX 4096u /* lint compares every line with every other */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *take_line(const uint8_t **data, size_t *size)
{
    const uint8_t *end = memchr(*data, '\n', *size);
    size_t len = end ? (size_t)(end - *data) : *size;
    char *line = mem_strndup((const char *)*data, len);
    *data += end ? len + 1 : len;
    *size -= end ? len + 1 : len;
    return line;
}

static struct ruleset *load(const uint8_t *data, size_t size, struct ruleset_faults *faults)
{
    char path[32];
    int fd = memfd_create("rules", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct ruleset *ruleset = ruleset_load(path, NULL, NULL, faults);
    close(fd);
    return ruleset;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX || size == 0)
        return 0;
    char *sender = take_line(&data, &size), *recipient = take_line(&data, &size);
    struct ruleset_faults faults = {0};
    struct ruleset *ruleset = load(data, size, &faults);
    if (!ruleset && faults.items.count == 0)
        abort(); /* refused without a reason */
    if (ruleset) {
        struct ruleset_facts facts = {
            .sender = sender, .header_from = recipient, .size = size, .calendar = size % 2};
        struct ruleset_treatment treatment;
        struct buf line = {0};
        ruleset_lint(ruleset, &faults);
        ruleset_match(ruleset, &facts, recipient, &treatment);
        ruleset_treatment_print(&treatment, &line);
        ruleset_treatment_free(&treatment);
        buf_free(&line);
    }
    ruleset_free(ruleset);
    ruleset_faults_free(&faults);
    free(sender);
    free(recipient);
    return 0;
}
