/* Structured values with parameters (RFC 2045 5.1), continuations and charsets in them (RFC 2231). */
#include <stdlib.h>
#include <string.h>

#include "mail/charset.h"
#include "mail/header.h"
#include "util/base64.h"
#include "util/mem.h"

#define PARAMS_MAX   100 /* real fields have less than ten */
#define SEGMENTS_MAX 100 /* of one parameter, RFC 2231 3 */

/* One parameter as written: "filename*1*" is name "filename", segment 1, extended. */
struct raw_param {
    char *name;
    struct buf value;
    int segment;   /* -1: no continuation */
    bool extended; /* percent-encoded, with charset in the first segment */
};

struct raw_list {
    struct raw_param *items;
    size_t count;
};

static void skip_comment(const char **p)
{
    unsigned int depth = 0;

    for (; **p != '\0'; (*p)++) {
        if (**p == '\\' && (*p)[1] != '\0') {
            (*p)++;
        } else if (**p == '(') {
            depth++;
        } else if (**p == ')' && --depth == 0) {
            (*p)++;
            return;
        }
    }
}

static void skip_blanks(const char **p)
{
    for (;;) {
        if (**p == '(')
            skip_comment(p);
        else if (**p == ' ' || **p == '\t' || **p == '\r' || **p == '\n')
            (*p)++;
        else
            return;
    }
}

static bool ends_token(char c)
{
    return c == '\0' || strchr(" \t\r\n;(\"", c) != NULL;
}

/* Reads up to one of `stop` or what ends every token, in lower case. */
static void take_lower(const char **p, const char *stop, struct buf *out)
{
    for (; !ends_token(**p) && strchr(stop, **p) == NULL; (*p)++)
        buf_add_char(out, (char)(**p >= 'A' && **p <= 'Z' ? **p + 32 : **p));
}

/* A quoted string, or everything up to a blank or semicolon: '=' and '/' are common in unquoted boundaries.
 */
static void take_value(const char **p, struct buf *out)
{
    if (**p != '"') {
        for (; !ends_token(**p); (*p)++)
            buf_add_char(out, **p);
        return;
    }
    for ((*p)++; **p != '\0' && **p != '"'; (*p)++) {
        if (**p == '\\' && (*p)[1] != '\0')
            (*p)++;
        buf_add_char(out, **p);
    }
    if (**p == '"')
        (*p)++;
}

/* Splits "name*1*" (RFC 2231 4.1). */
static void split_name(struct raw_param *param)
{
    char *star = strchr(param->name, '*');
    char *rest;

    param->segment = -1;
    if (star == NULL)
        return;
    rest = star + 1;
    if (*rest == '\0') {
        param->extended = true;
        *star = '\0';
        return;
    }
    if (rest[strspn(rest, "0123456789")] != '\0' && strcmp(rest + strspn(rest, "0123456789"), "*") != 0)
        return;
    if (strspn(rest, "0123456789") == 0 || strspn(rest, "0123456789") > 3)
        return;
    param->segment = atoi(rest);
    param->extended = rest[strlen(rest) - 1] == '*';
    *star = '\0';
}

static void take_param(const char **p, struct raw_list *list)
{
    struct buf name = {0}, value = {0};
    struct raw_param *param;

    take_lower(p, "=", &name);
    skip_blanks(p);
    if (**p == '=') {
        (*p)++;
        skip_blanks(p);
        take_value(p, &value);
    }
    if (name.len > 0 && list->count < PARAMS_MAX + SEGMENTS_MAX) {
        param = mem_push(&list->items, &list->count, sizeof(*param));
        param->name = buf_take(&name);
        param->value = value;
        memset(&value, 0, sizeof(value));
        split_name(param);
    }
    buf_free(&name);
    buf_free(&value);
}

static void take_params(const char *p, struct raw_list *list)
{
    while (*p != '\0') {
        p += strcspn(p, ";\"(");
        if (*p == '"') { /* junk in quotes between parameters */
            struct buf junk = {0};

            take_value(&p, &junk);
            buf_free(&junk);
        } else if (*p == '(') {
            skip_comment(&p);
        } else if (*p == ';') {
            p++;
            skip_blanks(&p);
            if (*p != ';')
                take_param(&p, list);
        }
    }
}

static void percent_decode(const char *text, struct buf *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '%' && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0) {
            buf_add_char(out, (char)(hex_digit(text[1]) * 16 + hex_digit(text[2])));
            text += 2;
        } else {
            buf_add_char(out, *text);
        }
    }
}

