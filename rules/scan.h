/* Reading one line of a rule file from left to right. Private to rules/. */
#ifndef JULIA_RULE_SCAN_H
#define JULIA_RULE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/fault.h"

/* A line is NUL-terminated, well-formed UTF-8 and has no control characters but tabs (load.c sees to that).
 */
struct scan {
    struct fault_place place; /* place.at is the reading position */
    struct ruleset_faults *faults;
    bool (*profile_known)(const char *name, void *context); /* NULL: all are */
    void *context;
};

char scan_peek(const struct scan *scan); /* '\0' at the end */
void scan_blanks(struct scan *scan);
/* Blanks, then nothing more or a comment. */
bool scan_at_end(struct scan *scan);
/* "(NAME)" at the reading position, case and inner blanks ignored. Skips it. */
bool scan_keyword(struct scan *scan, const char *name);

/* A pattern as written: up to a blank or a keyword; quotes protect both; "/.../" up to its closing slash.
   NULL: fault added, or nothing there (*missing_r). Newly allocated. */
char *scan_pattern(struct scan *scan, bool *missing_r);
/* A word up to a blank, a comma or the end; quotes and brackets protect blanks, commas and `stop` (a further
   octet that ends the word, or '\0'). May be empty. Newly allocated. */
char *scan_word(struct scan *scan, char stop);
/* The text up to the next (if) or (do), without the blanks at both ends. Newly allocated. */
char *scan_text(struct scan *scan);
/* "text" with \" and \\. NULL: fault added. Newly allocated. */
char *scan_quoted(struct scan *scan);

/* A fault at octet `at` of the line. */
void scan_fault(struct scan *scan, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
