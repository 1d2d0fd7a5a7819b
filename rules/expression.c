#include "rules/expression.h"

#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

/* Expressions see characters, not octets, whatever the environment's locale is. */
static locale_t utf8_locale(void)
{
    static locale_t locale;
    if (!locale)
        locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return locale; /* 0 where the system lacks it: uselocale(0) changes nothing, octets then */
}

/* Behind the bracket expression that begins at `at` ('['), or NULL when it does not end. */
static const char *bracket_end(const char *at)
{
    at++;
    if (*at == '^')
        at++;
    if (*at == ']')
        at++;
    for (; *at && *at != ']'; at++) {
        if (at[0] == '[' && at[1] && strchr(":.=", at[1])) {
            const char close[3] = {at[1], ']', '\0'};
            const char *end = strstr(at + 2, close);
            if (!end)
                return NULL;
            at = end + 1;
        }
    }
    return *at ? at + 1 : NULL;
}

/* The larger bound of "{n}", "{n,}", "{n,m}" at `at`. */
static unsigned long repeats_at(const char *at)
{
    char *end;
    unsigned long bound = strtoul(at + 1, &end, 10);
    if (*end == ',' && isdigit((unsigned char)end[1]))
        bound = strtoul(end + 1, &end, 10);
    return bound ? bound : 1;
}

/* What would make the expression expensive; static text or NULL. */
static const char *costly(const char *text)
{
    unsigned long repeats = 1;
    for (const char *at = text; at && *at;) {
        if (at[0] == '\\' && at[1] >= '1' && at[1] <= '9')
            return "back-references are not possible";
        if (*at == '{' && isdigit((unsigned char)at[1])) {
            unsigned long bound = repeats_at(at);
            if (bound > EXPRESSION_REPEATS || repeats * bound > EXPRESSION_REPEATS)
                return "the expression repeats too much: all {n,m} together may make 1000";
            repeats *= bound;
        }
        at = *at == '[' ? bracket_end(at) : at[0] == '\\' && at[1] ? at + 2 : at + 1;
    }
    return NULL;
}

static regex_t *compile(const char *text, char **error_r)
{
    regex_t *regex = mem_alloc(sizeof *regex);
    locale_t before = uselocale(utf8_locale());
    int code = regcomp(regex, text, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    uselocale(before);
    if (code == 0)
        return regex;
    char reason[200];
    regerror(code, regex, reason, sizeof reason);
    *error_r = mem_printf("not an extended regular expression: %s", reason);
    free(regex);
    return NULL;
}

regex_t *expression_compile(const char *text, char **error_r)
{
    const char *refusal = *text == '\0'                   ? "the expression is empty"
                          : strlen(text) > EXPRESSION_MAX ? "the expression is too long (500 octets)"
                                                          : costly(text);
    if (refusal) {
        *error_r = mem_strdup(refusal);
        return NULL;
    }
    /* Alone first: "a)(b" is wrong although "^(a)(b)$" is not. */
    regex_t *alone = compile(text, error_r);
    if (!alone)
        return NULL;
    expression_free(alone);
    char *anchored = mem_printf("^(%s)$", text);
    regex_t *regex = compile(anchored, error_r);
    free(anchored);
    return regex;
}

void expression_free(regex_t *regex)
{
    if (regex)
        regfree(regex);
    free(regex);
}

bool expression_matches(const regex_t *regex, const char *address)
{
    locale_t before = uselocale(utf8_locale());
    int code = regexec(regex, address, 0, NULL, 0);
    uselocale(before);
    return code == 0;
}

const char *expression_suspicion(const char *text)
{
    bool wild = strchr(text, '@') != NULL;
    for (const char *at = text; at && *at;) {
        if (*at == '.')
            wild = true;
        if (*at == '.' && at > text && isalnum((unsigned char)at[-1]) && isalnum((unsigned char)at[1]))
            return "'.' stands for any character here, write \\. for a dot";
        if (*at == '[' || *at == '\\')
            wild = wild || *at == '[' || isalpha((unsigned char)at[1]);
        at = *at == '[' ? bracket_end(at) : at[0] == '\\' && at[1] ? at + 2 : at + 1;
    }
    return wild ? NULL
                : "an expression is compared with the whole address, this one has no place for the '@'";
}
