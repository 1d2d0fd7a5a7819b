/* The table of julia.conf(5) and its loading. */
#include "core/config.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config_private.h"
#include "util/mem.h"

#define AT(member)  offsetof(struct config, member)
#define TARGET(one) offsetof(struct config, targets) + (one) * sizeof(struct strlist)

static const char *not_built(const char *value)
{
    (void)value;
    return "this part of julia is not built yet; remove the line";
}

#define TEXT(name, at, standard)                                                                             \
    {                                                                                                        \
        name, CONF_TEXT, standard, at, 0, 0, NULL, NULL                                                      \
    }
#define WORDS(name, at, standard)                                                                            \
    {                                                                                                        \
        name, CONF_WORDS, standard, at, 0, 0, NULL, NULL                                                     \
    }
#define ITEMS(name, at, standard)                                                                            \
    {                                                                                                        \
        name, CONF_ITEMS, standard, at, 0, 0, NULL, NULL                                                     \
    }
#define PATH(name, at, standard)                                                                             \
    {                                                                                                        \
        name, CONF_PATH, standard, at, 0, 0, NULL, NULL                                                      \
    }
#define YESNO(name, at, standard)                                                                            \
    {                                                                                                        \
        name, CONF_YESNO, standard, at, 0, 0, NULL, NULL                                                     \
    }
#define CHOICE(name, at, standard, list)                                                                     \
    {                                                                                                        \
        name, CONF_CHOICE, standard, at, 0, 0, list, NULL                                                    \
    }
#define NUMBER(name, at, standard, low, top)                                                                 \
    {                                                                                                        \
        name, CONF_NUMBER, standard, at, low, top, NULL, NULL                                                \
    }
#define TIME(name, at, standard, low, top)                                                                   \
    {                                                                                                        \
        name, CONF_DURATION, standard, at, low, top, NULL, NULL                                              \
    }
#define SIZE(name, at, standard, low, top)                                                                   \
    {                                                                                                        \
        name, CONF_SIZE, standard, at, low, top, NULL, NULL                                                  \
    }
#define NETS(name, at)                                                                                       \
    {                                                                                                        \
        name, CONF_NETWORKS, NULL, at, 0, 0, NULL, NULL                                                      \
    }
#define LATER(name)                                                                                          \
    {                                                                                                        \
        name, CONF_TEXT, NULL, AT(later), 0, 0, NULL, not_built                                              \
    }

#define DAY (24u * 3600u)

