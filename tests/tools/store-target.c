/* store-target DIRECTORY NAME [ARG...]: stands for the sendmail command of the target NAME, in one process
   and with one moment of acceptance. Each hand-off becomes DIRECTORY/out/NAME.XXXXXX with the files args (one
   argument a line) and message; the message gets its name in one step, when all of it is there: then it is
   accepted.

   DIRECTORY/how.NAME holds one line that says what goes wrong, behind "once " only for the next call:
     refuse N       reads nothing and exits with status N
     refuse-late N  reads everything, then exits with status N
     hang           reads everything and then does nothing
     early          says that all is well without having read anything: accepts nothing
     die            reads everything, then kills itself
     accept-die     accepts, then kills itself
     accept-fail N  accepts, then exits with status N
     accept-hang    accepts, then does nothing
   Exit status: 0 accepted, 75 the message cannot be stored. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMPORARY 75

struct how {
    char word[32];
    int number;
};

static void stop(const char *what)
{
    perror(what);
    exit(TEMPORARY);
}

static void path_of(char path[PATH_MAX], const char *dir, const char *name)
{
    if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
        stop(dir);
}

/* Whoever removes the file is the one whom "once" means. */
static struct how read_how(const char *dir, const char *name)
{
    struct how how = {"", TEMPORARY};
    char path[PATH_MAX], file_name[64], line[80] = "";
    const char *text = line;
    FILE *file;

    snprintf(file_name, sizeof(file_name), "how.%s", name);
    path_of(path, dir, file_name);
    file = fopen(path, "re");
    if (file == NULL)
        return how;
    if (fgets(line, sizeof(line), file) == NULL)
        line[0] = '\0';
    fclose(file);
    if (strncmp(line, "once ", 5) == 0) {
        text += 5;
        if (unlink(path) != 0)
            return how;
    }
    sscanf(text, "%31s %d", how.word, &how.number);
    return how;
}

static bool is(const struct how *how, const char *word)
{
    return strcmp(how->word, word) == 0;
}

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

static void store_args(const char *folder, char **args)
{
    char path[PATH_MAX];
    FILE *file;

    path_of(path, folder, "args");
    file = fopen(path, "we");
    if (file == NULL)
        stop(path);
    for (; *args != NULL; args++)
        fprintf(file, "%s\n", *args);
    if (fclose(file) != 0)
        stop(path);
}

static void copy_input(const char *path)
{
    char chunk[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    ssize_t n;

    if (fd < 0)
        stop(path);
    while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0)
        if (write(fd, chunk, (size_t)n) != n)
            stop(path);
    if (n < 0 || close(fd) != 0)
        stop("standard input");
}

int main(int argc, char **argv)
{
    char folder[PATH_MAX], part[PATH_MAX], whole[PATH_MAX];
    struct how how;

    if (argc < 3) {
        fprintf(stderr, "usage: store-target DIRECTORY NAME [ARG...]\n");
        return TEMPORARY;
    }
    how = read_how(argv[1], argv[2]);
    if (is(&how, "refuse"))
        return how.number;
    if (is(&how, "early"))
        return 0;
    if (snprintf(folder, sizeof(folder), "%s/out/%s.XXXXXX", argv[1], argv[2]) >= PATH_MAX ||
        mkdtemp(folder) == NULL)
        stop(folder);
    store_args(folder, argv + 3);
    path_of(part, folder, "message.part");
    path_of(whole, folder, "message");
    copy_input(part);
    if (is(&how, "refuse-late"))
        return how.number;
    if (is(&how, "hang"))
        wait_for_ever();
    if (is(&how, "die"))
        raise(SIGKILL);
    if (rename(part, whole) != 0)
        stop(whole);
    if (is(&how, "accept-die"))
        raise(SIGKILL);
    if (is(&how, "accept-hang"))
        wait_for_ever();
    return is(&how, "accept-fail") ? how.number : 0;
}
