/* Child processes: fixed argv, no shell, clean environment, only the descriptors named; own process group,
   ended whole. STYLE: exit code, signal and timeout are separate results. */
#ifndef JULIA_PROCESS_H
#define JULIA_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/deadline.h"

struct process_spec {
    char *const *argv;        /* argv[0] is an absolute path */
    const char *const *env;   /* NULL-terminated "NAME=value"; complete: nothing is inherited */
    int stdin_fd;             /* becomes descriptor 0, position untouched; -1: /dev/null */
    int stdout_fd, stderr_fd; /* -1: /dev/null */
    bool dies_with_us; /* SIGKILL when this process ends, however it ends (where the system can do that) */
};

/* What process_run() gives a program between SIGTERM and SIGKILL. */
#define PROCESS_GRACE_MS 2000

enum process_end { PROCESS_EXITED, PROCESS_SIGNALLED, PROCESS_TIMEOUT, PROCESS_NOT_STARTED };

struct process_result {
    enum process_end end;
    int code; /* exit code, signal number, or errno (NOT_STARTED) */
};

/* Starts the program with every other descriptor closed. Returns its pid (its process group too) or -1,
   errno. The child that cannot exec ends with 75. */
pid_t process_start(const struct process_spec *spec);
/* Waits until the process has ended, `fd` (-1: none) can be read, or until `until`; some systems look only
   now and then. true: it has ended, but is not reaped, so its number and its group stay its own. */
bool process_ended(pid_t pid, int fd, deadline until);
/* Waits until `until`; then SIGTERM to the group, `grace_ms`, SIGKILL; always reaps. */
void process_wait(pid_t pid, deadline until, int64_t grace_ms, struct process_result *result_r);
/* SIGTERM, grace, SIGKILL to the group, reap. */
void process_end_group(pid_t pid, int64_t grace_ms, struct process_result *result_r);
/* Starts the program, collects at most `max` octets of its stdout and stderr together in `output` (the rest
   is read and thrown away), waits. spec->stdout_fd and stderr_fd are ignored. */
void process_run(const struct process_spec *spec, deadline until, struct buf *output, size_t max,
                 struct process_result *result_r);

#endif
