/* The one log line that tells what became of a message. One message per process. */
#ifndef JULIA_TRACE_H
#define JULIA_TRACE_H

#include "core/message.h"

enum trace_key {
    TRACE_CLIENT,
    TRACE_DIRECTION,
    TRACE_TARGET,
    TRACE_SIGN,
    TRACE_ENCRYPT,
    TRACE_LINES,
    TRACE_KEYS
};
/* Adds a value to a list unless it is there already. */
void trace_add(enum trace_key key, const char *value);
/* "1,3" as group_lines() writes it; "-" adds nothing. */
void trace_add_lines(const char *lines);
/* event=message direction=... client=... rcpts=... sign=... encrypt=... targets=... lines=... result=...;
   client is the address that was found, "local", or what -client says where none was found */
void trace_write(const struct message *message, const struct outcome *outcome);

#endif