/* Takes "charset'language'" off an extended value. */
static const char *take_charset(const char *value, char **charset)
{
    const char *first = strchr(value, '\'');
    const char *second = first == NULL ? NULL : strchr(first + 1, '\'');

    if (second == NULL)
        return value;
    *charset = mem_strndup(value, (size_t)(first - value));
    return second + 1;
}

static const struct raw_param *find_segment(const struct raw_list *list, const char *name, int segment)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].segment == segment && strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

/* The whole value of the parameter whose first piece is `first`. NUL octets from %00 become blanks. */
static char *join(const struct raw_list *list, const struct raw_param *first)
{
    struct buf octets = {0}, text = {0};
    const struct raw_param *piece = first;
    char *charset = NULL;

    for (int n = first->segment; piece != NULL; piece = n < 0 ? NULL : find_segment(list, first->name, ++n)) {
        const char *value = buf_text(&piece->value);

        if (piece->extended && piece == first)
            value = take_charset(value, &charset);
        if (piece->extended)
            percent_decode(value, &octets);
        else
            buf_add_text(&octets, value);
    }
    for (size_t i = 0; i < octets.len; i++)
        if (octets.data[i] == '\0')
            octets.data[i] = ' ';
    if (charset == NULL || !charset_to_utf8(charset, octets.data, octets.len, &text))
        buf_add(&text, buf_text(&octets), octets.len);
    free(charset);
    buf_free(&octets);
    return buf_take(&text);
}

/* Did the same piece of the same parameter come before, and say something else? (Exchange writes some twice.)
 */
static bool is_repeated(const struct raw_list *list, size_t index)
{
    const struct raw_param *raw = &list->items[index];

    for (size_t i = 0; i < index; i++)
        if (list->items[i].segment == raw->segment && list->items[i].extended == raw->extended &&
            strcmp(list->items[i].name, raw->name) == 0 &&
            strcmp(buf_text(&list->items[i].value), buf_text(&raw->value)) != 0)
            return true;
    return false;
}

/* The first of several parameters of one name counts; an extended form beats the plain one (RFC 2231 with a
 * fallback beside). */
static void add_params(struct header_typed *typed, const struct raw_list *list)
{
    for (size_t i = 0; i < list->count && typed->count < PARAMS_MAX; i++) {
        const struct raw_param *raw = &list->items[i];
        const struct raw_param *better = raw->extended ? NULL : find_segment(list, raw->name, 0);
        struct header_param *param;

        if (is_repeated(list, i))
            typed->repeated = true;
        if (raw->segment > 0 || header_typed_param(typed, raw->name) != NULL)
            continue;
        for (size_t k = i; better == NULL && !raw->extended && k < list->count; k++)
            if (list->items[k].extended && list->items[k].segment < 0 &&
                strcmp(list->items[k].name, raw->name) == 0)
                better = &list->items[k];
        param = mem_push(&typed->params, &typed->count, sizeof(*param));
        param->name = mem_strdup(raw->name);
        param->value = join(list, better != NULL ? better : raw);
    }
}

/* "type/subtype", or one token as in Content-Disposition. */
static char *take_type(const char **p)
{
    struct buf type = {0};

    skip_blanks(p);
    take_lower(p, "/", &type);
    skip_blanks(p);
    if (**p == '/') {
        size_t before = type.len;

        (*p)++;
        skip_blanks(p);
        buf_add_char(&type, '/');
        take_lower(p, "", &type);
        if (before == 0 || type.len == before + 1)
            buf_clear(&type);
    }
    return buf_take(&type);
}

void header_typed_parse(struct header_typed *typed, const char *value)
{
    struct raw_list list = {0};

    memset(typed, 0, sizeof(*typed));
    typed->value = take_type(&value);
    take_params(value, &list);
    add_params(typed, &list);
    for (size_t i = 0; i < list.count; i++) {
        free(list.items[i].name);
        buf_free(&list.items[i].value);
    }
    free(list.items);
}

const char *header_typed_param(const struct header_typed *typed, const char *name)
{
    for (size_t i = 0; i < typed->count; i++)
        if (strcmp(typed->params[i].name, name) == 0)
            return typed->params[i].value;
    return NULL;
}

void header_typed_free(struct header_typed *typed)
{
    for (size_t i = 0; i < typed->count; i++) {
        free(typed->params[i].name);
        free(typed->params[i].value);
    }
    free(typed->params);
    free(typed->value);
    memset(typed, 0, sizeof(*typed));
}
