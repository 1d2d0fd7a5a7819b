#include "modules/keys-file/settings.h"

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail/address.h"

static bool is_fingerprint(const char *word)
{
    return strlen(word) == 64 && strspn(word, "0123456789abcdefABCDEF") == 64;
}

static const char *check_gateway(const char *value)
{
    struct strlist words = {0};
    const char *fault = NULL;

    strlist_split(&words, value);
    for (size_t i = 0; i < words.count; i++)
        if (!is_fingerprint(words.items[i]) && !address_valid(words.items[i], false))
            fault =
                "neither a mail address nor a SHA-256 fingerprint (64 hexadecimal digits, without colons)";
    strlist_free(&words);
    return fault;
}

static bool find_user(const char *name, uid_t *uid_r)
{
    const struct passwd *user = getpwnam(name);
    char *end;
    unsigned long number;

    if (user != NULL) {
        *uid_r = user->pw_uid;
        return true;
    }
    number = strtoul(name, &end, 10);
    *uid_r = (uid_t)number;
    return name[0] >= '0' && name[0] <= '9' && *end == '\0' && number < (uid_t)-1;
}

static const char *check_user(const char *value)
{
    uid_t uid;

    return value[0] == '\0' || find_user(value, &uid) ? NULL : "no such user on this host";
}

#define AT(member) offsetof(struct settings, member)
static const struct conf_entry table[] = {
    {.name = "PUBLIC", .type = CONF_PATH, .default_value = "etc/public", .offset = AT(public_area)},
    {.name = "TRUSTED", .type = CONF_PATH, .default_value = "etc/trusted", .offset = AT(trusted)},
    {.name = "UNTRUSTED", .type = CONF_PATH, .default_value = "etc/untrusted", .offset = AT(untrusted)},
    {.name = "PRIVATE", .type = CONF_PATH, .default_value = "etc/private", .offset = AT(private_area)},
    {.name = "CA", .type = CONF_PATH, .default_value = "etc/ca", .offset = AT(ca)},
    {.name = "REVIEW", .type = CONF_PATH, .default_value = "var/review", .offset = AT(review)},
    {.name = "CAPABILITIES",
     .type = CONF_PATH,
     .default_value = "var/capabilities",
     .offset = AT(capabilities)},
    {.name = "INDEX", .type = CONF_PATH, .default_value = "var/index/keys-file.sqlite", .offset = AT(index)},
    {.name = "RESCAN", .type = CONF_DURATION, .default_value = "60s", .offset = AT(rescan), .max = 86400},
    {.name = "PASS_PHRASE_FILE", .type = CONF_PATH, .offset = AT(pass_phrase_file)},
    {.name = "CORE_USER", .type = CONF_TEXT, .offset = AT(core_user), .check = check_user},
    {.name = "GATEWAY",
     .type = CONF_WORDS,
     .default_value = "",
     .offset = AT(gateway),
     .check = check_gateway},
    {.name = "LOG", .type = CONF_TEXT, .default_value = "stderr", .offset = AT(log)},
};
#define ENTRIES (sizeof(table) / sizeof(table[0]))

bool settings_load(const char *path, const char *base, struct settings *settings, struct conf_faults *faults)
{
    const char *file = access(path, F_OK) != 0 && errno == ENOENT ? "/dev/null" : path;
    bool ok = conf_load(file, table, ENTRIES, settings, base, faults, NULL);

    if (settings->core_user != NULL && settings->core_user[0] != '\0')
        settings->core_uid_known = find_user(settings->core_user, &settings->core_uid);
    return ok;
}

void settings_free(struct settings *settings)
{
    conf_free(table, ENTRIES, settings);
}