static const struct conf_entry table[] = {
    PATH("BASE", AT(base), JULIA_PREFIX),
    CHOICE("MTA", AT(mta), "postfix", "postfix|sendmail"),
    PATH("MTA_CONFIG", AT(mta_config), NULL),
    TEXT("MYHOSTNAME", AT(myhostname), NULL),
    TEXT("AUTHSERV_ID", AT(authserv_id), NULL),
    TEXT("ADMIN", AT(admin), NULL),
    TEXT("LANGUAGE", AT(language), "en"),
    CHOICE("MODE", AT(mode), "mailoffice", "mailoffice|gateway"),
    CHOICE("SMIME_ENGINE", AT(engine), "2", "0|1|2"),
    YESNO("ENGINE_CLEAR", AT(engine_clear), "no"),
    NETS("INTERNAL_CLIENTS", AT(internal_clients)),
    NETS("SCANNER_CLIENTS", AT(scanner_clients)),
    WORDS("INTERNAL_DOMAINS", AT(internal_domains), NULL),
    CHOICE("LOCAL_SUBMISSION", AT(local_submission), "internal", "internal|refuse"),
    PATH("RULES", AT(rules), "etc/julia.rules"),
    CHOICE("POLICY", AT(policy), "rules", "rules|subject|both"),
    TEXT("TRIGGER_SIGN", AT(trigger_sign), "[sign]"),
    TEXT("TRIGGER_ENCRYPT", AT(trigger_encrypt), "[encrypt]"),
    YESNO("SIGNER_CHECK", AT(signer_check), "yes"),
    ITEMS("SIGN_AS", AT(sign_as), NULL),
    PATH("SENDER_LOGIN", AT(sender_login), NULL),
    WORDS("TARGET_EXTERNAL", TARGET(CONFIG_TARGET_EXTERNAL),
          "/usr/sbin/sendmail -C /etc/postfix-julia-external -G"),
    WORDS("TARGET_SCANNER", TARGET(CONFIG_TARGET_SCANNER),
          "/usr/sbin/sendmail -C /etc/postfix-julia-scanner -G"),
    WORDS("TARGET_INTERNAL", TARGET(CONFIG_TARGET_INTERNAL),
          "/usr/sbin/sendmail -C /etc/postfix-julia-internal -G"),
    ITEMS("MODULES_KEYS", AT(modules_keys), "keys-file"),
    TEXT("MODULE_TRUST", AT(module_trust), "trust"),
    TEXT("MODULE_SMIME", AT(module_smime), "smime"),
    CHOICE("DELIVER", AT(deliver), "plain", "plain|original|reencrypt"),
    WORDS("GATEWAY_KEY", AT(gateway_key), NULL),
    WORDS("ENCRYPT_ALSO_TO", AT(encrypt_also_to), NULL),
    CHOICE("PARTIAL", AT(partial), "split", "split|all"),
    TIME("EIP_PATIENCE", AT(eip_patience), "4h", 0, 30 * DAY),
    CHOICE("EIP_FALLBACK", AT(eip_fallback), "refuse", "refuse|clear"),
    YESNO("RESIGN", AT(resign), "no"),
    YESNO("STRIP_SIGNATURES", AT(strip_signatures), "no"),
    CHOICE("HARVEST", AT(harvest), "review", "no|review|public"),
    YESNO("SUBJECT_TAGS", AT(subject_tags), "no"),
    ITEMS("INCOMING_PROFILE", AT(incoming_profile), NULL),
    CHOICE("HEADER_PROTECTION", AT(header_protection), "no", "no|clear|hcp_baseline|hcp_shy"),
    CHOICE("REPORT", AT(report), "no", "no|text|html"),
    CHOICE("DKIM_BROKEN", AT(dkim_broken), "remove", "keep|remove|refuse"),
    YESNO("ACCEPT_WEAK", AT(accept_weak), "no"),
    CHOICE("REVOCATION", AT(revocation), "prefer", "require|prefer|off"),
    {"PROFILE_*", CONF_TEXT, NULL, AT(profiles_raw), 0, 0, NULL, config_profile_check},
    PATH("SPOOL", AT(spool), "var/spool"),
    SIZE("SPOOL_MEMORY", AT(spool_memory), "256k", 0, 64u << 20),
    CHOICE("JOURNAL", AT(journal), "always", "always|faults|no"),
    PATH("JOURNAL_DIR", AT(journal_dir), "var/journal"),
    TIME("JOURNAL_KEEP", AT(journal_keep), "10d", DAY, 400 * DAY),
    PATH("HOLD_DIR", AT(hold_dir), "var/hold"),
    TIME("HOLD_WARN", AT(hold_warn), "1h", 60, 30 * DAY),
    TIME("HOLD_KEEP", AT(hold_keep), "10d", 60, 400 * DAY),
    CHOICE("HOLD_CHANGED", AT(hold_changed), "deliver", "deliver|keep"),
    CHOICE("HOLD_LOST", AT(hold_lost), "keep", "plain|keep"),
    CHOICE("SCANNER_NOTICE", AT(scanner_notice), "admin", "admin|recipient"),
    TIME("GIVE_UP", AT(give_up), "4h", 60, 30 * DAY),
    SIZE("MAX_SIZE", AT(max_size), "300M", 1024, 0),
    NUMBER("MAX_DEPTH", AT(max_depth), "50", 2, 100),
    NUMBER("MAX_PARTS", AT(max_parts), "1000", 2, 10000),
    NUMBER("MAX_RECIPIENTS", AT(max_recipients), "1000", 1, 2000),
    TIME("MODULE_TIMEOUT", AT(module_timeout), "1m", 1, 3600),
    TIME("DEADLINE", AT(deadline), "15m", 5, DAY),
    TEXT("LOG", AT(log), "logs/julia.log"),
    PATH("VERIFY_LOG", AT(verify_log), "logs/verify.log"),
    CHOICE("LOG_NAMES", AT(log_names), "yes", "yes|hash|no"),
    PATH("TEMPLATES", AT(templates), "etc/templates"),
    /* Reserved. */
    LATER("TRUST_LEVEL"),
    LATER("FETCH_ALLOW"),
};
#define ENTRIES (sizeof(table) / sizeof(table[0]))
#define LATERS  2

