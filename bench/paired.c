/* paired ROUNDS SECONDS [DIRECTORY] <CASES: runs commands by turns, again and again, and compares each with
   the first. A case is one line with TABs: the name, the file for standard input, the words of the command.
   Before every run the files in DIRECTORY are removed (a journal remembers messages). Ends after ROUNDS
   rounds, or earlier when SECONDS have passed. One line per case: name TAB median ms TAB median ratio TAB its
   1st TAB and 9th decile TAB peak KiB of the largest process that was waited for. A failing command ends
   everything: exit status 1. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/mem.h"
#include "util/strlist.h"

#define ROUNDS_MIN 3 /* whatever SECONDS says */

struct run {
    char *name, *input;
    struct strlist argv;
    double *ms, *cpu; /* one for each round */
    long peak;        /* KiB */
};

static void die(const char *what)
{
    fprintf(stderr, "paired: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double timeval_ms(const struct timeval *t)
{
    return (double)t->tv_sec * 1e3 + (double)t->tv_usec / 1e3;
}

static struct run *read_cases(size_t rounds, size_t *count_r)
{
    struct run *runs = NULL;
    char *line = NULL;
    size_t size = 0;

    *count_r = 0;
    while (getline(&line, &size, stdin) > 0) {
        struct run *run = mem_push(&runs, count_r, sizeof *run);
        char *rest = line;

        line[strcspn(line, "\n")] = '\0';
        run->name = mem_strdup(strsep(&rest, "\t"));
        run->input = mem_strdup(strsep(&rest, "\t"));
        while (rest != NULL)
            strlist_add(&run->argv, strsep(&rest, "\t"));
        if (run->argv.count == 0)
            die("a case without command");
        run->ms = mem_array(rounds, sizeof *run->ms);
        run->cpu = mem_array(rounds, sizeof *run->cpu);
    }
    free(line);
    return runs;
}

static void empty_directory(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (dir == NULL)
        die(path);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

/* In the child of vfork(): this process's few pages count as the command's until it is another program. */
static void start(const struct run *run)
{
    int in = open(run->input, O_RDONLY), out = open("/dev/null", O_WRONLY);

    if (in >= 0 && out >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(out, STDERR_FILENO) >= 0)
        execvp(run->argv.items[0], (char *const *)run->argv.items);
    _exit(127);
}

static void run_once(struct run *run, size_t round)
{
    struct rusage usage;
    int status;
    double began = now_ms();
    pid_t pid = vfork();

    if (pid == 0)
        start(run);
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
        die(run->name);
    run->ms[round] = now_ms() - began;
    run->cpu[round] = timeval_ms(&usage.ru_utime) + timeval_ms(&usage.ru_stime);
    if (usage.ru_maxrss > run->peak)
        run->peak = usage.ru_maxrss;
    if (status != 0) {
        fprintf(stderr, "paired: %s failed (wait status 0x%x)\n", run->name, status);
        exit(1);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void sorted_ratios(const double *values, const double *first, size_t count, double *ratios_r)
{
    for (size_t i = 0; i < count; i++)
        ratios_r[i] = first[i] > 0 ? values[i] / first[i] : 0;
    qsort(ratios_r, count, sizeof *ratios_r, compare);
}

static void print(const struct run *run, const struct run *first, size_t rounds)
{
    double *ratios = mem_array(rounds, sizeof *ratios), *cpu = mem_array(rounds, sizeof *cpu);
    double *ms = mem_array(rounds, sizeof *ms);

    memcpy(ms, run->ms, rounds * sizeof *ms);
    qsort(ms, rounds, sizeof *ms, compare);
    sorted_ratios(run->ms, first->ms, rounds, ratios);
    sorted_ratios(run->cpu, first->cpu, rounds, cpu);
    printf("%s\t%.3f\t%.3f\t%.3f\t%.3f\t%ld\t%.3f\n", run->name, ms[rounds / 2], ratios[rounds / 2],
           ratios[rounds / 10], ratios[rounds - 1 - rounds / 10], run->peak, cpu[rounds / 2]);
    free(ratios);
    free(cpu);
    free(ms);
}

int main(int argc, char **argv)
{
    size_t rounds = argc >= 3 ? strtoul(argv[1], NULL, 10) : 0, count, done = 0;
    struct run *runs;
    double end;

    if (rounds < ROUNDS_MIN || argc > 4) {
        fprintf(stderr, "usage: paired ROUNDS SECONDS [DIRECTORY] <CASES\n");
        return 2;
    }
    runs = read_cases(rounds, &count);
    end = now_ms() + strtod(argv[2], NULL) * 1e3;
    for (; done < rounds && (done < ROUNDS_MIN || now_ms() < end); done++)
        for (size_t i = 0; i < count; i++) {
            if (argc == 4)
                empty_directory(argv[3]);
            run_once(&runs[i], done);
        }
    for (size_t i = 0; i < count; i++)
        print(&runs[i], &runs[0], done);
    for (size_t i = 0; i < count; i++) {
        strlist_free(&runs[i].argv);
        free(runs[i].name);
        free(runs[i].input);
        free(runs[i].ms);
        free(runs[i].cpu);
    }
    free(runs);
    return 0;
}
