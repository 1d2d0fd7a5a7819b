#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/report_private.h"
#include "util/log.h"
#include "util/mem.h"

#define KIND      "held-back"
#define KINDS_MAX 20 /* report_notice() */

void report_held_back(const struct config *config)
{
    const size_t prefix = sizeof(REPORT_RATE_PREFIX) - 1;
    const char *pairs[2 * KINDS_MAX + 1] = {NULL};
    unsigned long counts[KINDS_MAX];
    char numbers[KINDS_MAX][24];
    struct strlist names = {0};
    size_t found = 0;

    report_state_list(config, REPORT_RATE_PREFIX, &names);
    for (size_t i = 0; i < names.count && found < KINDS_MAX; i++) {
        const char *kind = names.items[i] + prefix;

        if (strcmp(kind, KIND) == 0 || (counts[found] = report_rate_take(config, kind)) == 0)
            continue;
        snprintf(numbers[found], sizeof(numbers[found]), "%lu", counts[found]);
        pairs[2 * found] = kind;
        pairs[2 * found + 1] = numbers[found];
        found++;
    }
    if (found > 0 && !report_notice(config, KIND, pairs))
        for (size_t i = 0; i < found; i++)
            report_rate_untake(config, pairs[2 * i], counts[i]);
    strlist_free(&names);
}
