#include "incoming/author.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "util/strlist.h"

static bool is_name_char(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 0x80 || u == '-' || (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') ||
           (u >= 'A' && u <= 'Z');
}

/* Characters that look like "@": FULLWIDTH COMMERCIAL AT, SMALL COMMERCIAL AT. */
static void fold_ats(char *text)
{
    char *to = text;

    while (*text != '\0') {
        bool at = strncmp(text, "\357\274\240", 3) == 0 || strncmp(text, "\357\271\253", 3) == 0;

        *to++ = at ? '@' : *text;
        text += at ? 3 : 1;
    }
    *to = '\0';
}

/* Is there something in the text that people take for an address: a character, "@", a name with a dot inside?
 */
static bool shows_address(const char *text)
{
    for (const char *at = text; (at = strchr(at, '@')) != NULL; at++) {
        const char *dot = at + 1;

        if (at == text || strchr(" \t<(\"',;:", at[-1]) != NULL)
            continue;
        while (is_name_char(*dot))
            dot++;
        if (dot > at + 1 && *dot == '.' && is_name_char(dot[1]))
            return true;
    }
    return false;
}

static void blank_out(char *text, const char *part)
{
    size_t len = strlen(part);

    for (; *text != '\0'; text++)
        if (strncasecmp(text, part, len) == 0)
            memset(text, ' ', len);
}

/* Does the value, as it is shown, name another address than this one? */
static bool misleads(const char *value, const char *address)
{
    char *shown = header_decode(value);
    bool other;

    fold_ats(shown);
    blank_out(shown, address);
    other = shows_address(shown);
    free(shown);
    return other;
}

char *author_address(const struct header *header, const char *name)
{
    struct strlist found = {0};
    char *value, *address = NULL;
    bool clean;

    if (header_count(header, name) != 1 || header_hides(header, name))
        return NULL;
    value = header_value_of(header, name);
    address_list_parse(value, strlen(value), &found, &clean);
    if (found.count == 1 && clean && !misleads(value, found.items[0])) {
        address = found.items[0];
        found.count = 0; /* moved */
    }
    free(value);
    strlist_free(&found);
    return address;
}
