/* The least that a program in julia's place can do: dynamically linked to libc alone.
     floor             ends at once
     floor take ...    reads standard input to its end: a target that costs nothing
     floor filter CMD  copies standard input to an unlinked file and runs CMD with it */
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char chunk[65536];

static int copy(int out)
{
    ssize_t n;

    while ((n = read(STDIN_FILENO, chunk, sizeof chunk)) > 0)
        if (out >= 0 && write(out, chunk, (size_t)n) != n)
            return 75;
    return n < 0 ? 75 : 0;
}

static int filter(char **command)
{
    static char *environment[] = {NULL};
    int status = 75, fd = memfd_create("floor", 0);
    pid_t pid;

    if (fd < 0 || copy(fd) != 0 || lseek(fd, 0, SEEK_SET) != 0 || dup2(fd, STDIN_FILENO) < 0 ||
        posix_spawn(&pid, command[0], NULL, NULL, command, environment) != 0 ||
        waitpid(pid, &status, 0) != pid)
        return 75;
    return status == 0 ? 0 : 75;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "take") == 0)
        return copy(-1);
    if (argc > 2 && strcmp(argv[1], "filter") == 0)
        return filter(argv + 2);
    return 0;
}
