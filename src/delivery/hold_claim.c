/* Who delivers what, among processes on several nodes, without locks.

   A claim is a file claim-WHAT.NUMBER that was linked to its name, so exactly one process gets each number,
   and it names that process. Whoever wants WHAT looks for the highest number. Is its process at work, WHAT is
   busy; is it dead or has given the claim back, the next number is to be had. No name is ever used twice: a
   judgement about a claim stays true, however late it is acted upon. (Removing a dead claim would not do:
   between the judgement and the removal it may have been replaced by a living one.) Only when WHAT is
   finished the claim goes, by being renamed to done-WHAT, which is looked for once more after each claim. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "delivery/hold_private.h"
#include "util/fdio.h"
#include "util/mem.h"

#define CLAIM_LEN     512 /* octets of a claim: it is overwritten in place, which needs no space on disk */
#define CLAIMED       "claim"
#define GIVEN_BACK    "free"
#define DONE          "done"
#define GRACE_SECONDS 60     /* behind DEADLINE, by which every process has ended */
#define NUMBERS_MAX   100000 /* a claim each time the internal relay took nothing, for months */
#define RACES_MAX     100    /* lost to others before we say busy */

static const char *const hows[] = {"exchanged", "changed", "released", "dropped", "expired", "unknown"};

const char *hold_how_name(enum hold_how how)
{
    return hows[how];
}

/* The first word of a file of /proc, or "-". */
static char *first_word(const char *path)
{
    struct buf text = {0};
    char *word;

    if (fdio_read_file(path, 4096, &text) != 0)
        buf_clear(&text);
    word = mem_strndup(buf_text(&text), strcspn(buf_text(&text), " \t\n"));
    buf_free(&text);
    if (*word == '\0') {
        free(word);
        word = mem_strdup("-");
    }
    return word;
}

/* When a process began, in its system's unit (field 22 of proc(5)'s stat); 0: not known. */
static uint64_t process_began(long pid)
{
    char *path = mem_printf("/proc/%ld/stat", pid);
    struct buf text = {0};
    uint64_t began = 0;

    if (fdio_read_file(path, 4096, &text) == 0) {
        const char *at = strrchr(buf_text(&text), ')'); /* the program's name may hold anything */

        for (int field = 2; at != NULL && field < 22; field++)
            at = strchr(at + 1, ' ');
        began = at != NULL ? strtoull(at + 1, NULL, 10) : 0;
    }
    buf_free(&text);
    free(path);
    return began;
}

/* NODE BOOT NAMESPACE: numbers of processes mean the same where all three are equal. */
char *hold_process_name(const struct config *config)
{
    char namespace[64] = "-", *boot = first_word("/proc/sys/kernel/random/boot_id"), *name;
    ssize_t n = readlink("/proc/self/ns/pid", namespace, sizeof(namespace) - 1);

    namespace[n > 0 ? n : 1] = '\0';
    name = mem_printf("%s %s %s %ld %" PRIu64, config->myhostname, boot, namespace, (long)getpid(),
                      process_began(getpid()));
    free(boot);
    return name;
}

/* A line of fixed length. */
static void compose(char line[CLAIM_LEN + 1], const char *word, const char *rest)
{
    int len = snprintf(line, CLAIM_LEN, "%s %s", word, rest);

    if (len > CLAIM_LEN - 1)
        len = CLAIM_LEN - 1;
    memset(line + len, ' ', (size_t)(CLAIM_LEN - len));
    line[CLAIM_LEN - 1] = '\n';
    line[CLAIM_LEN] = '\0';
}

char *hold_claim_try(struct hold_store *store, int dir)
{
    char *name = hold_unique(HOLD_TRY), line[CLAIM_LEN + 1];
    int fd, saved;

    compose(line, CLAIMED, store->process);
    fd = hold_create(dir, name, line, CLAIM_LEN);
    if (fd >= 0) {
        fdio_close(&fd);
        return name;
    }
    saved = errno;
    free(name);
    errno = saved;
    return NULL;
}

/* Splits a claim's line at blanks. */
static void read_claim(int fd, struct strlist *words)
{
    char line[CLAIM_LEN + 1] = "";

    if (fdio_pread_all(fd, line, CLAIM_LEN, 0) != 0)
        return;
    line[CLAIM_LEN - 1] = '\0';
    strlist_split(words, line);
}

