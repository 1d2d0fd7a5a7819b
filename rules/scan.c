#include "rules/scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/buf.h"
#include "util/mem.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

char scan_peek(const struct scan *scan)
{
    return scan->place.text[scan->place.at];
}

void scan_blanks(struct scan *scan)
{
    while (is_blank(scan_peek(scan)))
        scan->place.at++;
}

bool scan_at_end(struct scan *scan)
{
    scan_blanks(scan);
    return scan_peek(scan) == '\0' || scan_peek(scan) == '#';
}

/* Length of "(letters)" at `at`, its letters in *name_r. 0: none. */
static size_t keyword_length(const char *at, const char **name_r, size_t *len_r)
{
    const char *from = at;
    if (*at++ != '(')
        return 0;
    while (is_blank(*at))
        at++;
    *name_r = at;
    while (isalpha((unsigned char)*at))
        at++;
    *len_r = (size_t)(at - *name_r);
    while (is_blank(*at))
        at++;
    return *at == ')' && *len_r ? (size_t)(at + 1 - from) : 0;
}

/* Some "(letters)" begins at octet `at`. */
static bool keyword_ahead(const struct scan *scan, size_t at)
{
    const char *name;
    size_t len;
    return keyword_length(scan->place.text + at, &name, &len) != 0;
}

/* Length of "(NAME)" at the reading position; 0: something else is there. */
static size_t keyword_here(const struct scan *scan, const char *name)
{
    const char *found;
    size_t len;
    size_t length = keyword_length(scan->place.text + scan->place.at, &found, &len);
    return length && len == strlen(name) && strncasecmp(found, name, len) == 0 ? length : 0;
}

bool scan_keyword(struct scan *scan, const char *name)
{
    size_t length = keyword_here(scan, name);
    scan->place.at += length;
    return length != 0;
}

char *scan_text(struct scan *scan)
{
    scan_blanks(scan);
    size_t from = scan->place.at;
    while (scan_peek(scan) && !keyword_here(scan, "if") && !keyword_here(scan, "do"))
        scan->place.at++;
    size_t end = scan->place.at;
    while (end > from && is_blank(scan->place.text[end - 1]))
        end--;
    return mem_strndup(scan->place.text + from, end - from);
}

/* Behind the quoted part that begins at `at`; the line's end when it never ends. */
static const char *quoted_end(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (at[0] == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

static char *take(struct scan *scan, const char *end)
{
    const char *from = scan->place.text + scan->place.at;
    scan->place.at += (size_t)(end - from);
    return mem_strndup(from, (size_t)(end - from));
}

static char *scan_expression(struct scan *scan)
{
    size_t from = scan->place.at;
    const char *at = scan->place.text + from + 1;
    while (*at && *at != '/')
        at += at[0] == '\\' && at[1] ? 2 : 1;
    if (*at == '\0') {
        scan_fault(scan, from, "the regular expression has no closing slash");
        return NULL;
    }
    at++;
    if (*at && !is_blank(*at) && *at != '(') {
        scan_fault(scan, (size_t)(at - scan->place.text),
                   "text behind the closing slash; a slash inside an expression is written \\/");
        return NULL;
    }
    return take(scan, at);
}

char *scan_pattern(struct scan *scan, bool *missing_r)
{
    scan_blanks(scan);
    *missing_r = scan_peek(scan) == '\0' || keyword_ahead(scan, scan->place.at);
    if (*missing_r)
        return NULL;
    if (scan_peek(scan) == '/')
        return scan_expression(scan);
    size_t from = scan->place.at;
    const char *at = scan->place.text + from;
    while (*at && !is_blank(*at) && !keyword_ahead(scan, (size_t)(at - scan->place.text))) {
        if (*at != '"') {
            at++;
            continue;
        }
        at = quoted_end(at);
        if (at[-1] != '"') {
            scan_fault(scan, from, "a quotation mark is missing");
            return NULL;
        }
    }
    return take(scan, at);
}

char *scan_word(struct scan *scan, char stop)
{
    const char *at = scan->place.text + scan->place.at;
    bool bracket = false;
    while (*at && (bracket || (!is_blank(*at) && *at != ',' && (stop == '\0' || *at != stop)))) {
        bracket = *at == '[' || (bracket && *at != ']');
        at = *at == '"' ? quoted_end(at) : at + 1;
    }
    return take(scan, at);
}

char *scan_quoted(struct scan *scan)
{
    size_t from = scan->place.at;
    const char *at = scan->place.text + from, *end = quoted_end(at);
    struct buf text = {0};
    if (end == at + 1 || end[-1] != '"') {
        scan_fault(scan, from, "the closing quotation mark is missing");
        return NULL;
    }
    for (at++; at < end - 1; at++) {
        if (at[0] == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        buf_add_char(&text, *at);
    }
    scan->place.at = (size_t)(end - scan->place.text);
    return text.data ? buf_take(&text) : mem_strdup("");
}

void scan_fault(struct scan *scan, size_t at, const char *format, ...)
{
    struct fault_place place = scan->place;
    va_list ap;
    place.at = at;
    va_start(ap, format);
    fault_vadd(scan->faults, &place, "error", format, ap);
    va_end(ap);
}
