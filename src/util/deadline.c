#include "util/deadline.h"

#include <limits.h>
#include <time.h>

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

deadline deadline_in(int64_t milliseconds)
{
    int64_t now = now_ms();

    return milliseconds >= DEADLINE_NEVER - now ? DEADLINE_NEVER : now + milliseconds;
}

deadline deadline_min(deadline a, deadline b)
{
    return a < b ? a : b;
}

int64_t deadline_left(deadline d)
{
    int64_t now;

    if (d == DEADLINE_NEVER)
        return DEADLINE_NEVER;
    now = now_ms();
    return d > now ? d - now : 0;
}

int deadline_poll_timeout(deadline d)
{
    int64_t left;

    if (d == DEADLINE_NEVER)
        return -1;
    left = deadline_left(d);
    return left > INT_MAX ? INT_MAX : (int)left;
}

bool deadline_passed(deadline d)
{
    return deadline_left(d) == 0;
}
