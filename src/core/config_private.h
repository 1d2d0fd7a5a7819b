/* Shared by the config*.c files only. */
#ifndef JULIA_CONFIG_PRIVATE_H
#define JULIA_CONFIG_PRIVATE_H

#include "core/config.h"

struct config_reading { /* what the checks need to name file and line */
    struct config *config;
    struct conf_faults *faults;
    const struct conf_entry *table;
    size_t entries;
    const unsigned int *lines; /* one per entry; 0: defaulted */
};

/* Adds "FILE:LINE: NAME: text", or "FILE: NAME: text" where NAME stands on its default. */
void config_fault(const struct config_reading *reading, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void config_check_all(
    const struct config_reading *reading); /* config_check.c: what several values together must be */
void config_profiles_load(
    const struct config_reading *reading); /* config_profile.c: built-in ones, then PROFILE_* */
/* The value of a PROFILE_*: NULL, or what is wrong with it (static text). */
const char *config_profile_check(const char *value);
void config_profiles_free(struct config *config);

#endif
