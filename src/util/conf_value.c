#include <stdlib.h>
#include <string.h>

#include "util/conf_private.h"
#include "util/mem.h"
#include "util/units.h"

#define BLANKS " \t"

bool conf_is_prefix(const struct conf_entry *entry)
{
    size_t len = strlen(entry->name);

    return len > 0 && entry->name[len - 1] == '*';
}

void *conf_target(const struct conf_entry *entry, void *settings)
{
    return (char *)settings + entry->offset;
}

static char *set_text(const struct conf_entry *entry, char **target, const char *value)
{
    bool none = *value == '\0' && entry->default_value == NULL;

    if (entry->type == CONF_PATH && *value == '\0' && !none)
        return mem_strdup("needs a path");
    free(*target);
    *target = none ? NULL : mem_strdup(value);
    return NULL;
}

static void split_items(struct strlist *list, const char *value)
{
    while (*value != '\0') {
        size_t len = strcspn(value, ";"), used;
        const char *item = value + strspn(value, BLANKS ";");

        used = item < value + len ? len - (size_t)(item - value) : 0;
        while (used > 0 && strchr(BLANKS, item[used - 1]) != NULL)
            used--;
        if (used > 0)
            strlist_add_take(list, mem_strndup(item, used));
        value += len + (value[len] == ';');
    }
}

static char *set_list(const struct conf_entry *entry, struct strlist *target, const char *value)
{
    strlist_free(target);
    if (entry->type == CONF_ITEMS)
        split_items(target, value);
    else
        strlist_split(target, value);
    return NULL;
}

static char *set_yesno(bool *target, const char *value)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return mem_printf("\"%s\" is neither yes nor no", value);
    *target = strcmp(value, "yes") == 0;
    return NULL;
}

static bool parse_plain(const char *text, uint64_t *number_r)
{
    return strspn(text, "0123456789") == strlen(text) && units_size(text, number_r);
}

static char *set_number(const struct conf_entry *entry, uint64_t *target, const char *value)
{
    const char *unit = entry->type == CONF_DURATION ? "s" : "";
    uint64_t number;

    if (entry->type == CONF_DURATION && !units_duration(value, &number))
        return mem_printf("\"%s\" is not a duration, write one as 10s, 5m, 4h or 10d", value);
    if (entry->type == CONF_SIZE && !units_size(value, &number))
        return mem_printf("\"%s\" is not a size, write one as 64k, 50M or 2G", value);
    if (entry->type == CONF_NUMBER && !parse_plain(value, &number))
        return mem_printf("\"%s\" is not a number", value);
    if (number < entry->min)
        return mem_printf("%s is too small, at least %llu%s is needed", value, (unsigned long long)entry->min,
                          unit);
    if (entry->max != 0 && number > entry->max)
        return mem_printf("%s is too large, at most %llu%s is possible", value,
                          (unsigned long long)entry->max, unit);
    *target = number;
    return NULL;
}

static char *set_networks(struct network_list *target, const char *value)
{
    struct strlist words = {0};
    struct network_list fresh = {0};
    char *fault = NULL;

    strlist_split(&words, value);
    for (size_t i = 0; i < words.count && fault == NULL; i++) {
        struct network *network = mem_push(&fresh.items, &fresh.count, sizeof(*network));
        const char *error;

        if (!network_parse(words.items[i], network, &error))
            fault = mem_printf("\"%s\" %s", words.items[i], error);
    }
    strlist_free(&words);
    network_list_free(fault == NULL ? target : &fresh);
    if (fault == NULL)
        *target = fresh;
    return fault;
}

static char *set_choice(const struct conf_entry *entry, int *target, const char *value)
{
    const char *choice = entry->choices;
    size_t len = strlen(value);

    for (int index = 0; choice != NULL; index++) {
        size_t choice_len = strcspn(choice, "|");

        if (choice_len == len && memcmp(choice, value, len) == 0) {
            *target = index;
            return NULL;
        }
        choice = choice[choice_len] == '|' ? choice + choice_len + 1 : NULL;
    }
    return mem_printf("\"%s\" is not one of %s", value, entry->choices);
}

static char *set_by_type(const struct conf_entry *entry, void *target, const char *value)
{
    switch (entry->type) {
    case CONF_TEXT:
    case CONF_PATH:
        return set_text(entry, target, value);
    case CONF_WORDS:
    case CONF_ITEMS:
        return set_list(entry, target, value);
    case CONF_YESNO:
        return set_yesno(target, value);
    case CONF_NUMBER:
    case CONF_DURATION:
    case CONF_SIZE:
        return set_number(entry, target, value);
    case CONF_NETWORKS:
        return set_networks(target, value);
    case CONF_CHOICE:
        return set_choice(entry, target, value);
    }
    return mem_strdup("has an unknown type");
}

char *conf_value_set(const struct conf_entry *entry, void *settings, const char *value)
{
    const char *wrong = entry->check != NULL ? entry->check(value) : NULL;

    if (wrong != NULL)
        return mem_strdup(wrong);
    return set_by_type(entry, conf_target(entry, settings), value);
}

void conf_value_free(const struct conf_entry *entry, void *settings)
{
    void *target = conf_target(entry, settings);

    if (conf_is_prefix(entry) || entry->type == CONF_WORDS || entry->type == CONF_ITEMS) {
        strlist_free(target);
    } else if (entry->type == CONF_NETWORKS) {
        network_list_free(target);
    } else if (entry->type == CONF_TEXT || entry->type == CONF_PATH) {
        char **text = target;

        free(*text);
        *text = NULL;
    }
}

void conf_value_resolve(const struct conf_entry *entry, void *settings, const char *base)
{
    char **path, *absolute;

    if (entry->type != CONF_PATH || base == NULL)
        return;
    path = conf_target(entry, settings);
    if (*path == NULL || **path == '/')
        return;
    absolute = mem_printf("%s/%s", base, *path);
    free(*path);
    *path = absolute;
}
