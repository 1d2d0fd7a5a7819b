/* What values of julia.conf must be beyond their type, and what several of them must be together. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config_private.h"
#include "mail/address.h"

static void check_admin(const struct config_reading *r)
{
    if (r->config->admin == NULL)
        config_fault(r, "ADMIN", "missing; set it to the address that shall get notices about problems");
    else if (!address_valid(r->config->admin, true))
        config_fault(r, "ADMIN", "\"%s\" is not a mail address", r->config->admin);
}

static void check_names(const struct config_reading *r)
{
    const char *const token = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
    const char *host = r->config->myhostname, *id = r->config->authserv_id, *language = r->config->language;
    if (host[strspn(host, token)] != '\0')
        config_fault(r, "MYHOSTNAME", "\"%s\" is not a host name", host);
    if (id[strspn(id, token)] != '\0')
        config_fault(r, "AUTHSERV_ID", "\"%s\": letters, digits, '.', '-' and '_' only", id);
    if (language == NULL || strlen(language) != 2 || !islower((unsigned char)language[0]) ||
        !islower((unsigned char)language[1]))
        config_fault(r, "LANGUAGE", "must be the name of a directory below TEMPLATES, such as de or en");
}

static bool domain_pattern_valid(const char *pattern)
{
    char *ascii = address_domain_ascii(pattern[0] == '.' ? pattern + 1 : pattern);
    bool valid = ascii != NULL && ascii[0] != '\0';
    free(ascii);
    return valid;
}

static void check_domains(const struct config_reading *r)
{
    const struct strlist *domains = &r->config->internal_domains;
    if (domains->count == 0)
        config_fault(r, "INTERNAL_DOMAINS", "missing; list the mail domains of your organisation");
    for (size_t i = 0; i < domains->count; i++)
        if (!domain_pattern_valid(domains->items[i]))
            config_fault(r, "INTERNAL_DOMAINS",
                         "\"%s\" is not a domain; write x.example (exactly) or .x.example (it and all below)",
                         domains->items[i]);
}

static void check_networks(const struct config_reading *r, const char *name, const struct network_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].bits == 0)
            config_fault(r, name,
                         "a network of /0 is the whole Internet: julia would relay and sign for anybody");
}

static bool is_set(const struct config_reading *r, const char *name)
{
    for (size_t i = 0; i < r->entries; i++)
        if (strcmp(r->table[i].name, name) == 0)
            return r->lines[i] > 0;
    return false;
}

static void check_target(const struct config_reading *r, const char *name, const struct strlist *words,
                         bool used)
{
    struct stat st;
    if (used && r->config->mta != CONFIG_MTA_POSTFIX && !is_set(r, name)) {
        config_fault(r, name, "missing; its default is one of Postfix, give the command line of your MTA");
        return;
    }
    if (words->count == 0) {
        if (used)
            config_fault(r, name, "missing; give the sendmail command line of that MTA configuration");
        return;
    }
    const char *program = words->items[0];
    if (program[0] != '/')
        config_fault(r, name, "\"%s\" must be a sendmail command line that begins with '/'", program);
    else if (used && (stat(program, &st) != 0 || !S_ISREG(st.st_mode) || access(program, X_OK) != 0))
        config_fault(r, name, "%s is not a program that can be executed", program);
}

/* What MODE=gateway needs to get its mail back. */
static void check_scanner(const struct config_reading *r)
{
    bool gateway = r->config->mode == CONFIG_MODE_GATEWAY;
    check_target(r, "TARGET_SCANNER", &r->config->targets[CONFIG_TARGET_SCANNER], gateway);
    if (gateway && r->config->scanner_clients.count == 0)
        config_fault(r, "SCANNER_CLIENTS",
                     "missing; with MODE=gateway, list the addresses from which the virus scanner hands mail "
                     "back, or it would be taken for new mail and go round for ever");
}

static void check_module(const struct config_reading *r, const char *name, const char *spec)
{
    if (spec == NULL || spec[0] == '\0')
        config_fault(r, name, "missing; give a command line or unix:/path");
    else if (strncmp(spec, "unix:", 5) == 0 && spec[5] != '/')
        config_fault(r, name, "\"%s\": the path behind unix: must begin with '/'", spec);
}

static void check_modules(const struct config_reading *r)
{
    const struct config *config = r->config;
    if (config->modules_keys.count == 0)
        check_module(r, "MODULES_KEYS", NULL);
    for (size_t i = 0; i < config->modules_keys.count; i++)
        check_module(r, "MODULES_KEYS", config->modules_keys.items[i]);
    check_module(r, "MODULE_TRUST", config->module_trust);
    check_module(r, "MODULE_SMIME", config->module_smime);
}

