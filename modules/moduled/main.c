/* julia-moduled(8): runs a module as a service. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module/environment.h"
#include "modules/moduled/listen.h"
#include "modules/moduled/workers.h"

#define EXIT_USAGE      2
#define EXIT_TEMPORARY  75
#define WORKERS_DEFAULT 4
#define WORKERS_MAX     256 /* more than any machine this runs on can use */

struct options {
    const char *base, *user, *group;
    const char *socket; /* NULL: descriptor 0 is one already, made by systemd or inetd */
    size_t workers;
    char **module; /* the module's command line, as given */
};

static int usage(void)
{
    fprintf(stderr, "usage: julia-moduled -b BASE [-n WORKERS] [-u USER] [-g GROUP] [-s SOCKET]\n"
                    "                     MODULE [ARG...]\n");
    return EXIT_USAGE;
}

static bool parse_workers(const char *text, size_t *workers_r)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || value == 0 || value > WORKERS_MAX)
        return false;
    *workers_r = value;
    return true;
}

static bool parse_options(int argc, char **argv, struct options *o)
{
    int option;

    *o = (struct options){.workers = WORKERS_DEFAULT};
    while ((option = getopt(argc, argv, "+b:n:u:g:s:")) != -1) {
        switch (option) {
        case 'b':
            o->base = optarg;
            break;
        case 'n':
            if (!parse_workers(optarg, &o->workers)) {
                fprintf(stderr, "julia-moduled: -n: a number from 1 to %d, please, not %s\n", WORKERS_MAX,
                        optarg);
                return false;
            }
            break;
        case 'u':
            o->user = optarg;
            break;
        case 'g':
            o->group = optarg;
            break;
        case 's':
            o->socket = optarg;
            break;
        default:
            return false;
        }
    }
    o->module = argv + optind;
    return o->base != NULL && o->base[0] == '/' && optind < argc;
}

static const struct passwd *find_user(const char *name)
{
    const struct passwd *user = getpwnam(name);

    if (user == NULL)
        fprintf(stderr, "julia-moduled: there is no user %s\n", name);
    return user;
}

/* Who owns the socket. false: told on stderr. */
static bool find_owner(const struct options *o, const struct passwd *user, struct listen_owner *owner_r)
{
    const struct group *group = o->group != NULL ? getgrnam(o->group) : NULL;

    *owner_r = (struct listen_owner){.uid = user != NULL ? user->pw_uid : (uid_t)-1, .gid = (gid_t)-1};
    if (o->group != NULL && group == NULL) {
        fprintf(stderr, "julia-moduled: there is no group %s\n", o->group);
        return false;
    }
    if (group != NULL)
        owner_r->gid = group->gr_gid;
    return true;
}

/* Nothing of the old rights is left, and they cannot be had back. */
static bool become(const struct passwd *user)
{
    if (user->pw_uid == geteuid() && user->pw_uid == getuid())
        return true;
    if (initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 &&
        setuid(user->pw_uid) == 0 && (user->pw_uid == 0 || setuid(0) != 0))
        return true;
    fprintf(stderr, "julia-moduled: cannot become %s: %s\n", user->pw_name, strerror(errno));
    return false;
}

/* The module's words; the first one completed as in julia.conf. */
static void command_words(const struct options *o, struct strlist *words)
{
    strlist_add_take(words, environment_program(o->base, o->module[0]));
    for (char **arg = o->module + 1; *arg != NULL; arg++)
        strlist_add(words, *arg);
}

static int serve(const struct options *o, const struct passwd *user, const struct listen_owner *owner)
{
    struct strlist words = {0}, env = {0};
    struct workers_spec spec = {.count = o->workers, .socket_fd = -1};
    int status = EXIT_TEMPORARY;

    umask(027); /* what modules write names people */
    command_words(o, &words);
    environment_make(&env, o->base);
    spec.socket_fd = o->socket != NULL ? listen_open(o->socket, owner) : listen_inherited(STDIN_FILENO);
    if (spec.socket_fd >= 0 && (user == NULL || become(user))) {
        spec.argv = words.items;
        spec.env = (const char *const *)env.items;
        if (access(words.items[0], X_OK) != 0) {
            fprintf(stderr, "julia-moduled: %s: %s\n", words.items[0], strerror(errno));
            status = EXIT_USAGE;
        } else {
            status = workers_run(&spec);
        }
    }
    if (spec.socket_fd >= 0 && o->socket != NULL)
        (void)unlink(o->socket); /* where the directory allows it; else the next start does it */
    strlist_free(&words);
    strlist_free(&env);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    const struct passwd *user = NULL;
    struct listen_owner owner;

    if (!parse_options(argc, argv, &o))
        return usage();
    if (o.user != NULL && (user = find_user(o.user)) == NULL)
        return EXIT_USAGE;
    if (!find_owner(&o, user, &owner))
        return EXIT_USAGE;
    return serve(&o, user, &owner);
}
