#include "modules/moduled/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/deadline.h"
#include "util/mem.h"
#include "util/process.h"

#define HEALTHY_MS   10000 /* whoever lived that long was not broken at its start */
#define BACK_OFF_MS  250   /* before the first restart of one that died young; doubles */
#define BACK_OFF_MAX 60000
#define END_MS       10000 /* for a worker's running request, when everything ends */

struct worker {
    pid_t pid;         /* 0: none at the moment */
    deadline started;  /* when */
    deadline start_at; /* not before */
    int64_t back_off;
    bool asked; /* to end, by SIGHUP */
};

struct pool {
    const struct workers_spec *spec;
    struct worker *workers;
};

static void start(const struct workers_spec *spec, struct worker *worker)
{
    const struct process_spec process = {.argv = spec->argv,
                                         .env = spec->env,
                                         .stdin_fd = spec->socket_fd,
                                         .stdout_fd = STDERR_FILENO,
                                         .stderr_fd = STDERR_FILENO,
                                         .dies_with_us = true};
    pid_t pid = process_start(&process);

    worker->started = deadline_in(0);
    worker->pid = pid > 0 ? pid : 0;
    worker->asked = false;
    if (pid > 0)
        return;
    fprintf(stderr, "julia-moduled: cannot start %s: %s\n", spec->argv[0], strerror(errno));
    worker->back_off = BACK_OFF_MAX;
    worker->start_at = deadline_in(worker->back_off);
}

/* Starts what is due. Returns when to look again. */
static deadline start_due(struct pool *pool)
{
    deadline next = DEADLINE_NEVER;

    for (size_t i = 0; i < pool->spec->count; i++) {
        struct worker *worker = &pool->workers[i];

        if (worker->pid == 0 && deadline_passed(worker->start_at))
            start(pool->spec, worker);
        if (worker->pid == 0)
            next = deadline_min(next, worker->start_at);
    }
    return next;
}

static void report(pid_t pid, int status)
{
    if (WIFSIGNALED(status))
        fprintf(stderr, "julia-moduled: worker %ld was killed by signal %d\n", (long)pid, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        fprintf(stderr, "julia-moduled: worker %ld ended with exit status %d\n", (long)pid,
                WEXITSTATUS(status));
}

/* One worker is gone: its place is due at once, or later if it died young without being asked to. */
static void bury(struct worker *worker, int status)
{
    bool healthy = worker->asked || deadline_in(0) - worker->started >= HEALTHY_MS;

    report(worker->pid, status);
    (void)kill(-worker->pid, SIGKILL); /* its children */
    if (healthy)
        worker->back_off = 0;
    else
        worker->back_off = worker->back_off == 0 ? BACK_OFF_MS : worker->back_off * 2;
    if (worker->back_off > BACK_OFF_MAX)
        worker->back_off = BACK_OFF_MAX;
    worker->start_at = deadline_in(worker->back_off);
    worker->pid = 0;
}

static void reap(struct pool *pool)
{
    for (;;) {
        siginfo_t info = {0};
        int status;

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
            return;
        for (size_t i = 0; i < pool->spec->count; i++)
            if (pool->workers[i].pid == info.si_pid) {
                status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status & 0x7f;
                bury(&pool->workers[i], status);
            }
        (void)waitpid(info.si_pid, &status, 0);
    }
}

static void signal_all(const struct pool *pool, int number)
{
    for (size_t i = 0; i < pool->spec->count; i++)
        if (pool->workers[i].pid > 0)
            (void)kill(pool->workers[i].pid, number);
}

/* Those who end now did what they were told; their places are filled at once. */
static void reload_all(struct pool *pool)
{
    for (size_t i = 0; i < pool->spec->count; i++)
        pool->workers[i].asked = pool->workers[i].pid > 0;
    signal_all(pool, SIGHUP);
}

static void end_all(struct pool *pool)
{
    deadline until = deadline_in(END_MS);

    signal_all(pool, SIGTERM);
    for (size_t i = 0; i < pool->spec->count; i++) {
        struct process_result result;

        if (pool->workers[i].pid > 0)
            process_wait(pool->workers[i].pid, until, 0, &result);
    }
}

/* The signals are blocked all the time and taken here, one by one. 0: the time has come. */
static int wait_signal(const sigset_t *signals, deadline until)
{
    for (;;) {
        int64_t left = deadline_left(until);
        struct timespec time = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        int number =
            until == DEADLINE_NEVER ? sigwaitinfo(signals, NULL) : sigtimedwait(signals, NULL, &time);

        if (number > 0)
            return number;
        if (errno == EAGAIN)
            return 0;
    }
}

int workers_run(const struct workers_spec *spec)
{
    struct pool pool = {.spec = spec, .workers = mem_array(spec->count, sizeof(struct worker))};
    sigset_t signals;
    int number = 0;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    while (number != SIGTERM && number != SIGINT) {
        number = wait_signal(&signals, start_due(&pool));
        reap(&pool);
        if (number == SIGHUP)
            reload_all(&pool);
    }
    end_all(&pool);
    free(pool.workers);
    return 0;
}
