/* Content-Type as every reader understands it (RFC 2045 5.1 without the liberties that it, RFC 822 and RFC
   2231 allow, and without what some readers forgive). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/header.h"

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Of a type or an unquoted value (RFC 6838 4.2): fewer than RFC 2045 allows in a token. */
static bool is_token_char(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$&-^_.+", c) != NULL);
}

/* `more`: further characters that may stand in it. */
static bool skip_token(const char **p, const char *more)
{
    const char *start = *p;

    while (is_token_char(**p) || (**p != '\0' && strchr(more, **p) != NULL))
        (*p)++;
    return *p > start;
}

static void skip_blanks(const char **p)
{
    *p += strspn(*p, " \t");
}

static bool skip_quoted(const char **p)
{
    for ((*p)++; **p >= ' ' && **p < 0x7f && **p != '"' && **p != '\\';)
        (*p)++;
    return *(*p)++ == '"';
}

/* Blanks at its ends and brackets are dropped by some, others decode it; the length is that of RFC
 * 2046 5.1.1. */
static bool boundary_plain(const char *value, size_t len)
{
    if (*value == '"') {
        value++;
        len -= 2;
    }
    if (len == 0 || len > 70 || value[0] == ' ' || value[len - 1] == ' ' || value[0] == '<')
        return false;
    for (size_t i = 0; i + 1 < len; i++)
        if (value[i] == '=' && value[i + 1] == '?')
            return false;
    return true;
}

/* name=value, or name="value". Some programs do not quote the slash in the protocol of multipart/signed; no
   reader loses the boundary over it. */
static bool take_param(const char **p)
{
    const char *name = *p, *value;
    bool boundary = strncasecmp(name, "boundary", 8) == 0, protocol = strncasecmp(name, "protocol=", 9) == 0;

    if (!skip_token(p, "*") || **p != '=' || (boundary && *p - name != 8))
        return false;
    value = ++*p;
    if (!(*value == '"' ? skip_quoted(p) : skip_token(p, value[-2] == '*' ? "'%" : protocol ? "/" : "")))
        return false;
    return !boundary || boundary_plain(value, (size_t)(*p - value));
}

static bool value_plain(const char *p)
{
    if (!skip_token(&p, "") || *p++ != '/' || !skip_token(&p, ""))
        return false;
    for (;;) {
        skip_blanks(&p);
        if (*p == '\0')
            return true;
        if (*p++ != ';')
            return false;
        skip_blanks(&p);
        if (*p == '\0')
            return true;
        if (!take_param(&p))
            return false;
    }
}

/* Some take the first, others the last; some look for "boundary=" instead of taking the field apart. */
static bool names_boundary_twice(const char *value)
{
    unsigned int count = 0;

    for (; *value != '\0'; value++) {
        const char *behind = value + 8;

        if (strncasecmp(value, "boundary", 8) != 0)
            continue;
        skip_blanks(&behind);
        count += *behind == '=' || *behind == '*';
    }
    return count > 1;
}

/* The colon directly behind the name; no line of blanks only, which ends the header for some; no controls. */
static bool octets_plain(const struct header *header, const struct header_field *field)
{
    bool blank = true;

    if (field->value_start != field->start + field->name_len + 1)
        return false;
    for (size_t i = field->start; i < field->end; i++) {
        unsigned char c = header->data[i];

        if (c == '\n' && blank)
            return false;
        if (c >= 0x7f || (c < ' ' && c != '\t' && c != '\n' && c != '\r'))
            return false;
        if (c == '\n')
            blank = true;
        else if (c > ' ')
            blank = false;
    }
    return true;
}

bool header_typed_plain(const struct header *header, size_t index)
{
    char *value;
    bool plain;

    if (!octets_plain(header, &header->fields[index]))
        return false;
    value = header_value(header, index);
    plain = value_plain(value) && !names_boundary_twice(value);
    free(value);
    return plain;
}
