/* Results, one line each, in the manner of TAP. */
#ifndef JULIA_CHECK_REPORT_H
#define JULIA_CHECK_REPORT_H

#include <stdbool.h>

struct report {
    unsigned int checks, findings, skipped;
};

/* "ok N - name", or "not ok N - name" and why, as a comment below. */
void report_good(struct report *report, const char *name);
void report_bad(struct report *report, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What cannot be tried with this module, and what would make it possible. */
void report_skip(struct report *report, const char *name, const char *why);
void report_end(const struct report *report, const char *module, const char *role);

#endif
