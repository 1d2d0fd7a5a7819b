/* julia-module-check(8): tries a module against the protocol. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "module/environment.h"
#include "modules/check/checks.h"
#include "util/log.h"
#include "util/mem.h"

#define EXIT_FINDINGS   1
#define EXIT_USAGE      2
#define EXIT_TEMPORARY  75
#define SECONDS_DEFAULT 10
#define SECONDS_MAX     3600
#define UNIX_PREFIX     "unix:"

struct options {
    struct target target;
    const char *schema;
    char **spec;
};

static int usage(void)
{
    fprintf(
        stderr,
        "usage: julia-module-check [-b BASE] [-r keys|trust|smime] [-a ADDRESS] [-s SCHEMA] [-t SECONDS]\n"
        "                          unix:/PATH | MODULE [ARG...]\n");
    return EXIT_USAGE;
}

static bool parse_seconds(const char *text, int64_t *milliseconds_r)
{
    uint64_t seconds;

    if (!xml_number(text, SECONDS_MAX, &seconds) || seconds == 0)
        return false;
    *milliseconds_r = (int64_t)seconds * 1000;
    return true;
}

static bool known_role(const char *role)
{
    return strcmp(role, "keys") == 0 || strcmp(role, "trust") == 0 || strcmp(role, "smime") == 0;
}

static bool parse_options(int argc, char **argv, struct options *o)
{
    bool good = true;
    int option;

    *o = (struct options){.target = {.base = JULIA_PREFIX, .role = "", .timeout_ms = SECONDS_DEFAULT * 1000}};
    while (good && (option = getopt(argc, argv, "+b:r:a:s:t:")) != -1) {
        switch (option) {
        case 'b':
            o->target.base = optarg;
            good = optarg[0] == '/';
            break;
        case 'r':
            o->target.role = optarg;
            good = known_role(optarg);
            break;
        case 'a':
            o->target.address = optarg;
            break;
        case 's':
            o->schema = optarg;
            break;
        case 't':
            good = parse_seconds(optarg, &o->target.timeout_ms);
            break;
        default:
            good = false;
        }
    }
    o->spec = argv + optind;
    return good && optind < argc;
}

/* unix:/path, or a command line in one word (as in julia.conf) or in several. */
static void take_spec(struct target *target, char **spec)
{
    if (strncmp(spec[0], UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        target->socket = spec[0] + strlen(UNIX_PREFIX);
        return;
    }
    environment_command(&target->argv, target->base, spec[0]);
    for (char **word = spec + 1; *word != NULL; word++)
        strlist_add(&target->argv, *word);
}

/* Before anything is tried: a missing program or service is not the module's fault. */
static bool can_start(const struct target *target)
{
    const char *what = target->socket != NULL   ? target->socket
                       : target->argv.count > 0 ? target->argv.items[0]
                                                : "";

    if (access(what, target->socket != NULL ? F_OK : X_OK) == 0)
        return true;
    fprintf(stderr, "julia-module-check: %s: %s\n", what, strerror(errno));
    return false;
}

static void run_checks(struct target *target)
{
    check_frames(target);
    check_descriptors(target);
    if (strcmp(target->role, "keys") == 0) {
        check_keys(target);
        check_grant(target);
    } else if (strcmp(target->role, "trust") == 0) {
        check_trust(target);
    } else {
        check_smime(target);
    }
}

static int check(struct target *target)
{
    int status = EXIT_TEMPORARY;

    if (!can_start(target))
        return status;
    if (check_hello(target))
        run_checks(target);
    if (target->report.checks > 0) {
        report_end(&target->report, target->name != NULL ? target->name : "a module without a name",
                   target->role[0] != '\0' ? target->role : "unknown");
        status = target->report.findings > 0 ? EXIT_FINDINGS : EXIT_SUCCESS;
    }
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    char *schema;
    int status = EXIT_TEMPORARY;

    if (!parse_options(argc, argv, &o))
        return usage();
    setvbuf(stdout, NULL, _IOLBF, 0);
    log_open("stderr", "julia-module-check"); /* what a started module writes */
    take_spec(&o.target, o.spec);
    schema = o.schema != NULL ? mem_strdup(o.schema) : mem_printf("%s/lib/protocol.rng", o.target.base);
    o.target.rng = rng_load(schema);
    if (o.target.rng != NULL)
        status = check(&o.target);
    rng_free(o.target.rng);
    strlist_free(&o.target.argv);
    strlist_free(&o.target.operations);
    free(o.target.name);
    free(schema);
    return status;
}
