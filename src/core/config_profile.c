/* Profiles: which algorithms are written (DESIGN section 10). Built in: default, modern, bdew. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/config_private.h"
#include "util/mem.h"

static const struct builtin {
    const char *name, *cipher, *keytrans, *rsa, *digest, *form, *strict;
} builtins[] = {
    {"default", "auto", "auto", "pkcs1", "sha256", "clear", "no"},
    {"modern", "aes-256-gcm", "rsa-oaep-sha256", "pss", "sha256", "clear", "no"},
    {"bdew", "aes-256-cbc", "rsa-oaep-sha256", "pss", "sha256", "clear", "yes"},
};

static const struct setting {
    const char *key;     /* as written in PROFILE_<name> */
    const char *choices; /* "word word", each "written=stored" where they differ */
    size_t offset;
} settings[] = {
    {"cipher", "auto aes-128-cbc aes-192-cbc aes-256-cbc aes-128-gcm aes-192-gcm aes-256-gcm",
     offsetof(struct config_profile, cipher)},
    {"keytrans", "auto rsa-pkcs1 rsa-oaep-sha256 rsa-oaep-sha384 rsa-oaep-sha512",
     offsetof(struct config_profile, keytrans)},
    {"sign", "rsa-pkcs1=pkcs1 rsa-pss=pss", offsetof(struct config_profile, rsa)},
    {"digest", "sha256 sha384 sha512", offsetof(struct config_profile, digest)},
    {"form", "clear opaque", offsetof(struct config_profile, form)},
    {"strict", "no yes", offsetof(struct config_profile, strict)},
    {"headers", "no clear hcp_baseline hcp_shy", offsetof(struct config_profile, headers)},
};

static struct config_profile *profile_new(struct config *config, const char *name)
{
    struct config_profile *profile =
        mem_push(&config->profiles, &config->profile_count, sizeof(struct config_profile));
    profile->name = mem_strdup(name);
    const struct builtin *b = &builtins[0];
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (strcmp(builtins[i].name, name) == 0)
            b = &builtins[i];
    profile->cipher = mem_strdup(b->cipher);
    profile->keytrans = mem_strdup(b->keytrans);
    profile->rsa = mem_strdup(b->rsa);
    profile->digest = mem_strdup(b->digest);
    profile->form = mem_strdup(b->form);
    profile->strict = mem_strdup(b->strict);
    return profile;
}

/* The stored form of `value`, newly allocated; NULL when the setting does not know it. */
static char *choice_find(const struct setting *setting, const char *value)
{
    struct strlist words = {0};
    char *found = NULL;
    strlist_split(&words, setting->choices);
    for (size_t i = 0; i < words.count && found == NULL; i++) {
        char *equals = strchr(words.items[i], '=');
        size_t len = equals != NULL ? (size_t)(equals - words.items[i]) : strlen(words.items[i]);
        if (strlen(value) == len && strncmp(words.items[i], value, len) == 0)
            found = mem_strdup(equals != NULL ? equals + 1 : words.items[i]);
    }
    strlist_free(&words);
    return found;
}

static char **setting_target(struct config_profile *profile, const struct setting *setting)
{
    return (char **)(void *)((char *)profile + setting->offset);
}

/* One "key=value" of a profile. NULL, or what is wrong (static text, overwritten by the next call). */
static const char *profile_set(struct config_profile *profile, const char *word)
{
    static char fault[300];
    const char *equals = strchr(word, '=');
    int len = equals != NULL ? (int)(equals - word) : (int)strlen(word);
    for (size_t i = 0; equals != NULL && i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (strlen(settings[i].key) != (size_t)len || strncmp(settings[i].key, word, (size_t)len) != 0)
            continue;
        char *stored = choice_find(&settings[i], equals + 1);
        if (stored == NULL) {
            snprintf(fault, sizeof(fault), "%s=%.60s: must be one of: %s", settings[i].key, equals + 1,
                     settings[i].choices);
            return fault;
        }
        char **target = setting_target(profile, &settings[i]);
        free(*target);
        *target = stored;
        return NULL;
    }
    snprintf(fault, sizeof(fault),
             "\"%.60s\": wanted are cipher= keytrans= sign= digest= form= strict= headers=", word);
    return fault;
}

/* Applies all words to `profile`. NULL, or the first fault. */
static const char *profile_set_all(struct config_profile *profile, const char *value)
{
    const char *fault = NULL;
    struct strlist words = {0};
    strlist_split(&words, value);
    for (size_t i = 0; i < words.count && fault == NULL; i++)
        fault = profile_set(profile, words.items[i]);
    strlist_free(&words);
    return fault;
}

static void profile_clear(struct config_profile *profile)
{
    free(profile->name);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        free(*setting_target(profile, &settings[i]));
}

const char *config_profile_check(const char *value)
{
    struct config_profile scratch = {0};
    const char *fault = profile_set_all(&scratch, value);
    profile_clear(&scratch);
    return fault;
}

/* The profile to change: a name is used once only, but a built-in one may be set differently. */
static struct config_profile *profile_open(struct config *config, const char *name)
{
    for (size_t i = 0; i < config->profile_count; i++)
        if (strcasecmp(config->profiles[i].name, name) == 0)
            return &config->profiles[i];
    return profile_new(config, name);
}

static void profile_load(const struct config_reading *reading, const char *item)
{
    const char *equals = strchr(item, '=');
    const char *prefix = "PROFILE_";
    if (equals == NULL || strncmp(item, prefix, strlen(prefix)) != 0)
        return;
    char *full = mem_strndup(item, (size_t)(equals - item));
    const char *name = full + strlen(prefix);
    if (*name == '\0' ||
        name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] != '\0') {
        conf_fault(reading->faults, "%s: %s: a profile's name has letters, digits, '-' and '_' only",
                   reading->config->file, full);
        free(full);
        return;
    }
    profile_set_all(profile_open(reading->config, name), equals + 1);
    free(full);
}

void config_profiles_load(const struct config_reading *reading)
{
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        profile_new(reading->config, builtins[i].name);
    for (size_t i = 0; i < reading->config->profiles_raw.count; i++)
        profile_load(reading, reading->config->profiles_raw.items[i]);
}

void config_profiles_free(struct config *config)
{
    for (size_t i = 0; i < config->profile_count; i++)
        profile_clear(&config->profiles[i]);
    free(config->profiles);
    config->profiles = NULL;
    config->profile_count = 0;
}

const struct config_profile *config_profile_find(const struct config *config, const char *name)
{
    if (name == NULL)
        name = "default";
    for (size_t i = 0; i < config->profile_count; i++)
        if (strcasecmp(config->profiles[i].name, name) == 0)
            return &config->profiles[i];
    return NULL;
}

bool config_profile_strict(const struct config_profile *profile)
{
    return profile != NULL && profile->strict != NULL && strcmp(profile->strict, "yes") == 0;
}

static const char *const protections[] = {"no", "clear", "hcp_baseline", "hcp_shy"};

const char *config_protection_word(enum config_protection protection)
{
    return protections[protection];
}

enum config_protection config_profile_protection(const struct config *config,
                                                 const struct config_profile *profile)
{
    const char *own = profile != NULL ? profile->headers : NULL;
    for (size_t i = 0; own != NULL && i < sizeof(protections) / sizeof(protections[0]); i++)
        if (strcmp(protections[i], own) == 0)
            return (enum config_protection)i;
    return (enum config_protection)config->header_protection;
}
