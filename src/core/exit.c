#include "core/exit.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define CRASH_STACK (64 * 1024) /* a handler must run when the stack is what overflowed */

/* Only what POSIX allows in a signal handler from here on. */
#ifdef __linux__
/* Children lead process groups of their own (util/process.h); the kernel knows them all. */
static void kill_children(void)
{
    char text[4096];
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, text, sizeof(text));
    close(fd);
    pid_t pid = 0;
    for (ssize_t i = 0; i < n; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            pid = pid * 10 + (text[i] - '0');
            continue;
        }
        if (pid > 1)
            kill(-pid, SIGKILL);
        pid = 0;
    }
}
#else
/* Elsewhere children notice the end of their sockets and pipes. */
static void kill_children(void)
{
}
#endif

static void leave(int signal_number)
{
    static const char late[] = "4.3.0 julia needed longer than DEADLINE\n";
    static const char ended[] = "4.3.0 julia was ended by a signal\n";
    static const char crashed[] = "4.3.0 julia met an internal error\n";
    const char *text = crashed;
    if (signal_number == SIGALRM)
        text = late;
    else if (signal_number == SIGTERM || signal_number == SIGINT || signal_number == SIGHUP)
        text = ended;
    kill_children();
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));
    (void)ignored;
    _exit(EX_TEMPFAIL);
}

static void carry_on(int signal_number)
{
    (void)signal_number;
}

static void catch_signal(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_flags = flags};
    action.sa_handler = handler;
    sigfillset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void catch_crashes(void)
{
#ifndef __SANITIZE_ADDRESS__ /* which reports these itself */
    static char stack[CRASH_STACK];
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof(stack)};
    sigaltstack(&alternative, NULL);
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        catch_signal(crashes[i], leave, SA_ONSTACK);
#endif
}

/* A spool file must never become descriptor 1. */
static void open_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

void exit_guard(void)
{
    static const int ends[] = {SIGTERM, SIGINT,  SIGHUP,    SIGALRM, SIGXCPU,
                               SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    open_standard_descriptors();
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        catch_signal(ends[i], leave, 0);
    catch_signal(SIGPIPE, carry_on, SA_RESTART);
    catch_signal(SIGXFSZ, carry_on, SA_RESTART);
    catch_crashes();
}

void exit_backstop(uint64_t seconds)
{
    alarm(seconds < UINT_MAX ? (unsigned int)seconds : UINT_MAX);
}

int exit_status(const struct outcome *outcome, bool silent_success)
{
    int status = EX_TEMPFAIL;
    const char *text = outcome->text[0] != '\0' ? outcome->text : "ok";
    if (outcome->kind == OUTCOME_DONE)
        status = EX_OK;
    else if (outcome->kind == OUTCOME_PERMANENT && outcome->exit_code >= EX__BASE &&
             outcome->exit_code <= EX__MAX && outcome->exit_code != EX_TEMPFAIL)
        status = outcome->exit_code;
    if (!silent_success || outcome->kind != OUTCOME_DONE)
        printf("%s %s\n", outcome->dsn, text);
    if (fflush(stdout) != 0 && status == EX_OK)
        return EX_OK; /* everything is handed off: a lost line of text must not send it twice */
    return status;
}
