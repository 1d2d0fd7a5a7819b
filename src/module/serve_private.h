/* Between serve.c (transport) and serve_request.c (one request). */
#ifndef JULIA_SERVE_PRIVATE_H
#define JULIA_SERVE_PRIVATE_H

#include "module/serve.h"

struct serve_connection {
    const struct serve_module *module;
    int fd;
    uid_t peer_uid;
    void *context;       /* of connection_open */
    unsigned int number; /* frames received before */
    deadline until; /* of the latest request: until then somebody may still come back to this connection */
};

/* Handles one frame: checks, runs the operation, writes the answer's document into `out`. Closes what is left
   of `fds`. false: the peer does not speak the protocol; the connection ends after the answer. */
bool serve_request_run(struct serve_connection *connection, const struct buf *xml, int *fds, size_t fd_count,
                       struct buf *out);
/* An answer to something that was no request. */
void serve_request_refuse(const char *reason, const char *text, struct buf *out);

#endif
