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

/* The larger bound of "{n}", "{n,}", "{n,m}", "{,m}" at `at`; 0: no interval. */
static unsigned long repeats_at(const char *at)
{
    if (at[0] != '{' || (!isdigit((unsigned char)at[1]) && at[1] != ','))
        return 0;
    char *end;
    unsigned long bound = strtoul(at + 1, &end, 10);
    if (*end == ',' && isdigit((unsigned char)end[1]))
        bound = strtoul(end + 1, &end, 10);
    return bound < 1 ? 1 : bound > EXPRESSION_SIZE ? EXPRESSION_SIZE + 1 : bound;
}

/* Behind one atom that is no group; its end when the text ends. */
static const char *atom_end(const char *at)
{
    if (*at == '[') {
        const char *end = bracket_end(at);
        return end ? end : at + strlen(at);
    }
    return at[0] == '\\' && at[1] ? at + 2 : at + 1;
}

/* What glibc's compiler makes of a part of an expression. */
struct extent {
    unsigned long atoms;  /* with the copies that "+" and "{n,m}" cause; saturates above EXPRESSION_SIZE */
    unsigned int repeats; /* repetitions within repetitions: time grows exponentially with them */
    bool idle;            /* a repetition of nothing, which glibc skips silently */
};

/* Measures the text up to the ')' that closes this level, or to the end. */
static struct extent measure(const char **at, unsigned int depth)
{
    struct extent all = {0}, last = {0};
    while (**at && **at != ')' && all.atoms <= EXPRESSION_SIZE) {
        unsigned long copies = **at == '+' ? 2 : **at == '*' || **at == '?' ? 1 : repeats_at(*at);
        if (copies) {
            all.idle = all.idle || last.atoms == 0;
            all.atoms += last.atoms * (copies - 1);
            last.atoms *= copies;
            last.repeats++;
            (*at)++;
        } else if (**at == '(') {
            (*at)++;
            last =
                depth < EXPRESSION_DEPTH ? measure(at, depth + 1) : (struct extent){.atoms = EXPRESSION_SIZE};
            all.atoms += ++last.atoms;
            *at += **at == ')';
        } else {
            last = (struct extent){.atoms = **at != '|' && **at != '^'};
            all.atoms++;
            *at = atom_end(*at);
        }
        if (last.repeats > all.repeats)
            all.repeats = last.repeats;
        all.idle = all.idle || last.idle;
    }
    return all;
}

/* What makes the expression expensive, or something else than it seems; static text or NULL. */
static const char *refusal_of(const char *text)
{
    for (const char *at = text; *at; at = atom_end(at))
        if (at[0] == '\\' && at[1] >= '1' && at[1] <= '9')
            return "back-references are not possible";
    const char *at = text;
    struct extent extent = measure(&at, 0);
    if (extent.atoms > EXPRESSION_SIZE || extent.repeats > EXPRESSION_REPEATS)
        return "the expression repeats too much (1000 characters when written out, 3 repetitions within each "
               "other)";
    if (extent.idle)
        return "a repetition (* + ? {}) of nothing; any number of any characters is written .*";
    if (*at == ')') /* glibc takes it for a character, and then it would close our own group */
        return "a ')' without its '('; write \\) for a parenthesis";
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
                                                          : refusal_of(text);
    if (refusal) {
        *error_r = mem_strdup(refusal);
        return NULL;
    }
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
    for (const char *at = text; *at;) {
        if (*at == '.')
            wild = true;
        if (*at == '.' && at > text && isalnum((unsigned char)at[-1]) && isalnum((unsigned char)at[1]))
            return "'.' stands for any character here, write \\. for a dot";
        if (*at == '[' || *at == '\\')
            wild = wild || *at == '[' || isalpha((unsigned char)at[1]);
        at = atom_end(at);
    }
    return wild ? NULL
                : "an expression is compared with the whole address, this one has no place for the '@'";
}
