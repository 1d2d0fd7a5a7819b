#include "core/selfcheck.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/ask.h"
#include "delivery/hold.h"
#include "outgoing/select.h"
#include "util/mem.h"

static size_t faults_seen;

static void __attribute__((format(printf, 2, 3))) tell(bool good, const char *format, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    printf("%s %s\n", good ? "ok   " : "FAULT", buf_text(&text));
    if (!good)
        faults_seen++;
    buf_free(&text);
}

static void check_directory(const char *name, const char *path)
{
    struct stat st;
    if (path == NULL || stat(path, &st) != 0)
        tell(false, "%s: %s: %s; create it for the user that the MTA runs julia as", name,
             path != NULL ? path : "-", strerror(errno));
    else if (!S_ISDIR(st.st_mode) || access(path, W_OK | X_OK) != 0)
        tell(false, "%s: %s: not a directory that this user may write to", name, path);
    else
        tell(true, "%s: %s", name, path);
}

/* It was read already; but root may have done that (owner_become()). */
static void check_readable(const char *name, const char *path)
{
    if (access(path, R_OK) == 0)
        tell(true, "%s: %s", name, path);
    else
        tell(false, "%s: %s: %s; the user of julia must be able to read it", name, path, strerror(errno));
}

/* Opening it is what proves most. */
static void check_hold(const struct config *config)
{
    struct outcome outcome;
    outcome_done(&outcome);
    struct hold_store *store = hold_store_open(config, &outcome);
    if (store != NULL && access(config->hold_dir, W_OK | X_OK) == 0)
        tell(true, "HOLD_DIR: %s", config->hold_dir);
    else
        tell(false, "HOLD_DIR: %s: %s; it must be a directory of the user that the MTA runs julia as",
             config->hold_dir, store != NULL ? strerror(errno) : outcome.text);
    hold_store_close(store);
}

static void check_log_file(const char *name, const char *path)
{
    if (path == NULL || path[0] != '/')
        return;
    char *directory = mem_strdup(path);
    char *slash = strrchr(directory, '/');
    *slash = '\0';
    if (access(path, F_OK) == 0)
        tell(access(path, W_OK) == 0, "%s: %s%s", name, path,
             access(path, W_OK) == 0 ? "" : ": not writable");
    else
        check_directory(name, directory[0] != '\0' ? directory : "/");
    free(directory);
}

/* The MTA configuration that a command line names: "-C DIRECTORY" of Postfix, "-C FILE" or "-CFILE" of
 * Sendmail. */
static const char *named_configuration(const struct strlist *words)
{
    for (size_t i = 1; i < words->count; i++) {
        if (strcmp(words->items[i], "-C") == 0 && i + 1 < words->count)
            return words->items[i + 1];
        if (strncmp(words->items[i], "-C", 2) == 0 && words->items[i][2] != '\0')
            return words->items[i] + 2;
    }
    return NULL;
}

static void check_target(const struct config *config, enum config_target target)
{
    const struct strlist *words = &config->targets[target];
    const char *where = named_configuration(words);
    struct stat st;
    if (where != NULL && stat(where, &st) != 0)
        tell(false, "target %s: %s -C %s: %s; run the set-up script, or correct TARGET_*",
             config_target_name(target), words->items[0], where, strerror(errno));
    else
        tell(true, "target %s: %s%s%s", config_target_name(target), words->items[0],
             where != NULL ? " -C " : "", where != NULL ? where : "");
}

/* mailq-all and deliver-all ask for it. */
static void check_main_instance(const struct config *config)
{
    struct stat st;
    if (config->mta_config == NULL)
        return;
    if (stat(config->mta_config, &st) != 0)
        tell(false, "MTA_CONFIG %s: %s", config->mta_config, strerror(errno));
    else if (S_ISDIR(st.st_mode) != (config->mta == CONFIG_MTA_POSTFIX))
        tell(false, "MTA_CONFIG %s: Postfix has a directory, Sendmail a file", config->mta_config);
    else
        tell(true, "MTA_CONFIG: %s", config->mta_config);
}

/* Asks a key module for the key of an address that has none: "none" shows that it can see its whole store. */
static void check_store(struct call_module *module, const char *spec)
{
    struct buf body = {0};
    struct xml_writer w;
    struct call_answer answer = {0};
    xml_begin(&w, &body);
    xml_open(&w, "find");
    xml_open(&w, "query");
    xml_put_number(&w, "n", 0);
    xml_put(&w, "use", "sign");
    xml_put(&w, "address", "nobody@check.invalid");
    xml_close(&w);
    xml_close(&w);
    call_ask(module, "find", &body, NULL, 0, &answer);
    const struct xml_node *result = answer.status == ANSWER_OK ? xml_child(answer.body, "result") : NULL;
    const char *text = result != NULL ? xml_attribute(result, "text") : answer.text;
    const char *status = result != NULL ? xml_attribute(result, "status") : "temporary";
    if (strcmp(status, "temporary") == 0)
        tell(false, "keys of module %s: %s", spec, text != NULL ? text : "they cannot be looked up");
    call_answer_free(&answer);
    buf_free(&body);
}

