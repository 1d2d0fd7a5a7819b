/* Enters the smime module's sandbox and tries what has to fail there, one line each; the test reads them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modules/smime/sandbox.h"

static void tell(const char *name, bool works)
{
    printf("%s: %s\n", name, works ? "works" : errno == EPERM ? "EPERM" : strerror(errno));
}

static void try_forbidden(void)
{
    const struct rlimit cores = {RLIM_INFINITY, RLIM_INFINITY};
    char *const argv[] = {NULL};
    void *page;

    tell("open a file", open("/etc/passwd", O_RDONLY) >= 0);
    tell("make a file", open("/tmp/smime-probe", O_WRONLY | O_CREAT, 0600) >= 0);
    tell("unlink a file", unlink("/tmp/smime-probe") == 0);
    tell("internet socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
    tell("unix socket", socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
    tell("fork", fork() >= 0);
    tell("exec", execve("/bin/true", argv, argv) == 0);
    tell("kill another process", kill(getppid(), 0) == 0);
    tell("signal a thread of another process", syscall(SYS_tgkill, getppid(), getppid(), 0) == 0);
    tell("have another process signalled", fcntl(STDOUT_FILENO, F_SETOWN, getppid()) == 0);
    tell("trace", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0);
    tell("allow core dumps", setrlimit(RLIMIT_CORE, &cores) == 0);
    page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    tell("executable memory", page != MAP_FAILED);
}

static void try_allowed(int fd)
{
    struct stat st;
    char octets[4];

    tell("own fstat", fstat(fd, &st) == 0);
    tell("own pread", pread(fd, octets, sizeof(octets), 0) == 4);
    tell("own write and ftruncate", write(fd, "more", 4) == 4 && ftruncate(fd, 4) == 0);
    tell("own memory", malloc(1 << 20) != NULL);
}

int main(void)
{
    FILE *file = tmpfile();

    if (!sandbox_available() || file == NULL || fputs("text", file) < 0 || fflush(file) != 0) {
        puts("unavailable");
        return 0;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!sandbox_enter()) {
        printf("enter: %s\n", strerror(errno));
        return 1;
    }
    try_forbidden();
    try_allowed(fileno(file));
    return 0;
}
