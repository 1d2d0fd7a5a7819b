/* One connection of the core to a module: to a process of its own or to a running service. */
#ifndef JULIA_CHANNEL_H
#define JULIA_CHANNEL_H

#include "module/frame.h"
#include "util/process.h"

struct channel;

/* Starts a module: `argv` with the environment of module/environment.h, descriptor 0 one end of a socket
   pair, 1 and 2 a pipe whose lines are logged under `name` (borrowed). NULL with errno. */
struct channel *channel_spawn(char *const *argv, const char *base, const char *name);
/* Connects to a service; a full backlog is waited for. NULL with errno (ETIMEDOUT when `until` passed). */
struct channel *channel_connect(const char *path, deadline until);

int channel_fd(const struct channel *channel);

enum channel_state {
    CHANNEL_QUIET, /* nothing to read: as it should be between two questions */
    CHANNEL_SPOKE, /* octets that nobody asked for */
    CHANNEL_ENDED
};
enum channel_state channel_state(const struct channel *channel);

/* Sends one frame and receives one. A peer that closes at any time before its answer: FRAME_EOF or
 * FRAME_DAMAGED. */
enum frame_result channel_exchange(struct channel *channel, const struct buf *question, const int *fds,
                                   size_t fd_count, struct buf *answer, deadline until);

/* Ends the connection for everybody who holds it, and the process: `patience_ms` are given to end by itself,
   then SIGTERM and SIGKILL to its group. result_r (may be NULL) says how it ended; end is PROCESS_NOT_STARTED
   when there is none. */
void channel_close(struct channel *channel, int64_t patience_ms, struct process_result *result_r);

#endif