/* INCOMING_PROFILE asks for more of smime than other mail does: without it, the partners' mail would wait. */
static void check_inspect(const struct config *config, const struct xml_node *hello)
{
    for (const struct xml_node *node = xml_child(hello, "operation"); node != NULL;
         node = xml_next(node, "operation"))
        if (strcmp(xml_attribute(node, "name"), "inspect") == 0)
            return;
    if (config->incoming_profile.count > 0)
        tell(false, "module %s has no operation inspect, which INCOMING_PROFILE needs", config->module_smime);
}

static void check_module(const struct config *config, const char *spec, const char *role)
{
    int64_t timeout = (int64_t)config->module_timeout * 1000;
    struct call_module *module = call_module_new(spec, role, config->base, timeout, deadline_in(timeout));
    struct call_answer answer = {0};
    ask_hello(module, &answer);
    if (answer.status == ANSWER_OK)
        tell(true, "module %s (%s): %s", call_module_name(module), role, spec);
    else
        tell(false, "module %s (%s): %s: %s", spec, role, answer.reason != NULL ? answer.reason : "no answer",
             answer.text != NULL ? answer.text : "");
    if (answer.status == ANSWER_OK && strcmp(role, "keys") == 0)
        check_store(module, spec);
    if (answer.status == ANSWER_OK && strcmp(role, "smime") == 0)
        check_inspect(config, answer.body);
    call_answer_free(&answer);
    call_module_free(module);
}

static void check_modules(const struct config *config)
{
    for (size_t i = 0; i < config->modules_keys.count; i++)
        check_module(config, config->modules_keys.items[i], "keys");
    check_module(config, config->module_trust, "trust");
    check_module(config, config->module_smime, "smime");
}

static void tell_gateway_key(const struct select_choice *choice)
{
    if (choice->chosen != NULL)
        tell(true, "GATEWAY_KEY: %s: certificate %s", choice->address, choice->chosen->entry->fingerprint);
    else
        tell(false, "GATEWAY_KEY: %s: no usable certificate (%s); DELIVER = reencrypt needs it",
             choice->address, choice->detail != NULL ? choice->detail : choice->reason);
}

/* DELIVER=reencrypt: is there somebody to encrypt to? */
static void check_gateway_key(const struct config *config)
{
    const struct strlist *keys = &config->gateway_key;
    struct message message = {
        .config = config, .fd = -1, .until = deadline_in((int64_t)config->deadline * 1000)};
    struct select *select = select_new();

    if (keys->count == 0)
        printf("note  DELIVER = reencrypt without GATEWAY_KEY: mail for recipients who have no certificate "
               "waits\n");
    for (size_t i = 0; i < keys->count; i++)
        select_want(select, SELECT_INSIDE, keys->items[i]);
    message_modules_open(&message);
    select_run(select, &message);
    for (size_t i = 0; i < keys->count; i++)
        tell_gateway_key(select_get(select, select_want(select, SELECT_INSIDE, keys->items[i]),
                                    config_profile_find(config, NULL)));
    select_free(select);
    message_free(&message);
}

static void check_rules(const struct config *config)
{
    struct ruleset_faults findings = {0};
    if (config->ruleset == NULL) {
        tell(true, "rules: none are read (POLICY=subject)");
        return;
    }
    ruleset_lint(config->ruleset, &findings);
    if (access(config->rules, R_OK) != 0)
        check_readable("rules", config->rules);
    else
        tell(true, "rules: %s, %zu remarks", config->rules, findings.items.count);
    for (size_t i = 0; i < findings.items.count; i++)
        printf("note  %s\n", findings.items.items[i]);
    ruleset_faults_free(&findings);
}

/* The round trip through the virus scanner. Changed copies and those without a hold are kept with any
   DELIVER. */
static void check_gateway(const struct config *config)
{
    check_target(config, CONFIG_TARGET_SCANNER);
    check_hold(config);
}

static void check_all(const struct config *config)
{
    check_readable("configuration", config->file);
    check_rules(config);
    check_directory("SPOOL", config->spool);
    if (config->journal != CONFIG_JOURNAL_NO)
        check_directory("JOURNAL_DIR", config->journal_dir);
    check_log_file("LOG", config->log);
    check_log_file("VERIFY_LOG", config->verify_log);
    check_main_instance(config);
    check_target(config, CONFIG_TARGET_EXTERNAL);
    check_target(config, CONFIG_TARGET_INTERNAL);
    if (config->mode == CONFIG_MODE_GATEWAY)
        check_gateway(config);
    if (config->engine != CONFIG_ENGINE_PASS)
        check_modules(config);
    if (config->engine != CONFIG_ENGINE_PASS && config->deliver == CONFIG_DELIVER_REENCRYPT)
        check_gateway_key(config);
}

void selfcheck_run(const struct config *config, const struct conf_faults *faults, struct outcome *outcome)
{
    faults_seen = 0;
    for (size_t i = 0; i < faults->lines.count; i++)
        tell(false, "%s", faults->lines.items[i]);
    if (config != NULL)
        check_all(config);
    if (faults_seen > 0)
        outcome_temporary(outcome, "4.3.5", "%zu faults", faults_seen);
    else
        snprintf(outcome->text, sizeof(outcome->text), "no faults");
}
