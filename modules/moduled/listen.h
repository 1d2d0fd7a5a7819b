/* The socket that the core connects to. */
#ifndef JULIA_MODULED_LISTEN_H
#define JULIA_MODULED_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

struct listen_owner {
    uid_t uid; /* (uid_t)-1: as it is */
    gid_t gid; /* (gid_t)-1: as it is; otherwise this group may connect too */
};

/* Binds and listens, with mode 0600, or 0660 when a group is given. A socket file that nobody serves is
   replaced; one that is served, or a file that is no socket, is left alone. Returns the descriptor
   (close-on-exec) or -1 with the reason on stderr. */
int listen_open(const char *path, const struct listen_owner *owner);
/* `fd` itself when it is a listening Unix stream socket that somebody else made, else -1 with the reason on
 * stderr. */
int listen_inherited(int fd);

#endif
