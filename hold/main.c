/* julia-hold: what waits in the hold store, for people (julia-hold(8)). */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/exit.h"
#include "core/openlog.h"
#include "core/owner.h"
#include "hold/hold.h"
#include "util/log.h"
#include "util/mem.h"

#define PROGRAM          "julia-hold"
#define BACKSTOP_SECONDS 15 /* behind DEADLINE */

static const char usage[] = "usage: julia-hold [-c julia.conf] list [-aj]\n"
                            "       julia-hold [-c julia.conf] show ID\n"
                            "       julia-hold [-c julia.conf] release ID [RECIPIENT...]\n"
                            "       julia-hold [-c julia.conf] drop ID\n";

struct call {
    const char *config, *command, *id;
    struct listing listing;
    struct strlist recipients;
    char *by;
};

void program_complain(const char *format, ...)
{
    struct buf text = {0}, shown = {0};
    va_list ap;

    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    printable_add(&shown, buf_text(&text), text.len);
    fprintf(stderr, PROGRAM ": %s\n", buf_text(&shown));
    buf_free(&text);
    buf_free(&shown);
}

static bool wrong(const char *command, const char *text)
{
    program_complain("%s%s%s", command, command[0] != '\0' ? ": " : "", text);
    fputs(usage, stderr);
    return false;
}

/* The command's own words: options, ID, recipients. */
static bool parse_words(struct call *call, int argc, char *const *argv)
{
    bool is_list = strcmp(call->command, "list") == 0, is_release = strcmp(call->command, "release") == 0;

    if (!is_list && !is_release && strcmp(call->command, "show") != 0 && strcmp(call->command, "drop") != 0)
        return wrong(call->command, "there is no such command");
    for (int option; (option = getopt(argc, argv, is_list ? "+aj" : "+")) != -1;) {
        if (option == '?')
            return wrong(call->command, "unknown option");
        call->listing.all = call->listing.all || option == 'a';
        call->listing.json = call->listing.json || option == 'j';
    }
    if (!is_list && optind >= argc)
        return wrong(call->command, "an id is missing");
    if (!is_list)
        call->id = argv[optind++];
    for (; is_release && optind < argc; optind++)
        strlist_add(&call->recipients, argv[optind]);
    return optind == argc || wrong(call->command, "too many words");
}

static bool parse(struct call *call, int argc, char *const *argv)
{
    call->config = JULIA_PREFIX "/etc/julia.conf";
    opterr = 0;
    for (int option; (option = getopt(argc, argv, "+c:")) != -1;) {
        if (option != 'c')
            return wrong("", "unknown option, or its value is missing");
        call->config = optarg;
    }
    if (optind >= argc)
        return wrong("", "a command is missing");
    call->command = argv[optind];
    argv += optind;
    argc -= optind;
    optind = 1;
    return parse_words(call, argc, argv);
}

/* Who sits there, for the log. */
static char *who(void)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *user = getpwuid(getuid());

    if (sudo != NULL && sudo[0] != '\0' && getuid() == 0)
        return mem_strdup(sudo);
    return user != NULL ? mem_strdup(user->pw_name) : mem_printf("%ld", (long)getuid());
}

static int run_command(struct hold_store *store, const struct call *call)
{
    if (strcmp(call->command, "list") == 0)
        return list_run(store, &call->listing);
    if (strcmp(call->command, "show") == 0)
        return show_run(store, call->id);
    if (strcmp(call->command, "drop") == 0)
        return drop_run(store, call->id, call->by);
    return release_run(store, call->id, &call->recipients, call->by);
}

/* A store that was never used is empty; it is not made by looking at it. */
static int run_store(const struct config *config, const struct call *call)
{
    struct hold_store *store;
    struct outcome outcome;
    struct stat st;
    int status = PROGRAM_TEMPORARY;

    if (stat(config->hold_dir, &st) != 0 && errno == ENOENT) {
        if (call->id == NULL)
            return PROGRAM_FINE;
        program_complain("%s: nothing was ever kept in HOLD_DIR %s", call->id, config->hold_dir);
        return PROGRAM_NOT;
    }
    outcome_done(&outcome);
    store = hold_store_open(config, &outcome);
    if (store != NULL)
        status = run_command(store, call);
    else
        program_complain("%s", outcome.text);
    hold_store_close(store);
    return status;
}

static int run(const struct call *call)
{
    struct conf_faults faults = {0};
    struct config config = {0};
    int status = PROGRAM_USAGE;

    if (!config_load(&config, call->config, &faults)) {
        for (size_t i = 0; i < faults.lines.count; i++)
            program_complain("%s", faults.lines.items[i]);
    } else if (!owner_become(config.hold_dir)) {
        program_complain("the owner of HOLD_DIR %s: %s", config.hold_dir, strerror(errno));
        status = PROGRAM_TEMPORARY;
    } else {
        exit_backstop(config.deadline + BACKSTOP_SECONDS);
        openlog_as(&config, PROGRAM);
        status = run_store(&config, call);
        log_close();
    }
    config_free(&config);
    conf_faults_free(&faults);
    return status;
}

int main(int argc, char **argv)
{
    struct call call = {0};
    int status = PROGRAM_USAGE;

    exit_guard();
    umask(077);
    call.by = who();
    if (parse(&call, argc, argv))
        status = run(&call);
    strlist_free(&call.recipients);
    free(call.by);
    if (fflush(stdout) != 0 && status == PROGRAM_FINE)
        status = PROGRAM_TEMPORARY;
    return status;
}
