#include "rules/pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "rules/expression.h"
#include "rules/idn.h"
#include "util/buf.h"
#include "util/mem.h"

/* Octets that a domain name never has and an expression or a wildcard often does. */
static const char EXPRESSION_OCTETS[] = "*^$?+|()[]{}\\";

#define EXPRESSION_HINT                                                                                      \
    "an expression stands between slashes and is compared with the whole address: "                          \
    "/.*@partner-[0-9]+\\.example/"

static bool has_domain_octets_only(const char *domain)
{
    for (; *domain; domain++)
        if (!isalnum((unsigned char)*domain) && !strchr("-_.", *domain) && (unsigned char)*domain < 0x80)
            return false;
    return true;
}

static char *domain_fault(const char *word)
{
    size_t len = strlen(word);
    if (word[strcspn(word, EXPRESSION_OCTETS)] != '\0')
        return mem_printf("\"%s\" is no domain; " EXPRESSION_HINT, word);
    if (word[len - 1] == '.')
        return mem_printf("\"%s\" ends in a dot; write the domain without it", word);
    if (strstr(word, ".."))
        return mem_printf("\"%s\" has two dots without anything between them", word);
    if (strpbrk(word, ",;"))
        return mem_printf("\"%s\": one pattern a line; write one line for each", word);
    return mem_printf("\"%s\" is neither an address nor a domain", word);
}

static char *parse_domain(struct pattern *pattern, const char *word)
{
    const char *domain = word;
    if (*domain == '.') {
        pattern->kind = PATTERN_BELOW;
        domain++;
    } else {
        pattern->kind = PATTERN_DOMAIN;
    }
    size_t len = strlen(domain);
    if (len && domain[0] != '.' && domain[len - 1] != '.' && has_domain_octets_only(domain))
        pattern->text = address_domain_ascii(domain);
    return pattern->text ? NULL : domain_fault(word);
}

static char *parse_address(struct pattern *pattern, const char *word)
{
    if (word[0] == '@')
        return mem_printf("\"%s\" has nothing before the '@'; a whole domain is written %s", word, word + 1);
    size_t len = strlen(word);
    if (word[len - 1] == '@')
        return mem_printf("\"%s\" has no domain behind the '@'", word);
    if (word[len - 1] == '.')
        return mem_printf("\"%s\" ends in a dot; write the domain without it", word);
    if (word[0] == '<')
        return mem_printf("\"%s\": write the address without < and >", word);
    const char *domain = address_domain(word);
    if (domain[0] != '[' && domain[strcspn(domain, EXPRESSION_OCTETS)] != '\0')
        return mem_printf("\"%s\" is no address; " EXPRESSION_HINT, word);
    pattern->kind = PATTERN_ADDRESS;
    if (address_valid(word, false) && (domain[0] == '[' || has_domain_octets_only(domain)))
        pattern->text = address_normalise(word);
    return pattern->text ? NULL : mem_printf("\"%s\" is not a mail address", word);
}

/* "/.../" without its slashes, \/ made /. */
static char *parse_expression(struct pattern *pattern, const char *word)
{
    struct buf text = {0};
    size_t len = strlen(word) - 1; /* of everything but the closing slash */
    for (size_t i = 1; i < len; i++) {
        if (word[i] == '\\' && word[i + 1] == '/')
            i++;
        buf_add_char(&text, word[i]);
    }
    pattern->kind = PATTERN_REGEX;
    pattern->text = buf_take(&text);
    char *error = NULL;
    pattern->regex = expression_compile(pattern->text, &error);
    return error;
}

char *pattern_parse(struct pattern *pattern, const char *word)
{
    size_t len = strlen(word);
    if (strcmp(word, ".") == 0) {
        pattern->kind = PATTERN_ANYONE;
        return NULL;
    }
    if (strcmp(word, "<>") == 0) {
        pattern->kind = PATTERN_NULL;
        return NULL;
    }
    if (len > ADDRESS_MAX)
        return mem_printf("the pattern is longer than any address (%d octets)", ADDRESS_MAX);
    if (len > 1 && word[0] == '/' && word[len - 1] == '/')
        return parse_expression(pattern, word);
    return strchr(word, '@') ? parse_address(pattern, word) : parse_domain(pattern, word);
}

void pattern_free(struct pattern *pattern)
{
    free(pattern->text);
    expression_free(pattern->regex);
}

static char *with_unicode_domain(const char *normal)
{
    const char *domain = address_domain(normal);
    char *unicode = idn_domain_unicode(domain);
    if (!unicode)
        return NULL;
    char *address = mem_printf("%.*s%s", (int)(domain - normal), normal, unicode);
    free(unicode);
    return address;
}