static void check_sign_as(const struct config_reading *r)
{
    for (size_t i = 0; i < r->config->sign_as.count; i++) {
        const char *item = r->config->sign_as.items[i], *error = NULL;
        struct strlist words = {0};
        struct network network;
        strlist_split(&words, item);
        if (words.count != 2)
            config_fault(r, "SIGN_AS",
                         "\"%s\": each entry is NETWORK ADDRESS-OR-DOMAIN, entries end with ';'", item);
        else if (!network_parse(words.items[0], &network, &error))
            config_fault(r, "SIGN_AS", "\"%s\": %s", words.items[0], error);
        else if (network.bits == 0)
            config_fault(r, "SIGN_AS", "\"%s\" is the whole Internet", words.items[0]);
        else if (!address_valid(words.items[1], false) && !domain_pattern_valid(words.items[1]))
            config_fault(r, "SIGN_AS", "\"%s\" is neither an address nor a domain", words.items[1]);
        strlist_free(&words);
    }
}

static bool same_pattern(const char *a, const char *b)
{
    if (strchr(a, '@') != NULL || strchr(b, '@') != NULL)
        return address_equal(a, b);
    if ((a[0] == '.') != (b[0] == '.'))
        return false;
    a += a[0] == '.';
    b += b[0] == '.';
    return address_domain_matches(a, b);
}

/* Two entries for one address or domain would be one too many: which of them counts? */
static bool named_before(const struct strlist *items, size_t count, const char *pattern)
{
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        struct strlist words = {0};
        strlist_split(&words, items->items[i]);
        found = words.count == 2 && same_pattern(words.items[0], pattern);
        strlist_free(&words);
    }
    return found;
}

static void check_incoming_profile(const struct config_reading *r)
{
    static const char name[] = "INCOMING_PROFILE";
    const struct strlist *items = &r->config->incoming_profile;
    for (size_t i = 0; i < items->count; i++) {
        struct strlist words = {0};
        strlist_split(&words, items->items[i]);
        if (words.count != 2)
            config_fault(r, name, "\"%s\": each entry is ADDRESS-OR-DOMAIN PROFILE, entries end with ';'",
                         items->items[i]);
        else if (!address_valid(words.items[0], false) && !domain_pattern_valid(words.items[0]))
            config_fault(r, name, "\"%s\" is neither an address nor a domain", words.items[0]);
        else if (config_profile_find(r->config, words.items[1]) == NULL)
            config_fault(r, name, "there is no profile \"%s\"", words.items[1]);
        else if (named_before(items, i, words.items[0]))
            config_fault(r, name, "\"%s\" stands there twice", words.items[0]);
        strlist_free(&words);
    }
}

static void check_addresses(const struct config_reading *r, const char *name, const struct strlist *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!address_valid(list->items[i], false))
            config_fault(r, name, "\"%s\" is not a mail address", list->items[i]);
}

static void check_trigger(const struct config_reading *r, const char *name, const char *trigger)
{
    if (trigger == NULL || strlen(trigger) < 3)
        config_fault(r, name,
                     "must have at least three characters, or it would be found in ordinary subjects");
}

static void check_policy(const struct config_reading *r)
{
    const struct config *config = r->config;
    if (config->policy == CONFIG_POLICY_RULES)
        return;
    check_trigger(r, "TRIGGER_SIGN", config->trigger_sign);
    check_trigger(r, "TRIGGER_ENCRYPT", config->trigger_encrypt);
}

static void check_log(const struct config_reading *r)
{
    const char *log = r->config->log;
    if (log == NULL || (strncmp(log, "syslog", 6) == 0 && log[6] != '\0' && log[6] != ':'))
        config_fault(r, "LOG", "must be a file, syslog, syslog:FACILITY or stderr");
}

static void check_files(const struct config_reading *r)
{
    if (r->config->base == NULL || r->config->base[0] != '/')
        config_fault(r, "BASE", "must begin with '/'");
    struct stat st;
    const char *map = r->config->sender_login;
    if (map != NULL && (access(map, R_OK) != 0 || stat(map, &st) != 0 || S_ISDIR(st.st_mode)))
        config_fault(r, "SENDER_LOGIN", "%s cannot be read", map);
}

void config_check_all(const struct config_reading *r)
{
    const struct config *config = r->config;
    check_files(r);
    check_admin(r);
    check_names(r);
    check_domains(r);
    check_networks(r, "INTERNAL_CLIENTS", &config->internal_clients);
    check_networks(r, "SCANNER_CLIENTS", &config->scanner_clients);
    check_target(r, "TARGET_EXTERNAL", &config->targets[CONFIG_TARGET_EXTERNAL], true);
    check_scanner(r);
    check_target(r, "TARGET_INTERNAL", &config->targets[CONFIG_TARGET_INTERNAL], true);
    check_modules(r);
    check_sign_as(r);
    check_incoming_profile(r);
    check_addresses(r, "GATEWAY_KEY", &config->gateway_key);
    check_addresses(r, "ENCRYPT_ALSO_TO", &config->encrypt_also_to);
    check_policy(r);
    check_log(r);
    if (config->module_timeout >= config->deadline)
        config_fault(r, "MODULE_TIMEOUT", "must be shorter than DEADLINE");
    if (config->hold_warn >= config->hold_keep)
        config_fault(r, "HOLD_WARN", "must be shorter than HOLD_KEEP");
}
