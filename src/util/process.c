#include "util/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/fdio.h"

#define FIRST_OTHER_FD 3
#define LOOK_AGAIN_MS  20 /* between two looks at a child where there is no pidfd */
#define OUTPUT_CHUNK   8192

#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 34)
#define HAVE_SPAWN_CLOSEFROM
#endif
#endif

/* An ignored SIGCHLD, inherited from whoever started us, would make the kernel throw exit codes away. */
static void keep_exit_codes(void)
{
    struct sigaction action;

    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

static int add_close_others(posix_spawn_file_actions_t *actions)
{
#ifdef HAVE_SPAWN_CLOSEFROM
    return posix_spawn_file_actions_addclosefrom_np(actions, FIRST_OTHER_FD);
#else
    long last = sysconf(_SC_OPEN_MAX);
    int rc = 0;

    for (int fd = FIRST_OTHER_FD; fd < last && rc == 0; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            rc = posix_spawn_file_actions_addclose(actions, fd);
    return rc;
#endif
}

/* `fds` are all above 2, so no dup2() can overwrite one that is still wanted. */
static int add_actions(posix_spawn_file_actions_t *actions, const int fds[3])
{
    int rc = 0;

    for (int i = 0; i < 3 && rc == 0; i++)
        rc = fds[i] >= 0 ? posix_spawn_file_actions_adddup2(actions, fds[i], i)
                         : posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0);
    return rc != 0 ? rc : add_close_others(actions);
}

/* Own process group; no blocked signals, all dispositions as a fresh program expects them. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    int rc;

    sigfillset(&all);
    sigemptyset(&none);
    rc = posix_spawnattr_setflags(attributes,
                                  POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (rc == 0)
        rc = posix_spawnattr_setpgroup(attributes, 0);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attributes, &all);
    return rc != 0 ? rc : posix_spawnattr_setsigmask(attributes, &none);
}

static pid_t spawn(const struct process_spec *spec, const int fds[3])
{
    static const char *const no_env[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    union { /* POSIX declares envp without the const that it means */
        const char *const *ours;
        char *const *theirs;
    } env = {.ours = spec->env != NULL ? spec->env : no_env};
    pid_t pid = -1;
    int rc;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    rc = add_actions(&actions, fds);
    if (rc == 0)
        rc = set_attributes(&attributes);
    if (rc == 0)
        rc = posix_spawn(&pid, spec->argv[0], &actions, &attributes, spec->argv, env.theirs);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    errno = rc;
    return rc == 0 ? pid : -1;
}

pid_t process_start(const struct process_spec *spec)
{
    const int given[3] = {spec->stdin_fd, spec->stdout_fd, spec->stderr_fd};
    int copies[3] = {-1, -1, -1}, fds[3];
    pid_t pid = -1;
    bool ready = true;

    keep_exit_codes();
    for (int i = 0; i < 3; i++) {
        if (given[i] >= 0 && given[i] < FIRST_OTHER_FD) {
            copies[i] = fcntl(given[i], F_DUPFD_CLOEXEC, FIRST_OTHER_FD);
            ready = ready && copies[i] >= 0;
        }
        fds[i] = copies[i] >= 0 ? copies[i] : given[i];
    }
    if (ready)
        pid = spawn(spec, fds);
    for (int i = 0; i < 3; i++)
        fdio_close(&copies[i]);
    return pid;
}

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

static bool wait_ended(pid_t pid, int pidfd, deadline until)
{
    while (!has_ended(pid)) {
        struct pollfd wait = {.fd = pidfd, .events = POLLIN};
        deadline look = pidfd >= 0 ? until : deadline_min(until, deadline_in(LOOK_AGAIN_MS));

        if (deadline_passed(until))
            return false;
        poll(&wait, 1, deadline_poll_timeout(look));
    }
    return true;
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
        struct pollfd wait[2] = {{.fd = fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
        deadline look = pidfd >= 0 ? until : deadline_min(until, deadline_in(LOOK_AGAIN_MS));
        bool ended;

        poll(wait, 2, deadline_poll_timeout(look));
        ended = has_ended(pid);
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
