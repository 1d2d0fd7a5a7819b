/* maxrss COMMAND [ARG...]: runs the command and prints one line "maxrss-kib N NAME" on descriptor 3 (or
   stderr) for each program that it or its descendants ran, when it ends: the peak of its resident set (VmHWM)
   and the kernel's name for it. Exit status: the command's. getrusage() does not serve: it knows the largest
   of all descendants only, and counts what was there before an exec. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS                                                                                              \
    (PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |                    \
     PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)

/* At its end a process still has its memory. One that never ran a program of its own shares its parent's name
   and is of no interest, but small. */
static void report(FILE *out, pid_t pid)
{
    char path[64], line[256], name[64] = "?";
    long peak = -1;
    FILE *status;

    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    status = fopen(path, "re");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
        sscanf(line, "Name: %63[^\n]", name);
        sscanf(line, "VmHWM: %ld", &peak);
    }
    if (status != NULL)
        fclose(status);
    if (peak >= 0)
        fprintf(out, "maxrss-kib %ld %s\n", peak, name);
}

/* What the process is told when it goes on: signals of its own are passed, those of tracing are not. */
static int signal_to_pass(int status)
{
    int event = status >> 16, signal = WSTOPSIG(status);

    return event != 0 || signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
}

int main(int argc, char **argv)
{
    int status = 0, code = 75;
    FILE *out = fdopen(3, "w");
    pid_t first, pid;

    if (argc < 2) {
        fprintf(stderr, "usage: maxrss COMMAND [ARG...]\n");
        return 2;
    }
    if (out == NULL)
        out = stderr;
    setvbuf(out, NULL, _IOLBF, 0);
    first = fork();
    if (first < 0)
        return 75;
    if (first == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (waitpid(first, &status, 0) != first || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, first, NULL, OPTIONS) < 0 || ptrace(PTRACE_CONT, first, NULL, NULL) < 0) {
        fprintf(stderr, "maxrss: cannot trace: %s\n", strerror(errno));
        return 75;
    }
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFSTOPPED(status)) {
            if (status >> 16 == PTRACE_EVENT_EXIT)
                report(out, pid);
            ptrace(PTRACE_CONT, pid, NULL, signal_to_pass(status));
        } else if (pid == first) {
            code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
    }
    return code;
}
