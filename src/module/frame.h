/* Frames of the module protocol (julia-module(7)): decimal length, newline, one XML document; descriptors
   travel with the frame's first octet (SCM_RIGHTS). */
#ifndef JULIA_FRAME_H
#define JULIA_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"
#include "util/deadline.h"

#define FRAME_MAX     (4u << 20) /* octets of XML: 300 certificates with their chains fit */
#define FRAME_FDS_MAX 16

enum frame_result {
    FRAME_OK,
    FRAME_EOF,     /* the peer closed before a frame began */
    FRAME_TIMEOUT, /* deadline passed */
    FRAME_DAMAGED, /* bad length, too long, ended inside a frame, too many descriptors */
    FRAME_ERROR    /* errno */
};

/* A second descriptor served while a frame is waited for: `ready` is called whenever it can be read (or has
   ended) and returns false when it need not be watched any longer. */
struct frame_watch {
    int fd; /* -1: none (any more) */
    bool (*ready)(void *context);
    void *context;
};

/* The socket may be blocking or not; both honour the deadline by poll(2). SIGPIPE is never raised. `watch`
 * may be NULL. */
enum frame_result frame_send(int fd, const void *xml, size_t len, const int *fds, size_t fd_count,
                             deadline until);
enum frame_result frame_send_watching(int fd, const void *xml, size_t len, const int *fds, size_t fd_count,
                                      deadline until, struct frame_watch *watch);
/* One frame and not an octet more. `xml` is cleared first. Descriptors received are close-on-exec and owned
   by the caller; those beyond FRAME_FDS_MAX, or not with the first octet, are closed and damage the frame.
   With any other result than FRAME_OK there are none, and the socket must not be used any more. */
enum frame_result frame_receive(int fd, struct buf *xml, int fds[FRAME_FDS_MAX], size_t *fd_count_r,
                                deadline until);
enum frame_result frame_receive_watching(int fd, struct buf *xml, int fds[FRAME_FDS_MAX], size_t *fd_count_r,
                                         deadline until, struct frame_watch *watch);
const char *frame_result_text(enum frame_result result);

#endif