const struct conf_entry *config_table(size_t *shipped_r, size_t *all_r)
{
    *shipped_r = ENTRIES - LATERS;
    *all_r = ENTRIES;
    return table;
}

void config_fault(const struct config_reading *reading, const char *name, const char *format, ...)
{
    unsigned int line = 0;
    for (size_t i = 0; i < reading->entries; i++)
        if (strcmp(reading->table[i].name, name) == 0)
            line = reading->lines[i];
    va_list ap;
    va_start(ap, format);
    char *text = mem_vprintf(format, ap);
    va_end(ap);
    if (line > 0)
        conf_fault(reading->faults, "%s:%u: %s: %s", reading->config->file, line, name, text);
    else
        conf_fault(reading->faults, "%s: %s: %s", reading->config->file, name, text);
    free(text);
}

static char *own_host_name(void)
{
    char name[HOST_NAME_MAX + 1] = "";
    if (gethostname(name, sizeof(name)) != 0 || name[0] == '\0')
        return mem_strdup("localhost");
    name[sizeof(name) - 1] = '\0';
    return mem_strdup(name);
}

/* Defaults that other values or the host give. */
static void fill_in(struct config *config)
{
    if (config->myhostname == NULL)
        config->myhostname = own_host_name();
    if (config->authserv_id == NULL)
        config->authserv_id = mem_strdup(config->myhostname);
    if (config->log != NULL && config->log[0] != '/' && strcmp(config->log, "stderr") != 0 &&
        strncmp(config->log, "syslog", 6) != 0) {
        char *path = mem_printf("%s/%s", config->base, config->log);
        free(config->log);
        config->log = path;
    }
}

static bool profile_known(const char *name, void *context)
{
    return config_profile_find(context, name) != NULL;
}

static void load_rules(const struct config_reading *reading)
{
    struct config *config = reading->config;
    if (config->policy == CONFIG_POLICY_SUBJECT || config->rules == NULL)
        return;
    struct ruleset_faults faults = {0};
    config->ruleset = ruleset_load(config->rules, profile_known, config, &faults);
    if (config->ruleset == NULL && faults.items.count == 0)
        config_fault(reading, "RULES", "%s cannot be read", config->rules);
    for (size_t i = 0; i < faults.items.count; i++)
        conf_fault(reading->faults, "%s", faults.items.items[i]);
    ruleset_faults_free(&faults);
}

bool config_load(struct config *config, const char *path, struct conf_faults *faults)
{
    unsigned int lines[ENTRIES] = {0};
    memset(config, 0, sizeof(*config));
    config->file = mem_strdup(path);
    size_t before = faults->lines.count;
    bool read = conf_load(path, table, ENTRIES, config, JULIA_PREFIX, faults, lines);
    if (!read && faults->lines.count == before)
        conf_fault(faults, "%s: cannot be read", path);
    struct config_reading reading = {config, faults, table, ENTRIES, lines};
    fill_in(config);
    config_profiles_load(&reading);
    config_check_all(&reading);
    load_rules(&reading);
    return faults->lines.count == before;
}

void config_free(struct config *config)
{
    config_profiles_free(config);
    ruleset_free(config->ruleset);
    config->ruleset = NULL;
    conf_free(table, ENTRIES, config);
    free(config->file);
    config->file = NULL;
}

const char *config_target_name(enum config_target target)
{
    static const char *const names[CONFIG_TARGET_COUNT] = {"external", "scanner", "internal"};
    return target < CONFIG_TARGET_COUNT ? names[target] : "?";
}

enum config_target config_incoming_target(const struct config *config)
{
    return config->mode == CONFIG_MODE_GATEWAY ? CONFIG_TARGET_SCANNER : CONFIG_TARGET_INTERNAL;
}
