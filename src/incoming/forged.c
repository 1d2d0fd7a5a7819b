#include "incoming/forged.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/buf.h"

#define OWN     "X-JULIA-"
#define RESULTS "Authentication-Results"

#define NAME_MAX_SEEN 40 /* octets of a field's name that tell */
#define NAME_PLACE                                                                                           \
    256 /* ... which stand among the first so many, blanks and all: a field may have many CRs */

static bool begins(const char *text, const char *with)
{
    return strncasecmp(text, with, strlen(with)) == 0;
}

/* Blanks, line ends, and control characters, which mean nothing and which some readers drop. */
static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}

/* The name as the most forgiving reader would see it: all blanks dropped, folded or not; a folded line has
   none. *len_r: where its colon stands, or where looking for it ended. */
static void take_name(const char *field, size_t len, char name_r[NAME_MAX_SEEN + 1], size_t *len_r)
{
    size_t n = 0, at = 0;

    if (len > 0 && (field[0] == ' ' || field[0] == '\t'))
        len = 0;
    for (; at < len && at < NAME_PLACE && field[at] != ':'; at++)
        if (!is_blank(field[at]) && n < NAME_MAX_SEEN)
            name_r[n++] = field[at];
    name_r[n] = '\0';
    *len_r = at;
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
    if (id.len > 0 && id.data[id.len - 1] == '.') /* the root of the DNS: the same name */
        id.data[--id.len] = '\0';
    ours = strcasecmp(buf_text(&id), authserv_id) == 0;
    buf_free(&id);
    return ours;
}

/* Is the value behind the colon at `at` one of our results? */
static bool is_ours(const char *field, size_t len, size_t at, const char *authserv_id)
{
    struct buf value = {0};
    bool ours;

    if (at == len || field[at] != ':')
        return false;
    for (at++; at < len; at++)
        buf_add_char(&value, field[at] == '\0' ? ' ' : field[at]);
    ours = is_our_id(buf_text(&value), authserv_id);
    buf_free(&value);
    return ours;
}

bool forged_field(const char *field, size_t len, const char *authserv_id)
{
    char name[NAME_MAX_SEEN + 1];
    size_t at;

    take_name(field, len, name, &at);
    if (begins(name, OWN) || (strcasecmp(name, RESULTS) == 0 && is_ours(field, len, at, authserv_id)))
        return true;
    for (size_t i = 0; i + 1 < len; i++)
        if (field[i] == '\r' && field[i + 1] != '\n' && field[i + 1] != '\r') {
            take_name(field + i + 1, len - i - 1, name, &at);
            if (begins(name, OWN) || begins(name, RESULTS))
                return true;
        }
    return false;
}
