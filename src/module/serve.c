#include "module/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "module/serve_private.h"

#define IDLE_MS  10000 /* a silent connection keeps a service's worker that long, unless connection_waits */
#define FRAME_MS 10000 /* for one frame to arrive or leave whole once it has begun */

#define EXIT_USAGE     2
#define EXIT_TEMPORARY 75

/* Both are blocked but while waiting for input: a running request is never interrupted. */
static volatile sig_atomic_t stop;   /* SIGTERM: end now */
static volatile sig_atomic_t finish; /* SIGHUP, services only: end after this connection */

enum wait_result { WAIT_READY, WAIT_STOP, WAIT_TIMEOUT };

static void on_signal(int number)
{
    if (number == SIGTERM)
        stop = 1;
    else
        finish = 1;
}

static void catch_signals(bool listening)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;

    stop = finish = 0;
    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaction(SIGTERM, &action, NULL);
    if (listening) {
        sigaddset(&blocked, SIGHUP);
        sigaction(SIGHUP, &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* `idle`: between connections, where a request to finish is one to stop. */
static enum wait_result wait_input(int fd, deadline until, bool idle)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    sigset_t blocked, open;

    sigprocmask(SIG_BLOCK, NULL, &blocked);
    open = blocked;
    sigdelset(&open, SIGTERM);
    sigdelset(&open, SIGHUP);
    sigprocmask(SIG_SETMASK, &open,
                NULL); /* what came meanwhile; ppoll() alone would let ready input go first */
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    for (;;) {
        int64_t left = deadline_left(until);
        struct timespec time = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        int n;

        if (stop || (idle && finish))
            return WAIT_STOP;
        n = ppoll(&polled, 1, until == DEADLINE_NEVER ? NULL : &time, &open);
        if (n > 0)
            return WAIT_READY;
        if (n < 0 && errno != EINTR)
            return WAIT_STOP;
        if (n == 0 && deadline_passed(until))
            return WAIT_TIMEOUT;
    }
}

/* One frame in, one out. false: the connection is at its end. */
static bool serve_frame(struct serve_connection *c)
{
    int fds[FRAME_FDS_MAX];
    size_t fd_count;
    struct buf xml = {0}, out = {0};
    enum frame_result result = frame_receive(c->fd, &xml, fds, &fd_count, deadline_in(FRAME_MS));
    bool keep = false;

    if (result == FRAME_OK)
        keep = serve_request_run(c, &xml, fds, fd_count, &out);
    else if (result == FRAME_DAMAGED || result == FRAME_TIMEOUT)
        serve_request_refuse("damaged", frame_result_text(result), &out);
    if (out.len > 0 && frame_send(c->fd, out.data, out.len, NULL, 0, deadline_in(FRAME_MS)) != FRAME_OK)
        keep = false;
    buf_free(&xml);
    buf_wipe(&out);
    return keep;
}

static deadline patience(const struct serve_connection *c)
{
    deadline until = deadline_in(IDLE_MS);
    bool waits = c->module->connection_waits != NULL && c->until > until &&
                 c->module->connection_waits(c->module->module, c->context);

    return waits ? c->until : until;
}

static void serve_connection(const struct serve_module *module, int fd, bool listening)
{
    struct serve_connection c = {.module = module, .fd = fd, .peer_uid = (uid_t)-1};
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
        c.peer_uid = peer.uid;
    if (module->connection_open != NULL)
        c.context = module->connection_open(module->module, c.peer_uid);
    while (wait_input(fd, listening ? patience(&c) : DEADLINE_NEVER, false) == WAIT_READY && serve_frame(&c))
        ;
    if (module->connection_close != NULL)
        module->connection_close(module->module, c.context);
}

/* One connection after another, shared with the other workers on this socket. */
static int serve_listening(const struct serve_module *module, int fd)
{
    (void)fcntl(fd, F_SETFL, O_NONBLOCK); /* another worker may have taken the connection that poll saw */
    while (wait_input(fd, DEADLINE_NEVER, true) == WAIT_READY) {
        int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

        if (connection >= 0) {
            serve_connection(module, connection, true);
            close(connection);
        } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ECONNABORTED) {
            fprintf(stderr, "%s: accept: %s\n", module->name, strerror(errno));
            return EXIT_TEMPORARY;
        }
    }
    return 0;
}

static bool is_unix_stream(int fd, bool *listening_r)
{
    int domain = 0, type = 0, accepts = 0;
    socklen_t len = sizeof domain;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 || domain != AF_UNIX ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) != 0)
        return false;
    *listening_r = accepts != 0;
    return true;
}

/* No core dump and no debugger of the same user: there may be keys in memory. LeakSanitizer needs to trace
 * itself. */
static void hide_memory(void)
{
#if defined(PR_SET_DUMPABLE) && !defined(__SANITIZE_ADDRESS__)
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

int module_serve(const struct serve_module *module)
{
    bool listening;

    if (!is_unix_stream(STDIN_FILENO, &listening)) {
        fprintf(stderr,
                "%s is a module of julia: its standard input must be a Unix socket.\n"
                "Name it in julia.conf (MODULES_KEYS, MODULE_TRUST or MODULE_SMIME) or start it by "
                "julia-moduled.\n",
                module->name);
        return EXIT_USAGE;
    }
    hide_memory();
    catch_signals(listening);
    if (listening)
        return serve_listening(module, STDIN_FILENO);
    serve_connection(module, STDIN_FILENO, false);
    return 0;
}

const char *serve_base(void)
{
    const char *base = getenv("JULIA_BASE");

    return base != NULL && base[0] == '/' ? base : JULIA_PREFIX;
}
