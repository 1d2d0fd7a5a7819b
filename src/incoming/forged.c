#include "incoming/forged.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/buf.h"

#define OWN     "X-JULIA-"
#define RESULTS "Authentication-Results"

static bool begins(const char *text, size_t len, const char *with)
{
    size_t n = strlen(with);

    return len >= n && strncasecmp(text, with, n) == 0;
}

/* Blanks, line ends, and control characters, which mean nothing and which some readers drop. */
static bool is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

static void skip_blanks(const char **p)
{
    unsigned int depth = 0;

    for (; **p != '\0'; (*p)++) {
        if (**p == '(')
            depth++;
        else if (**p == ')' && depth > 0)
            depth--;
        else if (**p == '\\' && depth > 0 && (*p)[1] != '\0')
            (*p)++;
        else if (depth == 0 && !is_blank(**p))
            return;
    }
}

/* The authserv-id (RFC 8601 2.2: a token or quoted string, comments before it) equals ours. */
static bool is_our_id(const char *value, const char *authserv_id)
{
    struct buf id = {0};
    bool ours;

    skip_blanks(&value);
    if (*value == '"') {
        for (value++; *value != '\0' && *value != '"'; value++) {
            if (*value == '\\' && value[1] != '\0')
                value++;
            buf_add_char(&id, *value);
        }
    } else {
        while (!is_blank(*value) && *value != ';' && *value != '(')
            buf_add_char(&id, *value++);
    }
    ours = strcasecmp(buf_text(&id), authserv_id) == 0;
    buf_free(&id);
    return ours;
}

static bool is_results(const char *field, size_t len, const char *authserv_id)
{
    size_t at = strlen(RESULTS);
    struct buf value = {0};
    bool ours;

    if (!begins(field, len, RESULTS))
        return false;
    while (at < len && is_blank(field[at]))
        at++;
    if (at == len || field[at] != ':')
        return false;
    for (at++; at < len; at++)
        buf_add_char(&value, field[at] == '\0' ? ' ' : field[at]);
    ours = is_our_id(buf_text(&value), authserv_id);
    buf_free(&value);
    return ours;
}

static size_t count_controls(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && is_blank(text[n]) && memchr(" \t\r\n", text[n], 4) == NULL)
        n++;
    return n;
}

bool forged_field(const char *field, size_t len, const char *authserv_id)
{
    size_t at = count_controls(field, len);

    if (begins(field + at, len - at, OWN) || is_results(field + at, len - at, authserv_id))
        return true;
    for (size_t i = at; i + 1 < len; i++) {
        if (field[i] != '\r' || field[i + 1] == '\n')
            continue;
        at = i + 1 + count_controls(field + i + 1, len - i - 1);
        if (begins(field + at, len - at, OWN) || begins(field + at, len - at, RESULTS))
            return true;
    }
    return false;
}
