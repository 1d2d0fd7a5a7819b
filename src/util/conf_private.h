/* Between the files of the configuration reader. */
#ifndef JULIA_CONF_PRIVATE_H
#define JULIA_CONF_PRIVATE_H

#include "util/conf.h"

/* Parses `value` into the entry's target, which is released first. What is wrong, newly allocated, or NULL;
   then the target is as it was. */
char *conf_value_set(const struct conf_entry *entry, void *settings, const char *value);
void conf_value_free(const struct conf_entry *entry, void *settings);
/* Makes a relative CONF_PATH absolute. */
void conf_value_resolve(const struct conf_entry *entry, void *settings, const char *base);
bool conf_is_prefix(const struct conf_entry *entry); /* its name ends in '*' */
void *conf_target(const struct conf_entry *entry, void *settings);

#endif
