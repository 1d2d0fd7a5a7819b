/* The argument list of a target's sendmail command. Used by handoff.c and its tests. */
#ifndef JULIA_HANDOFF_ARGV_H
#define JULIA_HANDOFF_ARGV_H

#include "delivery/handoff.h"

/* Appends the words of the command for these recipients. False: an address could be misunderstood by the
   command; outcome is temporary then. DSN parameters that RFC 3461 does not allow are left out. */
bool handoff_argv(const struct message *message, const struct handoff *handoff,
                  const struct strlist *recipients, struct strlist *argv, struct outcome *outcome);

#endif
