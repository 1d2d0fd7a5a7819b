/* The syntax of julia.conf and every <module>.conf (julia.conf(5)): `NAME = value`, `#` comments, a line that
   begins with a blank continues the one above. A comment fills a line, or begins with a '#' that has blanks
   (or the line's end) on both sides; any other '#' belongs to the value. An empty value is "" for texts that
   have a default, NULL for texts and paths that have none, an empty list for lists, and a fault for
   everything else. One table per program says names, types, defaults, limits and targets. Unknown or repeated
   names and bad values are errors with file and line; reading goes on, all errors are reported. */
#ifndef JULIA_CONF_H
#define JULIA_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/network.h"
#include "util/strlist.h"

enum conf_type {
    CONF_TEXT,     /* char *: the value as it stands, blanks at both ends removed */
    CONF_WORDS,    /* struct strlist: separated by blanks */
    CONF_ITEMS,    /* struct strlist: separated by ';', each trimmed, empty ones skipped */
    CONF_YESNO,    /* bool */
    CONF_NUMBER,   /* uint64_t */
    CONF_DURATION, /* uint64_t seconds */
    CONF_SIZE,     /* uint64_t octets */
    CONF_NETWORKS, /* struct network_list */
    CONF_PATH,     /* char *: absolute, or relative to BASE (resolved at the end of conf_load) */
    CONF_CHOICE    /* int: index into `choices` ("a|b|c") */
};

struct conf_entry {
    const char *name; /* a trailing '*' takes every name with that prefix: target is struct strlist of
                         "NAME=value" items, NAME in full (only CONF_TEXT) */
    enum conf_type type;
    const char *default_value; /* parsed like a value; NULL: empty/0 */
    size_t offset;             /* of the target inside the settings struct */
    uint64_t min, max;         /* for numbers, durations, sizes; max 0: no upper limit */
    const char *choices;       /* CONF_CHOICE */
    /* Further check of the raw value, NULL for none. Returns NULL or a static/owned-by-callee text: what is
     * wrong. */
    const char *(*check)(const char *value);
};

struct conf_faults {
    struct strlist lines; /* "FILE:LINE: NAME: what is wrong and what to do" */
};

/* Reads `path` into `settings` (zeroed by the caller), defaults first. `base` is the value of the entry named
   "BASE" if the table has one, else the argument. Returns true when nothing was wrong. With faults the
   settings are complete (bad values keep their default) but must not be used to work. `lines_r` (may be NULL)
   has room for one line number per table entry: where it was set, 0 when defaulted; for later cross-checks.
 */
bool conf_load(const char *path, const struct conf_entry *table, size_t entries, void *settings,
               const char *base, struct conf_faults *faults, unsigned int *lines_r);
void conf_fault(struct conf_faults *faults, const char *format, ...) __attribute__((format(printf, 2, 3)));
void conf_free(const struct conf_entry *table, size_t entries, void *settings);
void conf_faults_free(struct conf_faults *faults);

#endif