/* Are these NODE BOOT NAMESPACE PID START of a process that is not there any more? Only what is certain. */
static bool is_dead(const struct hold_store *store, char *const *words)
{
    struct strlist own = {0};
    long pid = strtol(words[3], NULL, 10);
    uint64_t began = strtoull(words[4], NULL, 10), now;
    bool comparable, dead = false;

    strlist_split(&own, store->process);
    comparable = own.count == 5 && strcmp(own.items[0], words[0]) == 0 &&
                 strcmp(own.items[1], words[1]) == 0 && strcmp(own.items[2], words[2]) == 0 && pid > 0;
    strlist_free(&own);
    if (comparable) {
        dead = kill((pid_t)pid, 0) != 0 && errno == ESRCH;
        now = process_began(pid);
        dead = dead || (began != 0 && now != 0 && now != began);
    }
    return dead;
}

static bool is_too_old(const struct hold_store *store, int dir, const char *try, const struct stat *claim)
{
    struct stat now;

    return fstatat(dir, try, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           now.st_mtime - claim->st_mtime > (time_t)(store->config->deadline + GRACE_SECONDS);
}

int hold_claim_alive(struct hold_store *store, int dir, const char *name, const char *try)
{
    struct strlist words = {0};
    struct stat st;
    int fd = hold_open_file(dir, name), alive = -1;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0) {
        read_claim(fd, &words);
        alive = 1;
        if (words.count > 0 && strcmp(words.items[0], GIVEN_BACK) == 0)
            alive = 0;
        else if (words.count > 0 && strcmp(words.items[0], DONE) == 0)
            alive = 2;
        else if (words.count == 6 && strcmp(words.items[0], CLAIMED) == 0 && is_dead(store, words.items + 1))
            alive = 0;
        else if (is_too_old(store, dir, try, &st))
            alive = 0;
    }
    strlist_free(&words);
    fdio_close(&fd);
    return alive;
}

static char *claim_name(const char *what, long number)
{
    return mem_printf("claim-%s.%ld", what, number);
}

static char *done_name(const char *what)
{
    return mem_printf("done-%s", what);
}

/* The lowest number that was never used, from `from` on; -1: errno. */
static long next_number(int dir, const char *what, long from)
{
    for (;; from++) {
        char *name = claim_name(what, from);
        int there = hold_there(dir, name);

        free(name);
        if (there < 0)
            return -1;
        if (there == 0 || from >= NUMBERS_MAX)
            return from;
    }
}

/* "Not finished" is only believed when the file system says so. */
static enum hold_claim unless_finished(int dir, const char *what, enum hold_claim claim)
{
    int finished = hold_claim_finished(dir, what, NULL, NULL);

    if (finished < 0)
        return HOLD_CLAIM_FAILED;
    return finished == 1 ? HOLD_DONE_BEFORE : claim;
}

/* Its process came as far as writing "done" into it: only the name is left to be done, by whoever comes. */
static enum hold_claim finish_for(int dir, const char *what, long number)
{
    char *from = claim_name(what, number), *to = done_name(what);
    int rc = renameat(dir, from, dir, to);

    if (rc != 0 && errno == ENOENT)
        rc = 0; /* it was alive, and did it itself */
    free(from);
    free(to);
    return rc == 0 ? unless_finished(dir, what, HOLD_BUSY) : HOLD_CLAIM_FAILED;
}

/* Is the highest claim, the one below `number`, in somebody's hands? As hold_claim_alive(). */
static int is_held(struct hold_store *store, int dir, const char *what, long number, const char *try)
{
    char *name = claim_name(what, number - 1);
    int alive = number > 0 ? hold_claim_alive(store, dir, name, try) : 0;

    free(name);
    return alive;
}

