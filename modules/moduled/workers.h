/* The processes behind the socket: as many as asked for, always. */
#ifndef JULIA_MODULED_WORKERS_H
#define JULIA_MODULED_WORKERS_H

#include <stddef.h>

struct workers_spec {
    char *const *argv; /* argv[0] is an absolute path */
    const char *const *env;
    int socket_fd;
    size_t count;
};

/* Keeps the workers alive until SIGTERM or SIGINT; then ends them, each after its running request. SIGHUP
   lets each one finish its connection and starts another in its place. A worker that dies soon after its
   start is replaced ever more slowly. Returns the exit status. */
int workers_run(const struct workers_spec *spec);

#endif
