#include "incoming/author.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "mail/glyph.h"
#include "mail/utf8.h"
#include "util/strlist.h"

/* What may stand between an address and the text in front of it. */
#define BETWEEN " \t<([{\"',;:"

static bool is_name_char(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 0x80 || u == '-' || (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') ||
           (u >= 'A' && u <= 'Z');
}

/* The text as it looks, with the "@" and dots that only look like them. *unseen_r: it has characters that are
 * not shown, or that turn others round. */
static char *looks(const char *text, bool *unseen_r)
{
    struct buf out = {0};
    size_t took;
    uint32_t code;

    *unseen_r = false;
    for (size_t len = strlen(text); len > 0 && (took = utf8_decode(text, len, &code)) > 0;
         text += took, len -= took) {
        uint32_t plain = glyph_plain(code);

        if (code == '\\' || code == '"') /* what they quote is shown */
            continue;
        if (glyph_invisible(code))
            *unseen_r = *unseen_r || code != '\t';
        else if (plain == '@' || plain == '.')
            buf_add_char(&out, (char)plain);
        else
            buf_add(&out, text, took);
    }
    return buf_take(&out);
}

/* Is there something in the text that people take for an address: a character, "@", a name with a dot inside?
 */
static bool shows_address(const char *text)
{
    for (const char *at = text; (at = strchr(at, '@')) != NULL; at++) {
        const char *dot = at + 1;

        if (at == text || strchr(BETWEEN, at[-1]) != NULL)
            continue;
        while (is_name_char(*dot))
            dot++;
        if (dot > at + 1 && *dot == '.' && is_name_char(dot[1]))
            return true;
    }
    return false;
}

/* Does an address end here, or go on? */
static bool goes_on(const char *text)
{
    return is_name_char(*text) || *text == '@' || (*text == '.' && is_name_char(text[1]));
}

/* Blanks for each place of `part`, unless it is only part of a longer address. */
static void blank_out(char *text, const char *part)
{
    size_t len = strlen(part);

    for (char *at = text; *at != '\0'; at++)
        if (strncasecmp(at, part, len) == 0 && !goes_on(at + len) &&
            (at == text || strchr(BETWEEN, at[-1]) != NULL))
            memset(at, ' ', len);
}

/* Does the value, as it is shown, name another address than this one? What cannot be decoded here (an
   unknown charset, UTF-7) can be by others. */
static bool misleads(const char *value, const char *address)
{
    char *decoded = header_decode(value), *own, *shown;
    bool unseen, other;

    own = looks(address, &unseen);
    shown = looks(decoded, &unseen);
    blank_out(shown, own);
    other = shows_address(shown) || strstr(shown, "=?") != NULL || (unseen && strchr(shown, '@') != NULL);
    free(decoded);
    free(own);
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
    if (found.count == 1 && clean && address_is_plain(value, found.items[0]) &&
        !misleads(value, found.items[0])) {
        address = found.items[0];
        found.count = 0; /* moved */
    }
    free(value);
    strlist_free(&found);
    return address;
}
