#include "module/schema.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 64
#define HEX      "0123456789abcdef"
#define BASE64   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \n"

/* One "name?=kind" of a table's attribute list, not NUL-terminated. */
struct item {
    const char *name, *kind;
    size_t name_len, kind_len;
    bool optional;
};

static bool same(const char *text, const char *part, size_t len)
{
    return strlen(text) == len && memcmp(text, part, len) == 0;
}

/* The next item of the list; moves on. false at its end. */
static bool next_item(const char **list, struct item *item)
{
    const char *end;

    *list += strspn(*list, " ");
    if (**list == '\0')
        return false;
    item->name = *list;
    item->name_len = strcspn(item->name, "=");
    item->kind = item->name + item->name_len + 1;
    item->kind_len = strcspn(item->kind, " ");
    end = item->kind + item->kind_len;
    item->optional = item->name[item->name_len - 1] == '?';
    if (item->optional)
        item->name_len--;
    *list = end;
    return true;
}

static bool valid_time(const char *value)
{
    static const char pattern[] = "0000-00-00T00:00:00Z";

    if (strlen(value) != sizeof pattern - 1)
        return false;
    for (size_t i = 0; pattern[i] != '\0'; i++)
        if (pattern[i] == '0' ? value[i] < '0' || value[i] > '9' : value[i] != pattern[i])
            return false;
    return true;
}

static bool valid_hex(const char *value)
{
    size_t len = strlen(value);

    return len % 2 == 0 && strspn(value, HEX) == len;
}

static bool valid_word(const char *value)
{
    size_t len = strlen(value);

    return len > 0 && len <= WORD_MAX && strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool valid_id(const char *value)
{
    size_t len = strlen(value);

    return len > 0 && len <= WORD_MAX &&
           strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static bool valid_choice(const char *value, const char *choices, size_t len)
{
    const char *end = choices + len;

    while (choices < end) {
        size_t word = strcspn(choices, "| ");

        if (same(value, choices, word))
            return true;
        choices += word + 1;
    }
    return false;
}

static bool valid_value(const char *value, const struct item *item)
{
    uint64_t number;

    if (same("text", item->kind, item->kind_len))
        return true;
    if (same("number", item->kind, item->kind_len))
        return xml_number(value, SCHEMA_NUMBER_MAX, &number);
    if (same("hex", item->kind, item->kind_len))
        return valid_hex(value);
    if (same("sha256", item->kind, item->kind_len))
        return strlen(value) == 64 && valid_hex(value);
    if (same("base64", item->kind, item->kind_len))
        return value[strspn(value, BASE64)] == '\0';
    if (same("time", item->kind, item->kind_len))
        return valid_time(value);
    if (same("word", item->kind, item->kind_len))
        return valid_word(value);
    if (same("id", item->kind, item->kind_len))
        return valid_id(value);
    return valid_choice(value, item->kind, item->kind_len);
}

static bool known_attribute(const char *list, const char *name)
{
    struct item item;

    while (next_item(&list, &item))
        if (same(name, item.name, item.name_len))
            return true;
    return false;
}

/* The attribute of that item, NULL. */
static const char *item_value(const struct xml_node *node, const struct item *item)
{
    for (size_t i = 0; i < node->attribute_count; i++)
        if (same(node->attributes[i].name, item->name, item->name_len))
            return node->attributes[i].value;
    return NULL;
}

static bool check_attributes(const struct schema_element *element, const struct xml_node *node, char *error_r,
                             size_t size)
{
    const char *list = element->attributes;
    struct item item;

    for (size_t i = 0; i < node->attribute_count; i++) {
        if (!known_attribute(element->attributes, node->attributes[i].name)) {
            snprintf(error_r, size, "element %s: unknown attribute %.60s", node->name,
                     node->attributes[i].name);
            return false;
        }
    }
    while (next_item(&list, &item)) {
        const char *value = item_value(node, &item);

        if (value == NULL && item.optional)
            continue;
        if (value == NULL || !valid_value(value, &item)) {
            snprintf(error_r, size, "element %s: attribute %.*s %s", node->name, (int)item.name_len,
                     item.name, value == NULL ? "is missing" : "has a value that is not allowed");
            return false;
        }
    }
    return true;
}

static bool check_text(const struct schema_element *element, const struct xml_node *node, char *error_r,
                       size_t size)
{
    if (element->text == SCHEMA_TEXT || (element->text == SCHEMA_EMPTY && xml_blank(node->text)) ||
        (element->text == SCHEMA_BASE64 && node->text[strspn(node->text, BASE64)] == '\0'))
        return true;
    snprintf(error_r, size, "element %s: %s", node->name,
             element->text == SCHEMA_EMPTY ? "text is not allowed here" : "not base64");
    return false;
}

bool schema_check_own(const struct schema_element *element, const struct xml_node *node, char *error_r,
                      size_t size)
{
    return check_attributes(element, node, error_r, size) && check_text(element, node, error_r, size);
}

static bool check_children(const struct schema_element *element, const struct xml_node *node, char *error_r,
                           size_t size)
{
    const struct xml_node *child = node->children;

    for (const struct schema_child *slot = element->children; slot != NULL && slot->element != NULL; slot++) {
        size_t count = 0;

        while (child != NULL && xml_is(child, slot->element->name) &&
               (count == 0 || slot->times == '*' || slot->times == '+')) {
            if (!schema_check(slot->element, child, error_r, size))
                return false;
            child = child->next;
            count++;
        }
        if (count == 0 && (slot->times == '1' || slot->times == '+')) {
            snprintf(error_r, size, "element %s: element %s is missing or not in its place", node->name,
                     slot->element->name);
            return false;
        }
    }
    if (child != NULL)
        snprintf(error_r, size, "element %s: element %.60s is not allowed here", node->name, child->name);
    return child == NULL;
}

bool schema_check(const struct schema_element *element, const struct xml_node *node, char *error_r,
                  size_t size)
{
    const char *wrong;

    if (!xml_is(node, element->name)) {
        snprintf(error_r, size, "element %.60s where %s belongs", node->name, element->name);
        return false;
    }
    if (!schema_check_own(element, node, error_r, size) || !check_children(element, node, error_r, size))
        return false;
    wrong = element->check != NULL ? element->check(node) : NULL;
    if (wrong != NULL)
        snprintf(error_r, size, "element %s: %s", node->name, wrong);
    return wrong == NULL;
}

const struct schema_operation *schema_find(const char *role, const char *operation)
{
    for (const struct schema_operation *o = schema_operations; o->name != NULL; o++)
        if (strcmp(o->name, operation) == 0 && (o->role == NULL || strcmp(o->role, role) == 0))
            return o;
    return NULL;
}
