#include "modules/smime/sandbox.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <seccomp.h>

/* What module_serve(), reading and writing of descriptors, memory and time need. */
/* clang-format off */
static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(pwrite64),
    SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(fstat), SCMP_SYS(fstat64),
    SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(close),
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
    SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(getsockopt),
    SCMP_SYS(getsockname), SCMP_SYS(shutdown), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
    SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn),
    SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};
/* clang-format on */

/* Calls that are allowed with certain arguments only. */
static const struct {
    int call;
    struct scmp_arg_cmp argument;
} restricted[] = {
    /* memory, but none that can be executed */
    {SCMP_SYS(mmap), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    {SCMP_SYS(mmap2), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    /* glibc's fstat() */
    {SCMP_SYS(newfstatat), {3, SCMP_CMP_EQ, AT_EMPTY_PATH, 0}},
    {SCMP_SYS(statx), {2, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH}},
    /* flags of descriptors; none of the calls that make the kernel send signals to others */
    {SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_GETFD, 0}},
    {SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_SETFD, 0}},
    {SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_GETFL, 0}},
    {SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_SETFL, 0}},
    {SCMP_SYS(fcntl64), {1, SCMP_CMP_EQ, F_GETFD, 0}},
    {SCMP_SYS(fcntl64), {1, SCMP_CMP_EQ, F_SETFD, 0}},
    {SCMP_SYS(fcntl64), {1, SCMP_CMP_EQ, F_GETFL, 0}},
    {SCMP_SYS(fcntl64), {1, SCMP_CMP_EQ, F_SETFL, 0}},
};

/* abort() signals this very process; spawned modules share their user with julia. */
static int allow_abort(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            (struct scmp_arg_cmp){0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0});
}

/* module_serve() forbids core dumps; nobody allows them again. */
static int allow_hiding(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2,
                            (struct scmp_arg_cmp){0, SCMP_CMP_EQ, PR_SET_DUMPABLE, 0},
                            (struct scmp_arg_cmp){1, SCMP_CMP_EQ, 0, 0});
}

bool sandbox_available(void)
{
    return true;
}

bool sandbox_enter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int rc = filter == NULL ? -ENOMEM : 0;

    for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; rc == 0 && i < sizeof(restricted) / sizeof(restricted[0]); i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, restricted[i].call, 1, restricted[i].argument);
    if (rc == 0)
        rc = allow_hiding(filter);
    if (rc == 0)
        rc = allow_abort(filter);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    errno = -rc;
    return rc == 0;
}

#else

bool sandbox_available(void)
{
    return false;
}

bool sandbox_enter(void)
{
    return true;
}

#endif
