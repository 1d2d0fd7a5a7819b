#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "util/fdio.h"
#include "util/process.h"

#define FIRST_OTHER_FD 3

/* An ignored SIGCHLD, inherited from whoever started us, would make the kernel throw exit codes away. */
static void keep_exit_codes(void)
{
    struct sigaction action;

    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

static void close_others(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, FIRST_OTHER_FD, ~0u, 0) == 0)
        return;
#endif
    for (long fd = FIRST_OTHER_FD, end = sysconf(_SC_OPEN_MAX); fd < end; fd++)
        close((int)fd);
}

/* `fds` are all above 2, so no dup2() overwrites one that is still wanted. */
static int place_descriptors(const int fds[3])
{
    for (int i = 0; i < 3; i++) {
        int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

        if (fd < 0 || (fd != i && dup2(fd, i) < 0) || fcntl(i, F_SETFD, 0) != 0)
            return -1;
    }
    close_others();
    return 0;
}

/* As a fresh program expects it; signals are still blocked, so no handler of ours can run in the child. */
static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* False: the parent is gone already. */
static bool tie_to(pid_t parent)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return getppid() == parent;
#else
    (void)parent;
    return true;
#endif
}

/* The child, in its parent's memory: nothing is allocated and nothing of the parent's changed but `error`. */
static _Noreturn void become(const struct process_spec *spec, const int fds[3], pid_t parent,
                             volatile int *error)
{
    static const char *const no_env[] = {NULL};
    union { /* POSIX declares envp without the const that it means */
        const char *const *ours;
        char *const *theirs;
    } env = {.ours = spec->env != NULL ? spec->env : no_env};

    if (setpgid(0, 0) == 0 && place_descriptors(fds) == 0 && (!spec->dies_with_us || tie_to(parent))) {
        reset_signals();
        execve(spec->argv[0], spec->argv, env.theirs);
    }
    *error = errno != 0 ? errno : EAGAIN;
    _exit(EX_TEMPFAIL);
}

/* vfork() costs the same whatever this process has in memory, and tells in `error` whether the program runs.
 */
static pid_t spawn(const struct process_spec *spec, const int fds[3])
{
    volatile int error = 0;
    pid_t parent = getpid(), pid;
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    errno = 0;
    pid = vfork();
    if (pid == 0)
        become(spec, fds, parent, &error);
    if (pid < 0)
        error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid > 0 && error != 0) {
        struct process_result result;

        process_wait(pid, DEADLINE_NEVER, 0, &result);
    }
    errno = error;
    return error == 0 ? pid : -1;
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
