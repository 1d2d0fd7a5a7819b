#include "incoming/foreign.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "mail/glyph.h"
#include "mail/utf8.h"
#include "util/buf.h"
#include "util/mem.h"

#define MARKS_MAX   2   /* over one letter: what more there is hides other lines */
#define ADDRESS_TOP 100 /* octets of an address that people can take in */

static bool is_quote(uint32_t code)
{
    return code == '"' || code == 0xab || code == 0xbb || (code >= 0x201c && code <= 0x201f) ||
           (code >= 0x2033 && code <= 0x2037) || (code >= 0x301d && code <= 0x301f);
}

static bool is_letter(uint32_t code)
{
    return code >= 0x80 || (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
}

/* A text in the making. */
struct foreign {
    struct buf out;
    uint32_t last; /* character written last */
    unsigned int marks;
};

/* Mail programs make links of what looks like one: "www.x.example", "x.example", "http://...", "mailto:...".
 */
static bool goes_on_as_link(uint32_t last, uint32_t code)
{
    return (last == '.' && is_letter(code)) || (last == ':' && (code == '/' || is_letter(code)));
}

static void put(struct foreign *f, uint32_t code)
{
    code = glyph_plain(code);
    f->marks = glyph_mark(code) ? f->marks + 1 : 0;
    if (f->marks > MARKS_MAX)
        return;
    if (glyph_blank(code) || glyph_invisible(code)) {
        if (f->last == ' ')
            return;
        code = ' ';
    } else if (is_quote(code)) {
        code = '\'';
    } else if (goes_on_as_link(f->last, code)) {
        buf_add_char(&f->out, ' ');
    }
    if (code == '@')
        buf_add_text(&f->out, "(at)");
    else
        utf8_encode(&f->out, code);
    f->last = code;
}

char *foreign_text(const char *text, size_t most)
{
    struct foreign f = {.last = ' '}; /* no blanks at the beginning */
    size_t len = text == NULL ? 0 : strlen(text), took;
    uint32_t code;

    for (; len > 0 && most > 0; text += took, len -= took, most--) {
        took = utf8_decode(text, len, &code);
        if (took == 0) {
            took = 1;
            code = '?';
        }
        put(&f, code);
    }
    if (f.last == ' ' && f.out.len > 0)
        f.out.data[--f.out.len] = '\0';
    if (f.out.len == 0) {
        buf_free(&f.out);
        return NULL;
    }
    if (len > 0)
        buf_add_text(&f.out, "...");
    return buf_take(&f.out);
}

/* Nothing in a domain may look like the end of it, or like another one. */
static bool is_plain_domain(const char *domain)
{
    uint32_t code;
    size_t took;

    for (size_t len = strlen(domain); len > 0; domain += took, len -= took) {
        took = utf8_decode(domain, len, &code);
        if (took == 0 || glyph_invisible(code) || glyph_blank(code) || glyph_plain(code) != code)
            return false;
    }
    return true;
}

/* Would a mail program take all of it for one address, and nothing in it for another, or for a link? */
static bool is_plain_address(const char *address)
{
    static const char local[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_";
    size_t len = strspn(address, local);

    return len > 0 && address[len] == '@' && strncasecmp(address, "www.", 4) != 0 &&
           strncasecmp(address, "ftp.", 4) != 0 && strlen(address) <= ADDRESS_TOP &&
           address_valid(address, false) && is_plain_domain(address + len + 1);
}

char *foreign_address(const char *address)
{
    const char *domain = address == NULL ? "" : address_domain(address);
    char *shown, *labels, *both;

    if (address == NULL || !is_plain_address(address))
        return foreign_text(address, FOREIGN_NAME);
    shown = mem_strdup(address);
    labels = address_domain_ascii(domain);
    if (labels != NULL && strcasecmp(labels, domain) != 0) {
        both = mem_printf("%s [%s]", shown, labels);
        free(shown);
        shown = both;
    }
    free(labels);
    return shown;
}

/* The value that begins here, without its escapes (RFC 4514 2.4), up to the end of the attribute. */
static void read_value(const char *text, struct buf *value)
{
    for (; *text != '\0' && *text != ',' && *text != '+'; text++) {
        unsigned int code;
        char hex[3] = {0};

        if (*text != '\\' || text[1] == '\0') {
            buf_add_char(value, *text);
            continue;
        }
        memcpy(hex, text + 1, strnlen(text + 1, 2));
        code = (unsigned int)strtoul(hex, NULL, 16);
        if (strspn(hex, "0123456789abcdefABCDEF") == 2) {
            buf_add_char(value, code == 0 ? ' ' : (char)code);
            text += 2;
        } else {
            buf_add_char(value, *++text);
        }
    }
}

static bool is_proven(const char *text, const struct strlist *addresses)
{
    for (size_t i = 0; addresses != NULL && i < addresses->count; i++)
        if (address_equal(addresses->items[i], text))
            return true;
    return false;
}

char *foreign_name(const char *name, const struct strlist *addresses)
{
    struct buf value = {0};
    char *shown;

    for (const char *at = name; at != NULL && *at != '\0'; at += strcspn(at, ",+\\")) {
        at += strspn(at, ",+");
        if (*at == '\\') {
            at += at[1] == '\0' ? 1 : 2;
        } else if (strncasecmp(at, "CN=", 3) == 0 && (at == name || at[-1] == ',' || at[-1] == '+')) {
            read_value(at + 3, &value);
            break;
        }
    }
    if (is_proven(buf_text(&value), addresses))
        shown = foreign_address(buf_text(&value));
    else
        shown = foreign_text(buf_text(&value), FOREIGN_NAME);
    buf_free(&value);
    return shown != NULL ? shown : foreign_text(name, FOREIGN_NAME);
}