/* 1: ours; 0: somebody was faster; -1: errno. A network file system may have done it and lost the answer. */
static int link_claim(int dir, const char *try, const char *what, long number)
{
    char *name = claim_name(what, number);
    struct stat ours, theirs;
    int rc = 1;

    if (linkat(dir, try, dir, name, 0) != 0) {
        rc = errno == EEXIST ? 0 : -1;
        if (rc == 0 && fstatat(dir, try, &ours, AT_SYMLINK_NOFOLLOW) == 0 &&
            fstatat(dir, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 && ours.st_ino == theirs.st_ino)
            rc = 1;
    }
    free(name);
    return rc;
}

/* The claim has our name; it is ours only if WHAT was not finished meanwhile. One that is not ours must never
 * be finished by us. */
static enum hold_claim keep_linked(struct hold_store *store, int dir, const char *what, long number,
                                   long *number_r)
{
    enum hold_claim claim = unless_finished(dir, what, HOLD_CLAIMED);
    int saved = errno;

    if (claim == HOLD_CLAIMED)
        *number_r = number;
    else
        hold_claim_give_back(store, dir, what, number);
    errno = saved;
    return claim;
}

static enum hold_claim take(struct hold_store *store, int dir, const char *what, const char *try,
                            long *number_r)
{
    long number = 0;

    for (int race = 0; race < RACES_MAX; race++) {
        int held, linked;

        number = next_number(dir, what, number);
        held = number >= 0 ? is_held(store, dir, what, number, try) : -1;
        if (held == 1 || number >= NUMBERS_MAX)
            return HOLD_BUSY;
        if (held == 2)
            return finish_for(dir, what, number - 1);
        if (held < 0 && errno == ENOENT) /* it has just become done-WHAT */
            return unless_finished(dir, what, HOLD_BUSY);
        linked = held == 0 ? link_claim(dir, try, what, number) : -1;
        if (linked < 0)
            return HOLD_CLAIM_FAILED;
        if (linked == 0)
            continue;
        return keep_linked(store, dir, what, number, number_r);
    }
    return HOLD_BUSY;
}

enum hold_claim hold_claim_take(struct hold_store *store, int dir, const char *what, long *number_r)
{
    enum hold_claim claim = unless_finished(dir, what, HOLD_CLAIMED);
    char *try;

    if (claim != HOLD_CLAIMED)
        return claim;
    try = hold_claim_try(store, dir);
    if (try == NULL)
        return HOLD_CLAIM_FAILED;
    claim = take(store, dir, what, try, number_r);
    unlinkat(dir, try, 0);
    free(try);
    return claim;
}

/* What does not work here costs nothing but time: the claim ends with this process. */
static void overwrite(int dir, const char *name, const char *word, const char *rest)
{
    char line[CLAIM_LEN + 1];
    int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    compose(line, word, rest);
    if (fd >= 0)
        (void)!pwrite(fd, line, CLAIM_LEN, 0);
    fdio_close(&fd);
}

void hold_claim_give_back(struct hold_store *store, int dir, const char *what, long number)
{
    char *name = claim_name(what, number);

    overwrite(dir, name, GIVEN_BACK, store->process);
    free(name);
}

int hold_claim_finish(struct hold_store *store, int dir, const char *what, long number, enum hold_how how)
{
    char *from = claim_name(what, number), *to = done_name(what), *rest;
    int rc;

    rest = mem_printf("%s %lld %s", hows[how], (long long)time(NULL), store->process);
    overwrite(dir, from, DONE, rest);
    rc = renameat(dir, from, dir, to);
    if (rc != 0 && errno == ENOENT && hold_there(dir, to) == 1) /* done, the answer was lost */
        rc = 0;
    free(rest);
    free(from);
    free(to);
    return rc;
}

/* "done HOW TIME ..." */
static void read_done(int fd, enum hold_how *how_r, long long *when_r)
{
    struct strlist words = {0};

    read_claim(fd, &words);
    for (size_t i = 0; words.count > 2 && i < HOLD_HOW_UNKNOWN; i++)
        if (strcmp(words.items[1], hows[i]) == 0) {
            *how_r = (enum hold_how)i;
            *when_r = strtoll(words.items[2], NULL, 10);
        }
    strlist_free(&words);
}

int hold_claim_finished(int dir, const char *what, enum hold_how *how_r, long long *when_r)
{
    char *name = done_name(what);
    int finished = hold_there(dir, name);
    enum hold_how how = HOLD_HOW_UNKNOWN;
    long long when = 0;

    if (finished == 1 && (how_r != NULL || when_r != NULL)) {
        int fd = hold_open_file(dir, name);

        if (fd >= 0)
            read_done(fd, &how, &when);
        fdio_close(&fd);
    }
    if (how_r != NULL)
        *how_r = how;
    if (when_r != NULL)
        *when_r = when;
    free(name);
    return finished;
}
