/* Runs a fuzz target without libFuzzer, so that `make test` needs no other compiler: every file of the
   folders named, then a fixed number of mutations of them, the same ones each time.

       fuzz-NAME [-runs=N] [-seed=N] [-max_len=N] [-timeout=SECONDS] [-dict=FILE] [-artifact=FILE] PATH...

   An input that fails, or takes more than SECONDS of processor time, is left in the artifact file. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/fuzz/mutate.h"
#include "util/fdio.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

#define SEED_MAX (64u << 20)

static struct {
    unsigned long runs, seed, max_len, timeout;
    const char *dict, *artifact;
} options = {.seed = 1, .max_len = 4096, .timeout = 20, .artifact = "crash"};

static struct {
    const char *file; /* the seed it is, or was made of */
    const void *data;
    size_t len;
} now;

/* Called from signal handlers, too: the process ends with it, and nothing it uses was interrupted. */
static void keep_artifact(void)
{
    FILE *file = now.data != NULL ? fopen(options.artifact, "we") : NULL;

    if (now.data == NULL)
        fprintf(stderr, "\nfailed at the end: one of the inputs leaks, libFuzzer can tell which\n");
    else
        fprintf(stderr, "\nfailed on: %s (%zu octets), kept in %s\n", now.file, now.len, options.artifact);
    if (file != NULL) {
        fwrite(now.data, 1, now.len, file);
        fclose(file);
    }
    now.data = NULL;
}

static void on_signal(int signal)
{
    fprintf(stderr, "%s\n", signal == SIGPROF ? "takes too long" : "aborted");
    keep_artifact();
    _exit(1);
}

/* The copy has exactly the size of the input, so that ASan sees what reads beyond it. */
static void run_one(const char *file, const void *data, size_t len)
{
    const struct itimerval limit = {.it_value.tv_sec = (time_t)options.timeout};
    uint8_t *exact = mem_alloc(len);

    if (len > 0)
        memcpy(exact, data, len);
    now.file = file;
    now.data = exact;
    now.len = len;
    setitimer(ITIMER_PROF, &limit, NULL);
    LLVMFuzzerTestOneInput(exact, len);
    now.data = NULL;
    free(exact);
}

static void load(struct mutate *mutate, const char *path)
{
    struct dirent **entries;
    struct buf octets = {0};
    struct stat st;
    int count;

    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        if (fdio_read_file(path, SEED_MAX, &octets) != 0) {
            perror(path);
            exit(2);
        }
        mutate_add_seed(mutate, path, &octets);
        return;
    }
    count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        perror(path);
        exit(2);
    }
    for (int i = 0; i < count; i++) {
        char *below = mem_printf("%s/%s", path, entries[i]->d_name);

        if (entries[i]->d_name[0] != '.')
            load(mutate, below);
        free(below);
        free(entries[i]);
    }
    free(entries);
}

static bool take_number(const char *argument, const char *name, unsigned long *to)
{
    size_t len = strlen(name);

    if (strncmp(argument, name, len) != 0)
        return false;
    *to = strtoul(argument + len, NULL, 10);
    return true;
}

static void take_option(const char *argument)
{
    if (take_number(argument, "-runs=", &options.runs) || take_number(argument, "-seed=", &options.seed) ||
        take_number(argument, "-max_len=", &options.max_len) ||
        take_number(argument, "-timeout=", &options.timeout))
        return;
    if (strncmp(argument, "-dict=", 6) == 0) {
        options.dict = argument + 6;
    } else if (strncmp(argument, "-artifact=", 10) == 0) {
        options.artifact = argument + 10;
    } else {
        fprintf(stderr, "unknown option %s\n", argument);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct mutate mutate = {0};
    size_t seeds;

    for (int i = 1; i < argc; i++)
        if (argv[i][0] == '-')
            take_option(argv[i]);
        else
            load(&mutate, argv[i]);
    if (options.dict != NULL && !mutate_read_dict(&mutate, options.dict)) {
        fprintf(stderr, "%s: not a dictionary\n", options.dict);
        return 2;
    }
    signal(SIGPROF, on_signal);
    signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(keep_artifact);
    seeds = mutate.seed_count;
    for (size_t i = 0; i < seeds; i++)
        run_one(mutate.seeds[i].file, mutate.seeds[i].octets.data, mutate.seeds[i].octets.len);
    run_one("nothing", "", 0);
    mutate_begin(&mutate, options.seed, options.max_len);
    for (unsigned long i = 0; i < options.runs; i++) {
        const struct mutate_seed *of = mutate_next(&mutate);

        run_one(of->file, mutate.out.data, mutate.out.len);
    }
    mutate_free(&mutate);
    printf("%zu seeds, %lu mutations\n", seeds, options.runs);
    return 0;
}
