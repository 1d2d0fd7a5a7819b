#include "module/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "module/environment.h"
#include "module/output.h"
#include "util/fdio.h"
#include "util/mem.h"

#define GRACE_MS      300 /* between SIGTERM and SIGKILL: a module keeps nothing that needs longer */
#define LOOK_AGAIN_MS 1   /* between two looks at a process that ends, where there is no pidfd */
#define BACKLOG_MS    20  /* between two attempts while the service's backlog is full */

struct channel {
    int fd;
    pid_t pid; /* 0: a service */
    struct output *output;
    struct frame_watch watch;
};

static struct channel *channel_new(int fd)
{
    struct channel *channel = mem_alloc(sizeof *channel);

    channel->fd = fd;
    channel->watch.fd = -1;
    return channel;
}

static pid_t start(char *const *argv, const char *base, int socket_fd, int output_fd)
{
    struct strlist env = {0};
    struct process_spec spec = {
        .argv = argv, .stdin_fd = socket_fd, .stdout_fd = output_fd, .stderr_fd = output_fd};
    pid_t pid;
    int saved;

    environment_make(&env, base);
    spec.env = (const char *const *)env.items;
    pid = process_start(&spec);
    saved = errno;
    strlist_free(&env);
    errno = saved;
    return pid;
}

struct channel *channel_spawn(char *const *argv, const char *base, const char *name)
{
    int ends[2] = {-1, -1}, pipe_ends[2] = {-1, -1}, saved;
    pid_t pid = -1;
    struct channel *channel = NULL;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 && pipe2(pipe_ends, O_CLOEXEC) == 0)
        pid = start(argv, base, ends[1], pipe_ends[1]);
    saved = errno;
    fdio_close(&ends[1]);
    fdio_close(&pipe_ends[1]);
    if (pid > 0) {
        channel = channel_new(ends[0]);
        channel->pid = pid;
        channel->output = output_new(pipe_ends[0], name);
        channel->watch = (struct frame_watch){pipe_ends[0], output_read, channel->output};
    } else {
        fdio_close(&ends[0]);
        fdio_close(&pipe_ends[0]);
    }
    errno = saved;
    return channel;
}

struct channel *channel_connect(const char *path, deadline until)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, saved;

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return NULL;
    while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        saved = errno;
        if ((saved != EAGAIN && saved != EINTR) || deadline_passed(until)) {
            close(fd);
            errno = saved == EAGAIN ? ETIMEDOUT : saved;
            return NULL;
        }
        (void)poll(NULL, 0, BACKLOG_MS);
    }
    return channel_new(fd);
}

int channel_fd(const struct channel *channel)
{
    return channel->fd;
}

enum channel_state channel_state(const struct channel *channel)
{
    char c;
    ssize_t n;

    do
        n = recv(channel->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return CHANNEL_SPOKE;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? CHANNEL_QUIET : CHANNEL_ENDED;
}

enum frame_result channel_exchange(struct channel *channel, const struct buf *question, const int *fds,
                                   size_t fd_count, struct buf *answer, deadline until)
{
    int got[FRAME_FDS_MAX];
    size_t got_count = 0;
    enum frame_result result = frame_send_watching(channel->fd, question->data, question->len, fds, fd_count,
                                                   until, &channel->watch);

    if (result == FRAME_ERROR && (errno == EPIPE || errno == ECONNRESET))
        return FRAME_EOF;
    if (result == FRAME_OK)
        result = frame_receive_watching(channel->fd, answer, got, &got_count, until, &channel->watch);
    if (got_count == 0)
        return result;
    while (got_count > 0)
        close(got[--got_count]);
    return FRAME_DAMAGED; /* answers carry no descriptors */
}

/* What it says meanwhile is read: it must not wait for us. */
static void end_process(struct channel *channel, int64_t patience_ms, struct process_result *result_r)
{
    deadline patience = deadline_in(patience_ms);

    while (!process_ended(channel->pid, output_fd(channel->output), patience) && !deadline_passed(patience))
        if (output_fd(channel->output) >= 0)
            (void)output_read(channel->output);
    process_end_group(channel->pid, GRACE_MS, result_r);
}

void channel_close(struct channel *channel, int64_t patience_ms, struct process_result *result_r)
{
    struct process_result result = {.end = PROCESS_NOT_STARTED};

    if (channel != NULL) {
        (void)shutdown(channel->fd, SHUT_RDWR);
        fdio_close(&channel->fd);
        if (channel->pid > 0)
            end_process(channel, patience_ms, &result);
        output_free(channel->output);
        free(channel);
    }
    if (result_r != NULL)
        *result_r = result;
}
