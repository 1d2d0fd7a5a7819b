#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/config.h"
#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"

#define GOOD                                                                                                 \
    "ADMIN = a@behoerde.de\nINTERNAL_DOMAINS = behoerde.de\nTARGET_EXTERNAL = /bin/true\n"                   \
    "TARGET_INTERNAL = /bin/true\nPOLICY = subject\n"

START_TEST(faults_name_line_and_cure)
{
    static const struct {
        const char *conf, *faults;
    } rows[] = {
        {GOOD, ""},
        {"POLICY = subject\nTARGET_EXTERNAL = /bin/true\nTARGET_INTERNAL = /bin/true\n",
         "julia.conf: ADMIN: missing; set it to the address that shall get notices about problems\n"
         "julia.conf: INTERNAL_DOMAINS: missing; list the mail domains of your organisation\n"},
        {GOOD "MODE = gateway\nSCANNER_CLIENTS = 10.2.0.2\nTARGET_SCANNER = /bin/true\n", ""},
        {GOOD "MODE = gateway\nTARGET_SCANNER = /nowhere\n",
         "julia.conf:7: TARGET_SCANNER: /nowhere is not a program that can be executed\n"
         "julia.conf: SCANNER_CLIENTS: missing; with MODE=gateway, list the addresses from which the virus "
         "scanner "
         "hands mail back, or it would be taken for new mail and go round for ever\n"},
        {GOOD "DELIVER = encrypted\n",
         "julia.conf:6: DELIVER: \"encrypted\" is not one of plain|original|reencrypt\n"},
        {GOOD "TRUST_LEVEL = x\nDKIM_BROKEN = yes\n",
         "julia.conf:6: TRUST_LEVEL: this part of julia is not built yet; remove the line\n"
         "julia.conf:7: DKIM_BROKEN: \"yes\" is not one of keep|remove|refuse\n"},
        {GOOD "TARGET_SCANNER = sendmail -C x\n",
         "julia.conf:6: TARGET_SCANNER: \"sendmail\" must be a sendmail command line that begins with '/'\n"},
        {"ADMIN = a@behoerde.de\nINTERNAL_DOMAINS = behoerde.de\nTARGET_EXTERNAL = /nowhere\n"
         "TARGET_INTERNAL = /bin\nPOLICY = subject\n",
         "julia.conf:3: TARGET_EXTERNAL: /nowhere is not a program that can be executed\n"
         "julia.conf:4: TARGET_INTERNAL: /bin is not a program that can be executed\n"},
        {"ADMIN = a@behoerde.de\nINTERNAL_DOMAINS = behoerde.de\nTARGET_EXTERNAL = /bin/true\nMTA = "
         "sendmail\n"
         "POLICY = subject\n",
         "julia.conf: TARGET_INTERNAL: missing; its default is one of Postfix, give the command line of your "
         "MTA\n"},
        {GOOD "INTERNAL_CLIENTS = 10.0.0.0/8 0.0.0.0/0\n",
         "julia.conf:6: INTERNAL_CLIENTS: a network of /0 is the whole Internet: julia would relay and sign "
         "for anybody\n"},
        {GOOD "SIGN_AS = 10.0.0.1 a@x.example; 10.0.0.2; 10.0.0.300 x.example; 10.0.0.3 a@@b\n",
         "julia.conf:6: SIGN_AS: \"10.0.0.2\": each entry is NETWORK ADDRESS-OR-DOMAIN, entries end with "
         "';'\n"
         "julia.conf:6: SIGN_AS: \"10.0.0.300\": ?\n"
         "julia.conf:6: SIGN_AS: \"a@@b\" is neither an address nor a domain\n"},
        {GOOD "TRIGGER_SIGN = x\n", "julia.conf:6: TRIGGER_SIGN: must have at least three characters, or it "
                                    "would be found in ordinary subjects\n"},
        {GOOD "SENDER_LOGIN = /nowhere\n", "julia.conf:6: SENDER_LOGIN: /nowhere cannot be read\n"},
        {GOOD "MODULE_TIMEOUT = 20m\n", "julia.conf:6: MODULE_TIMEOUT: must be shorter than DEADLINE\n"},
        {GOOD "HOLD_WARN = 2d\nHOLD_KEEP = 2d\n",
         "julia.conf:6: HOLD_WARN: must be shorter than HOLD_KEEP\n"},
        {GOOD "HEADER_PROTECTION = yes\n",
         "julia.conf:6: HEADER_PROTECTION: \"yes\" is not one of no|clear|hcp_baseline|hcp_shy\n"},
        {GOOD "HEADER_PROTECTION = confidential\n",
         "julia.conf:6: HEADER_PROTECTION: \"confidential\" is not one of no|clear|hcp_baseline|hcp_shy\n"},
        {GOOD "PROFILE_x = headers=yes\n",
         "julia.conf:6: PROFILE_x: headers=yes: must be one of: no clear hcp_baseline hcp_shy\n"},
        {GOOD "HOLD_LOST = drop\n", "julia.conf:6: HOLD_LOST: \"drop\" is not one of plain|keep\n"},
        {GOOD "MODULE_SMIME = unix:var/x\n",
         "julia.conf:6: MODULE_SMIME: \"unix:var/x\": the path behind unix: must begin with '/'\n"},
        {GOOD "ENCRYPT_ALSO_TO = archive@behoerde.de archive\n",
         "julia.conf:6: ENCRYPT_ALSO_TO: \"archive\" is not a mail address\n"},
        {GOOD "LANGUAGE = ../x\n",
         "julia.conf:6: LANGUAGE: must be the name of a directory below TEMPLATES, such as de or en\n"},
        {GOOD "PROFILE_x = cipher=des\n", "julia.conf:6: PROFILE_x: cipher=des: must be one of: auto "
                                          "aes-128-cbc aes-192-cbc aes-256-cbc aes-128-gcm "
                                          "aes-192-gcm aes-256-gcm\n"},
        {GOOD "PROFILE_x = zipher=des\n", "julia.conf:6: PROFILE_x: \"zipher=des\": wanted are cipher= "
                                          "keytrans= sign= digest= form= strict= headers=\n"},
        {GOOD
         "PROFILE_x = strict=no\nINCOMING_PROFILE = x.example bdew; edi@y.example X; .x.example default\n",
         ""},
        {GOOD
         "INCOMING_PROFILE = x.example edi; edi@y.example; a@@b bdew;\n  X.example bdew; x.example bdew\n",
         "julia.conf:6: INCOMING_PROFILE: there is no profile \"edi\"\n"
         "julia.conf:6: INCOMING_PROFILE: \"edi@y.example\": each entry is ADDRESS-OR-DOMAIN PROFILE, "
         "entries "
         "end with ';'\n"
         "julia.conf:6: INCOMING_PROFILE: \"a@@b\" is neither an address nor a domain\n"
         "julia.conf:6: INCOMING_PROFILE: \"X.example\" stands there twice\n"
         "julia.conf:6: INCOMING_PROFILE: \"x.example\" stands there twice\n"},
        {GOOD "INCOMING_PROFILE = Edi@x.example bdew; edi@X.example modern; m\303\274ller.example bdew; "
              ".m\303\274ller.example bdew; xn--mller-kva.example modern\n",
         "julia.conf:6: INCOMING_PROFILE: \"edi@X.example\" stands there twice\n"
         "julia.conf:6: INCOMING_PROFILE: \"xn--mller-kva.example\" stands there twice\n"},
        {GOOD "LOG = syslogd\n", "julia.conf:6: LOG: must be a file, syslog, syslog:FACILITY or stderr\n"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct core core;
        core_set_up_conf(&core, rows[i].conf, NULL);
        char *faults = core_faults(&core);
        char *unsure = strstr(faults, "10.0.0.300\": "); /* the words behind it are network.c's */
        if (unsure != NULL) {
            unsure += strlen("10.0.0.300\": ");
            size_t len = strcspn(unsure, "\n");
            ck_assert_uint_gt(len, 0);
            *unsure = '?';
            memmove(unsure + 1, unsure + len, strlen(unsure + len) + 1);
        }
        ck_assert_msg(strcmp(faults, rows[i].faults) == 0, "row %zu:\n%s", i, faults);
        ck_assert_msg(core.loaded == (rows[i].faults[0] == '\0'), "row %zu", i);
        free(faults);
        core_tear_down(&core);
    }
}
END_TEST

START_TEST(unknown_and_repeated)
{
    struct core core;
    core_set_up_conf(&core, GOOD "SMIME_ENGIN = 2\nADMIN = b@behoerde.de\nDEADLINE = soon\n", NULL);
    char *faults = core_faults(&core);
    ck_assert(!core.loaded);
    ck_assert_uint_eq(core.faults.lines.count, 3);
    ck_assert_ptr_nonnull(strstr(faults, "julia.conf:6: SMIME_ENGIN"));
    ck_assert_ptr_nonnull(strstr(faults, "julia.conf:7: ADMIN"));
    ck_assert_ptr_nonnull(strstr(faults, "julia.conf:8: DEADLINE"));
    free(faults);
    core_tear_down(&core);
}
END_TEST

START_TEST(rules_are_part_of_it)
{
    struct core core;
    core_set_up_conf(&core,
                     "ADMIN = a@behoerde.de\nINTERNAL_DOMAINS = behoerde.de\nTARGET_EXTERNAL = /bin/true\n"
                     "TARGET_INTERNAL = /bin/true\nRULES = /nowhere/julia.rules\n",
                     NULL);
    char *faults = core_faults(&core);
    ck_assert_ptr_nonnull(strstr(faults, "/nowhere/julia.rules"));
    ck_assert(!core.loaded);
    free(faults);
    core_tear_down(&core);
}
END_TEST

START_TEST(a_rule_names_an_unknown_profile)
{
    char folder[] = "/tmp/test-core-rules.XXXXXX";
    static const char rules[] = ". (to) . (do) FE:modern\n. (to) . (do) FE:unheard\n";
    struct core core;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *path = mem_printf("%s/julia.rules", folder);
    ck_assert_int_eq(fdio_replace_file(path, rules, strlen(rules), 0644), 0);
    char *conf =
        mem_printf("ADMIN = a@behoerde.de\nINTERNAL_DOMAINS = behoerde.de\nTARGET_EXTERNAL = /bin/true\n"
                   "TARGET_INTERNAL = /bin/true\nRULES = %s\n",
                   path);
    core_set_up_conf(&core, conf, NULL);
    ck_assert(!core.loaded);
    ck_assert_uint_eq(core.faults.lines.count, 1);
    ck_assert_ptr_nonnull(strstr(core.faults.lines.items[0], "julia.rules:2:"));
    char *command = mem_printf("rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
    free(conf);
    free(path);
    core_tear_down(&core);
}
END_TEST

START_TEST(profiles)
{
    struct core core;
    core_set_up(&core,
                "PROFILE_Strong = cipher=aes-256-gcm sign=rsa-pss form=opaque headers=no\n"
                "PROFILE_bdew = digest=sha512\nHEADER_PROTECTION = hcp_shy\n",
                NULL);
    const struct config_profile *p = config_profile_find(&core.config, "strong");
    ck_assert_ptr_nonnull(p);
    ck_assert_str_eq(p->cipher, "aes-256-gcm");
    ck_assert_str_eq(p->keytrans, "auto"); /* not said: as in default */
    ck_assert_str_eq(p->rsa, "pss");
    ck_assert_str_eq(p->form, "opaque");
    ck_assert_int_eq(config_profile_protection(&core.config, p), CONFIG_PROTECTION_NO);
    p = config_profile_find(&core.config, "bdew");
    ck_assert_int_eq(config_profile_protection(&core.config, p), CONFIG_PROTECTION_SHY);
    ck_assert_str_eq(p->keytrans, "rsa-oaep-sha256");
    ck_assert_str_eq(p->digest, "sha512");
    ck_assert(config_profile_strict(p) &&
              !config_profile_strict(config_profile_find(&core.config, "strong")));
    p = config_profile_find(&core.config, NULL);
    ck_assert_str_eq(p->name, "default");
    ck_assert_str_eq(p->cipher, "auto");
    ck_assert_str_eq(p->form, "clear");
    ck_assert_ptr_null(config_profile_find(&core.config, "none"));
    core_tear_down(&core);
}
END_TEST

START_TEST(names_from_the_host)
{
    struct core core;
    core_set_up_conf(&core, GOOD "LOG = logs/x.log\nBASE = /b\n", NULL);
    ck_assert_ptr_nonnull(core.config.myhostname);
    ck_assert_str_eq(core.config.authserv_id, core.config.myhostname);
    ck_assert_str_eq(core.config.log, "/b/logs/x.log");
    ck_assert_str_eq(core.config.journal_dir, "/b/var/journal");
    core_tear_down(&core);
    core_set_up_conf(&core, GOOD "MYHOSTNAME = gw.behoerde.de\nLOG = syslog:local1\n", NULL);
    ck_assert_str_eq(core.config.authserv_id, "gw.behoerde.de");
    ck_assert_str_eq(core.config.log, "syslog:local1");
    core_tear_down(&core);
}
END_TEST

/* "NAME = default" of every parameter that a text names, in the order of the table: lines of etc/julia.conf
   are "#NAME = default", of the manual ".It Va NAME No = default". */
static void collect(const char *file, const char *before, const char *between, struct strlist *found)
{
    const char *source = getenv("JULIA_SOURCE");
    char *path = mem_printf("%s/%s", source != NULL ? source : ".", file), *state = NULL;
    struct buf text = {0};
    ck_assert_msg(fdio_read_file(path, 1 << 20, &text) == 0, "%s", path);
    for (char *line = strtok_r(text.data, "\n", &state); line != NULL; line = strtok_r(NULL, "\n", &state)) {
        size_t len = strlen(before);
        if (strncmp(line, before, len) != 0 || !isupper((unsigned char)line[len]))
            continue;
        size_t name = strspn(line + len, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_*");
        const char *rest = line + len + name;
        if (strncmp(rest, between, strlen(between)) != 0)
            continue;
        rest += strlen(between);
        strlist_add_take(found, mem_printf("%.*s =%s", (int)name, line + len, rest));
    }
    buf_free(&text);
    free(path);
}

static void compare(const struct strlist *found, const char *file)
{
    size_t shipped, all;
    const struct conf_entry *table = config_table(&shipped, &all);
    ck_assert_uint_gt(all, shipped);
    ck_assert_msg(found->count == shipped, "%s names %zu parameters, the table %zu", file, found->count,
                  shipped);
    for (size_t i = 0; i < shipped; i++) {
        const char *value = table[i].default_value;
        char *wanted = strcmp(table[i].name, "BASE") == 0 ? mem_strdup("BASE = /opt/julia")
                       : value != NULL                    ? mem_printf("%s = %s", table[i].name, value)
                                                          : mem_printf("%s =", table[i].name);
        ck_assert_msg(strlist_has(found, wanted), "%s lacks \"%s\"", file, wanted);
        free(wanted);
    }
}

START_TEST(texts_and_table_agree)
{
    struct strlist shipped = {0}, manual = {0};
    collect("etc/julia.conf", "#", " =", &shipped);
    compare(&shipped, "etc/julia.conf");
    collect("man/julia.conf.5", ".It Va ", " No =", &manual);
    compare(&manual, "man/julia.conf.5");
    strlist_free(&shipped);
    strlist_free(&manual);
}
END_TEST

/* The shipped file lacks nothing but what no default can know. */
START_TEST(shipped_file)
{
    const char *source = getenv("JULIA_SOURCE");
    char *path = mem_printf("%s/etc/julia.conf", source != NULL ? source : ".");
    struct config config;
    struct conf_faults faults = {0};
    config_load(&config, path, &faults);
    for (size_t i = 0; i < faults.lines.count; i++)
        ck_assert_msg(strstr(faults.lines.items[i], "ADMIN: missing") != NULL ||
                          strstr(faults.lines.items[i], "INTERNAL_DOMAINS: missing") != NULL ||
                          strstr(faults.lines.items[i], "julia.rules") != NULL ||
                          strstr(faults.lines.items[i], "/usr/sbin/sendmail") != NULL,
                      "%s", faults.lines.items[i]);
    config_free(&config);
    conf_faults_free(&faults);
    free(path);
}
END_TEST

UNIT_MAIN("core-config", faults_name_line_and_cure, unknown_and_repeated, rules_are_part_of_it,
          a_rule_names_an_unknown_profile, profiles, names_from_the_host, texts_and_table_agree, shipped_file)
