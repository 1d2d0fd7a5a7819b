/* maxrss COMMAND [ARG...]: runs the command and prints "maxrss-kib N exit N" on descriptor 3 (or stderr): the largest resident
   set of any process in its tree that was waited for. Exit status: the command's. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    int status = 0;
    int code;
    FILE *out;
    pid_t pid;

    if (argc < 2) {
        fprintf(stderr, "usage: maxrss COMMAND [ARG...]\n");
        return 2;
    }
    pid = vfork();
    if (pid < 0)
        return 75;
    if (pid == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) < 0 || getrusage(RUSAGE_CHILDREN, &usage) < 0)
        return 75;
    code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    out = fdopen(3, "w");
    if (out == NULL)
        out = stderr;
    fprintf(out, "maxrss-kib %ld exit %d\n", usage.ru_maxrss, code);
    return code;
}
