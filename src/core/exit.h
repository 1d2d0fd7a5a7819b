/* The ways out of the process. Every one that is not a proven end is exit status 75 (EX_TEMPFAIL): the MTA
 * keeps the mail. */
#ifndef JULIA_EXIT_H
#define JULIA_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/outcome.h"

/* To be called first: descriptors 0 to 2 exist afterwards, signals that would kill print "4.3.0 ..." and end
   with 75, together with all children; SIGPIPE and SIGXFSZ become errors of the call that met them. */
void exit_guard(void);
/* The backstop behind DEADLINE: after `seconds` the process ends as by a signal. 0: none. */
void exit_backstop(uint64_t seconds);
/* The one place that maps an outcome to an exit status; prints "DSN TEXT" as the first line of standard
   output (not for success when that is to be silent: the output is for another program then). */
int exit_status(const struct outcome *outcome, bool silent_success);

#endif
