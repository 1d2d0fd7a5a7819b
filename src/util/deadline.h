/* Points in monotonic time, in milliseconds. */
#ifndef JULIA_DEADLINE_H
#define JULIA_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t deadline; /* milliseconds of CLOCK_MONOTONIC; DEADLINE_NEVER: none */
#define DEADLINE_NEVER INT64_MAX

deadline deadline_in(int64_t milliseconds);
deadline deadline_min(deadline a, deadline b);
int64_t deadline_left(deadline d);     /* milliseconds, 0 when passed */
int deadline_poll_timeout(deadline d); /* for poll(2): -1 never, else 0..INT_MAX */
bool deadline_passed(deadline d);

#endif
