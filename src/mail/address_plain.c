/* A mailbox as every reader understands it (RFC 5322 3.4 without its obsolete forms, and less). */
#include <string.h>

#include "mail/address.h"
#include "util/buf.h"

/* Behind a quoted string or a comment; NULL: it does not end. */
static const char *behind_quoted(const char *p)
{
    for (p++; *p != '\0' && *p != '"'; p++)
        if (*p == '\\' && p[1] != '\0')
            p++;
    return *p == '\0' ? NULL : p + 1;
}

/* One inside another is taken apart by few. */
static const char *behind_comment(const char *p)
{
    for (p++; *p != '\0' && *p != ')' && *p != '('; p++)
        if (*p == '\\' && p[1] != '\0')
            p++;
    return *p == ')' ? p + 1 : NULL;
}

/* Behind "<address>"; NULL: something else stands there. */
static const char *behind_angle(const char *p, const char *address)
{
    size_t len = strlen(address);

    p += 1 + strspn(p + 1, " \t");
    if (strncmp(p, address, len) != 0)
        return NULL;
    p += len + strspn(p + len, " \t");
    return *p == '>' ? p + 1 : NULL;
}

/* Appends what stands outside of comments and "<address>", quoted strings as '"' alone. False: it is no
   single mailbox of these parts. */
static bool take_rest(const char *p, const char *address, struct buf *rest, bool *angle_r)
{
    *angle_r = false;
    while (p != NULL && *p != '\0') {
        if (*p == '<' && *angle_r)
            return false;
        if (*p == '"')
            buf_add_char(rest, '"');
        *angle_r = *angle_r || *p == '<';
        if (*p == '"')
            p = behind_quoted(p);
        else if (*p == '(')
            p = behind_comment(p);
        else if (*p == '<')
            p = behind_angle(p, address);
        else
            buf_add_char(rest, *p++);
    }
    return p != NULL;
}

/* "[EXT] Eva" is not allowed without quotes, but written; half of it makes some lose what follows. */
static bool brackets_pair(const char *text)
{
    bool open = false;

    for (; *text != '\0'; text++) {
        if (*text == (open ? '[' : ']'))
            return false;
        if (*text == '[' || *text == ']')
            open = !open;
    }
    return !open;
}

/* The address without "<>", behind comments at most; what stands behind it is blank or a comment. */
static bool begins_with(const char *p, const char *address)
{
    size_t len = strlen(address);

    while (p != NULL && (*p == ' ' || *p == '\t' || *p == '('))
        p = *p == '(' ? behind_comment(p) : p + 1;
    return p != NULL && strncmp(p, address, len) == 0 && (p[len] == '\0' || strchr(" \t(", p[len]) != NULL);
}

bool address_is_plain(const char *value, const char *address)
{
    struct buf rest = {0};
    bool angle, plain = take_rest(value, address, &rest, &angle);

    if (angle)
        plain = plain && strpbrk(buf_text(&rest), "@:;,>)\\") == NULL && brackets_pair(buf_text(&rest));
    else
        plain = plain && begins_with(value, address);
    buf_free(&rest);
    for (; plain && *value != '\0'; value++)
        plain = *value == '\t' || ((unsigned char)*value >= ' ' && *value != 0x7f);
    return plain;
}
