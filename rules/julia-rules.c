/* julia-rules(8): checks rule files and shows what they decide. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "mail/address.h"
#include "rules/ruleset.h"
#include "util/buf.h"
#include "util/conf.h"
#include "util/mem.h"
#include "util/units.h"

enum { EXIT_FINE = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_TEMPORARY = 75 };

static const char USAGE[] =
    "usage: julia-rules lint [-c JULIA.CONF] FILE\n"
    "       julia-rules test [-C] [-f HEADER-FROM] [-s SIZE] [-H 'NAME: VALUE']... FILE FROM TO...\n";

static int usage(void)
{
    fputs(USAGE, stderr);
    return EXIT_USAGE;
}

/* The profiles that a rule may name. */
struct profiles {
    bool checked;          /* julia.conf was read */
    struct strlist names;  /* of its PROFILE_* */
    struct strlist unsure; /* named by a rule, not built in, julia.conf not given */
};

static bool profile_known(const char *name, void *context)
{
    struct profiles *profiles = context;
    static const char *const BUILT_IN[] = {"default", "modern", "bdew"};
    for (size_t i = 0; i < sizeof BUILT_IN / sizeof *BUILT_IN; i++)
        if (strcasecmp(name, BUILT_IN[i]) == 0)
            return true;
    if (profiles->checked)
        return strlist_has_nocase(&profiles->names, name);
    if (!strlist_has_nocase(&profiles->unsure, name))
        strlist_add(&profiles->unsure, name);
    return true;
}

/* Every setting of julia.conf as "NAME=value"; only the names of PROFILE_* are used here, `julia -check`
 * judges the file. */
struct settings {
    struct strlist all;
};
static const struct conf_entry EVERY_NAME[] = {
    {.name = "*", .type = CONF_TEXT, .offset = offsetof(struct settings, all)},
};

static bool profiles_read(struct profiles *profiles, const char *path)
{
    static const char PREFIX[] = "PROFILE_";
    struct settings settings = {0};
    struct conf_faults faults = {0};
    bool good = conf_load(path, EVERY_NAME, 1, &settings, NULL, &faults, NULL);
    for (size_t i = 0; i < faults.lines.count; i++)
        fprintf(stderr, "%s\n", faults.lines.items[i]);
    for (size_t i = 0; i < settings.all.count; i++) {
        const char *item = settings.all.items[i];
        if (strncmp(item, PREFIX, strlen(PREFIX)) != 0)
            continue;
        item += strlen(PREFIX);
        strlist_add_take(&profiles->names, mem_strndup(item, strcspn(item, "=")));
    }
    profiles->checked = true;
    conf_free(EVERY_NAME, 1, &settings);
    conf_faults_free(&faults);
    return good;
}

static void print_faults(const struct ruleset_faults *faults, FILE *to)
{
    for (size_t i = 0; i < faults->items.count; i++)
        fprintf(to, "%s\n", faults->items.items[i]);
}

static int lint_file(const char *path, struct profiles *profiles)
{
    struct ruleset_faults faults = {0};
    struct ruleset *ruleset = ruleset_load(path, profile_known, profiles, &faults);
    if (ruleset)
        ruleset_lint(ruleset, &faults);
    print_faults(&faults, stdout);
    for (size_t i = 0; i < profiles->unsure.count; i++)
        fprintf(stderr,
                "julia-rules: profile \"%s\" is not built in; -c JULIA.CONF checks whether it is defined\n",
                profiles->unsure.items[i]);
    int status = faults.items.count ? EXIT_FINDINGS : EXIT_FINE;
    ruleset_faults_free(&faults);
    ruleset_free(ruleset);
    return status;
}

static int command_lint(int argc, char **argv)
{
    struct profiles profiles = {0};
    int status = EXIT_FINE;
    for (int option; status == EXIT_FINE && (option = getopt(argc, argv, "+c:")) != -1;)
        if (option != 'c')
            status = usage();
        else if (!profiles_read(&profiles, optarg))
            status = EXIT_USAGE;
    if (status == EXIT_FINE)
        status = argc - optind == 1 ? lint_file(argv[optind], &profiles) : usage();
    strlist_free(&profiles.names);
    strlist_free(&profiles.unsure);
    return status;
}

/* What the command line says about the message. */
struct question {
    struct ruleset_facts facts;
    struct buf fields;
    struct header header;
};

static bool is_recipient(const char *address)
{
    if (address_valid(address, true))
        return true;
    fprintf(stderr, "julia-rules: not a mail address\n");
    return false;
}

static bool question_option(struct question *question, int option)
{
    switch (option) {
    case 'C':
        question->facts.calendar = true;
        return true;
    case 'f':
        question->facts.header_from = optarg;
        return is_recipient(optarg);
    case 's':
        if (units_size(optarg, &question->facts.size))
            return true;
        fprintf(stderr, "julia-rules: -s wants a size: 500000, 64k, 10M\n");
        return false;
    case 'H':
        buf_printf(&question->fields, "%s\n", optarg);
        return true;
    default:
        usage();
        return false;
    }
}

/* "<>" and "" are the null sender. */
static bool question_sender(struct question *question, const char *from)
{
    question->facts.sender = strcmp(from, "<>") == 0 ? "" : from;
    if (*question->facts.sender == '\0')
        return true;
    if (!question->facts.header_from)
        question->facts.header_from = from;
    return is_recipient(from);
}

static int test_recipients(const char *path, const struct ruleset_facts *facts, char *const *recipients)
{
    struct ruleset_faults faults = {0};
    struct ruleset *ruleset = ruleset_load(path, NULL, NULL, &faults);
    if (!ruleset) {
        print_faults(&faults, stderr);
        ruleset_faults_free(&faults);
        return EXIT_FINDINGS;
    }
    for (; *recipients; recipients++) {
        struct ruleset_treatment treatment;
        struct buf line = {0};
        ruleset_match(ruleset, facts, *recipients, &treatment);
        ruleset_treatment_print(&treatment, &line);
        printf("%s\t%s\n", *recipients, buf_text(&line));
        buf_free(&line);
        ruleset_treatment_free(&treatment);
    }
    ruleset_faults_free(&faults);
    ruleset_free(ruleset);
    return EXIT_FINE;
}

static int command_test(int argc, char **argv)
{
    struct question question = {0};
    bool good = true;
    for (int option; good && (option = getopt(argc, argv, "+Cf:s:H:")) != -1;)
        good = question_option(&question, option);
    if (good && argc - optind < 3) {
        usage();
        good = false;
    }
    good = good && question_sender(&question, argv[optind + 1]);
    for (int i = optind + 2; good && i < argc; i++)
        good = is_recipient(argv[i]);
    int status = EXIT_USAGE;
    if (good) {
        header_parse(&question.header, buf_text(&question.fields), question.fields.len);
        question.facts.header = &question.header;
        status = test_recipients(argv[optind], &question.facts, argv + optind + 2);
        header_free(&question.header);
    }
    buf_free(&question.fields);
    return status;
}

int main(int argc, char **argv)
{
    int status;
    if (argc > 1 && strcmp(argv[1], "lint") == 0)
        status = command_lint(argc - 1, argv + 1);
    else if (argc > 1 && strcmp(argv[1], "test") == 0)
        status = command_test(argc - 1, argv + 1);
    else
        return usage();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("julia-rules: standard output");
        return EXIT_TEMPORARY;
    }
    return status;
}
