/* Patterns of the rule language: who is meant. Private to rules/. */
#ifndef JULIA_RULE_PATTERN_H
#define JULIA_RULE_PATTERN_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

enum pattern_kind {
    PATTERN_ANYONE,  /* .             */
    PATTERN_NULL,    /* <>            */
    PATTERN_ADDRESS, /* user@domain   */
    PATTERN_DOMAIN,  /* domain        */
    PATTERN_BELOW,   /* .domain       */
    PATTERN_REGEX    /* /expression/  */
};

struct pattern {
    enum pattern_kind kind;
    char *text; /* normalised address; domain as A-labels, no leading dot; expression as written; else NULL */
    regex_t *regex; /* of PATTERN_REGEX, anchored at both ends */
    size_t at;      /* where it stands in its line */
};

/* Reads `word`. NULL, or what is wrong with it and what to write instead (newly allocated). */
char *pattern_parse(struct pattern *pattern, const char *word);
void pattern_free(struct pattern *pattern);

/* An address prepared for many comparisons. */
struct pattern_subject {
    bool null_sender;
    char *normal;  /* address_normalise(); NULL when it is no address: only `.` and expressions are tried */
    char *unicode; /* the same with U-labels when that differs, else NULL */
    char *raw;     /* what expressions see when `normal` is NULL: ASCII, others as '?' */
};
void pattern_subject_init(struct pattern_subject *subject, const char *address);
void pattern_subject_free(struct pattern_subject *subject);
bool pattern_matches(const struct pattern *pattern, const struct pattern_subject *subject);

/* For lint. Whoever `b` matches is certainly matched by `a`. */
bool pattern_covers(const struct pattern *a, const struct pattern *b);
/* No address is matched by both, certainly. */
bool pattern_disjoint(const struct pattern *a, const struct pattern *b);
/* What makes a valid pattern look like a mistake (static text), or NULL. */
const char *pattern_suspicion(const struct pattern *pattern);

#endif
