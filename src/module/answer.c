#include "module/answer.h"

#include <string.h>

static const char *const names[] = {
    [ANSWER_OK] = "ok",
    [ANSWER_NONE] = "none",
    [ANSWER_TEMPORARY] = "temporary",
    [ANSWER_PERMANENT] = "permanent",
    [ANSWER_INTERACTION] = "interaction",
};

const char *answer_status_name(enum answer_status status)
{
    return names[status];
}

bool answer_status_parse(const char *name, enum answer_status *status_r)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *status_r = (enum answer_status)i;
            return true;
        }
    }
    return false;
}
