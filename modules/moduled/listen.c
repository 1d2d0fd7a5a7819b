#include "modules/moduled/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/fdio.h"

#define BACKLOG 128 /* callers wait there while all workers are busy; each has a deadline of its own */

static int complain(const char *path, const char *what)
{
    fprintf(stderr, "julia-moduled: %s: %s\n", path, what);
    return -1;
}

static bool fill_address(const char *path, struct sockaddr_un *address_r)
{
    *address_r = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address_r->sun_path)
        return false;
    memcpy(address_r->sun_path, path, strlen(path) + 1);
    return true;
}

/* Removes a socket file whose server is gone. false, with the reason told, when something else lies there. */
static bool remove_stale(const char *path, const struct sockaddr_un *address)
{
    struct stat st;
    int fd, error = 0;

    if (lstat(path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode)) {
        complain(path, "there is a file that is no socket; remove it or choose another path");
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        error = errno;
    fdio_close(&fd);
    if (error != ECONNREFUSED) {
        complain(path, error == 0 || error == EAGAIN ? "another process already serves this socket"
                                                     : strerror(error));
        return false;
    }
    return unlink(path) == 0 || errno == ENOENT;
}

static int set_owner(const char *path, const struct listen_owner *owner)
{
    if ((owner->uid != (uid_t)-1 || owner->gid != (gid_t)-1) && lchown(path, owner->uid, owner->gid) != 0)
        return -1;
    return chmod(path, owner->gid != (gid_t)-1 ? 0660 : 0600);
}

static int bind_fresh(const char *path, const struct sockaddr_un *address, const struct listen_owner *owner)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177); /* nobody connects before the owner is set */
    bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)address, sizeof *address) == 0;

    umask(mask);
    if (bound && set_owner(path, owner) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    complain(path, strerror(errno));
    if (bound)
        unlink(path);
    fdio_close(&fd);
    return -1;
}

int listen_open(const char *path, const struct listen_owner *owner)
{
    struct sockaddr_un address;

    if (!fill_address(path, &address))
        return complain(path, "the path is too long for a Unix socket");
    if (!remove_stale(path, &address))
        return -1;
    return bind_fresh(path, &address, owner);
}

int listen_inherited(int fd)
{
    int domain = 0, type = 0, accepts = 0;
    socklen_t len = sizeof domain;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) == 0 && accepts != 0)
        return fd;
    return complain("standard input", "no listening Unix socket; name one by -s");
}
