#include "util/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/fdio.h"

#define LOOK_AGAIN_MS 5 /* between two looks at a child where there is no pidfd */
#define OUTPUT_CHUNK  8192

/* A descriptor that becomes readable when the child ends, or -1 where the system has none. */
static int open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    (void)pid;
    return -1;
#endif
}

/* Has it ended? It is not reaped, so its process group cannot become another's. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return errno != EINTR;
    return info.si_pid == pid;
}

/* Until the child ends or `fd` can be read; returns whether it has ended. */
static bool wait_either(pid_t pid, int pidfd, int fd, deadline until)
{
    struct pollfd wait[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    deadline look = pidfd >= 0 ? until : deadline_min(until, deadline_in(LOOK_AGAIN_MS));

    if (has_ended(pid))
        return true;
    poll(wait, 2, deadline_poll_timeout(look));
    return has_ended(pid);
}

static bool wait_ended(pid_t pid, int pidfd, deadline until)
{
    bool ended;

    while (!(ended = wait_either(pid, pidfd, -1, until)) && !deadline_passed(until))
        ;
    return ended;
}

bool process_ended(pid_t pid, int fd, deadline until)
{
    int pidfd = open_pidfd(pid);
    bool ended = wait_either(pid, pidfd, fd, until);

    fdio_close(&pidfd);
    return ended;
}

static void reap(pid_t pid, struct process_result *result_r)
{
    int status;
    pid_t got;

    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        *result_r = (struct process_result){PROCESS_NOT_STARTED, errno};
    else if (WIFEXITED(status))
        *result_r = (struct process_result){PROCESS_EXITED, WEXITSTATUS(status)};
    else
        *result_r = (struct process_result){PROCESS_SIGNALLED, WTERMSIG(status)};
}

static void end_group(pid_t pid, int pidfd, int64_t grace_ms, struct process_result *result_r)
{
    kill(-pid, SIGTERM);
    wait_ended(pid, pidfd, deadline_in(grace_ms));
    kill(-pid, SIGKILL); /* also those of the group who outlive their leader */
    reap(pid, result_r);
}

void process_wait(pid_t pid, deadline until, int64_t grace_ms, struct process_result *result_r)
{
    int pidfd = until == DEADLINE_NEVER ? -1 : open_pidfd(pid);

    if (until == DEADLINE_NEVER || wait_ended(pid, pidfd, until)) {
        reap(pid, result_r);
    } else {
        end_group(pid, pidfd, grace_ms, result_r);
        *result_r = (struct process_result){PROCESS_TIMEOUT, result_r->code};
    }
    fdio_close(&pidfd);
}

void process_end_group(pid_t pid, int64_t grace_ms, struct process_result *result_r)
{
    int pidfd = open_pidfd(pid);

    end_group(pid, pidfd, grace_ms, result_r);
    fdio_close(&pidfd);
}

/* Reads what is there, without waiting. False at the end of the stream. */
static bool collect(int fd, struct buf *output, size_t max)
{
    char chunk[OUTPUT_CHUNK];
    ssize_t n;

    while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
        size_t room = max - output->len;

        buf_add(output, chunk, (size_t)n < room ? (size_t)n : room);
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Until the stream ends, the child ends (others may hold the pipe open then), or time is up. */
static void collect_until(pid_t pid, int fd, deadline until, struct buf *output, size_t max)
{
    int pidfd = open_pidfd(pid);
    bool open = true;

    while (open && !deadline_passed(until)) {
        bool ended = wait_either(pid, pidfd, fd, until);

        open = collect(fd, output, max) && !ended;
    }
    fdio_close(&pidfd);
}

void process_run(const struct process_spec *spec, deadline until, struct buf *output, size_t max,
                 struct process_result *result_r)
{
    struct process_spec piped = *spec;
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0) {
        *result_r = (struct process_result){PROCESS_NOT_STARTED, errno};
        return;
    }
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    piped.stdout_fd = piped.stderr_fd = fds[1];
    pid = process_start(&piped);
    if (pid < 0)
        *result_r = (struct process_result){PROCESS_NOT_STARTED, errno};
    fdio_close(&fds[1]);
    if (pid >= 0) {
        collect_until(pid, fds[0], until, output, max);
        process_wait(pid, until, PROCESS_GRACE_MS, result_r);
    }
    fdio_close(&fds[0]);
}