void pattern_subject_init(struct pattern_subject *subject, const char *address)
{
    memset(subject, 0, sizeof *subject);
    subject->null_sender = *address == '\0';
    if (subject->null_sender)
        return;
    subject->normal = address_normalise(address);
    if (subject->normal) {
        subject->unicode = with_unicode_domain(subject->normal);
        return;
    }
    subject->raw = mem_strdup(address);
    for (char *at = subject->raw; *at; at++)
        if ((unsigned char)*at >= 0x80 || (unsigned char)*at < 0x20)
            *at = '?';
}

void pattern_subject_free(struct pattern_subject *subject)
{
    free(subject->normal);
    free(subject->unicode);
    free(subject->raw);
    memset(subject, 0, sizeof *subject);
}

/* `domain` is `text` or below it. */
static bool is_below(const char *domain, const char *text)
{
    size_t len = strlen(domain), tail = strlen(text);
    return len >= tail && strcmp(domain + len - tail, text) == 0 &&
           (len == tail || domain[len - tail - 1] == '.');
}

static bool regex_matches(const struct pattern *pattern, const struct pattern_subject *subject)
{
    const char *forms[] = {subject->normal, subject->unicode, subject->raw};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i] && expression_matches(pattern->regex, forms[i]))
            return true;
    return false;
}

/* PATTERN_ADDRESS, PATTERN_DOMAIN, PATTERN_BELOW against a normalised address. */
static bool name_matches(const struct pattern *pattern, const char *normal)
{
    if (pattern->kind == PATTERN_ADDRESS)
        return strcmp(normal, pattern->text) == 0;
    const char *domain = address_domain(normal);
    return pattern->kind == PATTERN_BELOW ? is_below(domain, pattern->text)
                                          : strcmp(domain, pattern->text) == 0;
}

bool pattern_matches(const struct pattern *pattern, const struct pattern_subject *subject)
{
    if (pattern->kind == PATTERN_ANYONE)
        return true;
    if (pattern->kind == PATTERN_NULL || subject->null_sender)
        return pattern->kind == PATTERN_NULL && subject->null_sender;
    if (pattern->kind == PATTERN_REGEX)
        return regex_matches(pattern, subject);
    return subject->normal && name_matches(pattern, subject->normal);
}

static bool regex_covers(const struct pattern *a, const char *normal)
{
    struct pattern_subject subject;
    pattern_subject_init(&subject, normal);
    bool covers = regex_matches(a, &subject);
    pattern_subject_free(&subject);
    return covers;
}

bool pattern_covers(const struct pattern *a, const struct pattern *b)
{
    if (a->kind == PATTERN_ANYONE)
        return true;
    if (a->kind == b->kind && a->kind != PATTERN_BELOW)
        return a->kind == PATTERN_NULL || strcmp(a->text, b->text) == 0;
    if (b->kind == PATTERN_ADDRESS && a->kind != PATTERN_NULL)
        return a->kind == PATTERN_REGEX ? regex_covers(a, b->text) : name_matches(a, b->text);
    return a->kind == PATTERN_BELOW && (b->kind == PATTERN_DOMAIN || b->kind == PATTERN_BELOW) &&
           is_below(b->text, a->text);
}

bool pattern_disjoint(const struct pattern *a, const struct pattern *b)
{
    if (pattern_covers(a, b) || pattern_covers(b, a))
        return false;
    if (a->kind != PATTERN_REGEX && b->kind != PATTERN_REGEX)
        return true; /* addresses, domains and subtrees contain each other or have nothing in common */
    return a->kind == PATTERN_ADDRESS || b->kind == PATTERN_ADDRESS || a->kind == PATTERN_NULL ||
           b->kind == PATTERN_NULL;
}

const char *pattern_suspicion(const struct pattern *pattern)
{
    if (pattern->kind == PATTERN_REGEX)
        return expression_suspicion(pattern->text);
    if (pattern->kind == PATTERN_ADDRESS) {
        size_t local = (size_t)(address_domain(pattern->text) - pattern->text);
        if (strcspn(pattern->text, "*^$|?\\") < local)
            return "this looks like an expression, but is compared as it stands; expressions are written "
                   "between slashes";
    }
    if (pattern->kind == PATTERN_DOMAIN && !strchr(pattern->text, '.') &&
        strcmp(pattern->text, "localhost") != 0)
        return "a domain of one word: is the part behind the dot missing?";
    return NULL;
}
