/* The environment of every module, spawned or behind julia-moduled: JULIA_BASE, PATH and LANG, nothing else.
 */
#ifndef JULIA_ENVIRONMENT_H
#define JULIA_ENVIRONMENT_H

#include "util/strlist.h"

void environment_make(struct strlist *env, const char *base);
/* A module's program: `name`, or, unless it is absolute, BASE/lib/modules/name. The caller frees it. */
char *environment_program(const char *base, const char *name);
/* The words of a module's command line, program first. */
void environment_command(struct strlist *argv, const char *base, const char *command);

#endif
