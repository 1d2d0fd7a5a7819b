#include "util/units.h"

#include <stddef.h>

struct unit {
    char letter; /* '\0' ends the table */
    uint64_t factor;
};

static bool parse(const char *text, const struct unit *units, uint64_t *value_r)
{
    uint64_t value = 0, factor = 1;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    if (*text != '\0') {
        while (units->letter != '\0' && units->letter != *text)
            units++;
        if (units->letter == '\0' || text[1] != '\0')
            return false;
        factor = units->factor;
    }
    return !__builtin_mul_overflow(value, factor, value_r);
}

bool units_duration(const char *text, uint64_t *seconds_r)
{
    static const struct unit units[] = {{'s', 1},     {'m', 60},     {'h', 3600},
                                        {'d', 86400}, {'w', 604800}, {0, 0}};

    return parse(text, units, seconds_r);
}

bool units_size(const char *text, uint64_t *octets_r)
{
    static const struct unit units[] = {{'k', 1 << 10}, {'K', 1 << 10}, {'m', 1 << 20}, {'M', 1 << 20},
                                        {'g', 1 << 30}, {'G', 1 << 30}, {0, 0}};

    return parse(text, units, octets_r);
}
