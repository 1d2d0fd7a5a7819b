/* The status words every answer carries (julia-module(7)). */
#ifndef JULIA_ANSWER_H
#define JULIA_ANSWER_H

#include <stdbool.h>

enum answer_status {
    ANSWER_OK,
    ANSWER_NONE,       /* there is no such thing: a finding, not a fault */
    ANSWER_TEMPORARY,  /* could not tell; try again */
    ANSWER_PERMANENT,  /* can never work */
    ANSWER_INTERACTION /* a person is needed */
};

const char *answer_status_name(enum answer_status status);
bool answer_status_parse(const char *name, enum answer_status *status_r);

#endif
