#include "rules/action.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const NAMES[] = {"FS", "SIP", "NS", "FE", "EIP", "NE", "REJECT"};

void action_free(struct action *action)
{
    free(action->address);
    free(action->profile);
    free(action->text);
}

const char *action_name(enum action_kind kind)
{
    return NAMES[kind];
}

bool action_find(const char *name, size_t len, enum action_kind *kind_r)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strlen(NAMES[i]) == len && strncasecmp(NAMES[i], name, len) == 0) {
            *kind_r = (enum action_kind)i;
            return true;
        }
    }
    return false;
}

bool action_signs(enum action_kind kind)
{
    return kind == ACTION_FS || kind == ACTION_SIP;
}

bool action_encrypts(enum action_kind kind)
{
    return kind == ACTION_FE || kind == ACTION_EIP;
}
