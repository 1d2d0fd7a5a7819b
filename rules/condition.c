#include "rules/condition.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void condition_free(struct condition *condition)
{
    free(condition->name);
    free(condition->value);
}

void condition_collapse(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool blank = strchr(" \t\r\n\v\f", *from) != NULL;
        if (!blank)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    if (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}

static bool header_holds(const struct condition *condition, const struct header *header)
{
    if (!header)
        return false;
    long index;
    for (size_t from = 0; (index = header_next(header, condition->name, from)) >= 0;
         from = (size_t)index + 1) {
        char *value = header_value(header, (size_t)index);
        char *decoded = header_decode(value);
        condition_collapse(decoded);
        bool equal = strcasecmp(decoded, condition->value) == 0;
        free(decoded);
        free(value);
        if (equal)
            return true;
    }
    return false;
}

bool condition_holds(const struct condition *condition, const struct ruleset_facts *facts)
{
    switch (condition->kind) {
    case CONDITION_CALENDAR:
        return facts->calendar;
    case CONDITION_HEADER:
        return header_holds(condition, facts->header);
    case CONDITION_SIZE_ABOVE:
        return facts->size > condition->octets;
    case CONDITION_SIZE_BELOW:
        return facts->size < condition->octets;
    }
    return false;
}

bool condition_implies(const struct condition *a, const struct condition *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case CONDITION_CALENDAR:
        return true;
    case CONDITION_HEADER:
        return strcasecmp(a->name, b->name) == 0 && strcasecmp(a->value, b->value) == 0;
    case CONDITION_SIZE_ABOVE:
        return a->octets >= b->octets;
    case CONDITION_SIZE_BELOW:
        return a->octets <= b->octets;
    }
    return false;
}
