/* The environment of every module, spawned or behind julia-moduled: JULIA_BASE, PATH and LANG, nothing else.
 */
#ifndef JULIA_ENVIRONMENT_H
#define JULIA_ENVIRONMENT_H

#include "util/strlist.h"

void environment_make(struct strlist *env, const char *base);
/* The words of a module's command line: the first one, unless absolute, lies below BASE/lib/modules. */
void environment_command(struct strlist *argv, const char *base, const char *command);

#endif
