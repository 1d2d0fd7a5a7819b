#include "core/caller.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/fdio.h"

#define PF_EXITING 0x4u /* linux/sched.h; shown by proc(5) as `flags` */
#define STAT_MAX   4096

static pid_t caller;

void caller_note(void)
{
    caller = getppid();
}

/* proc(5): PID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS ...; the name may hold anything. */
static bool is_ending(const char *stat)
{
    const char *behind = strrchr(stat, ')');
    char state;
    unsigned int flags;

    return behind != NULL && sscanf(behind, ") %c %*d %*d %*d %*d %*d %u", &state, &flags) == 2 &&
           (state == 'Z' || (flags & PF_EXITING) != 0);
}

bool caller_is_gone(void)
{
    struct buf stat = {0};
    char path[40];
    bool ending;

    if (getppid() != caller)
        return true;
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)caller);
    ending = fdio_read_file(path, STAT_MAX, &stat) == 0 && is_ending(buf_text(&stat));
    buf_free(&stat);
    return ending;
}
