#include "mail/address.h"

#include <stdlib.h>
#include <string.h>

#include "mail/punycode.h"
#include "mail/utf8.h"
#include "util/buf.h"
#include "util/mem.h"

#define DOMAIN_MAX 253 /* octets of a name in the DNS, in text form without the last dot (RFC 1035 2.3.4) */

/* Characters of an unquoted local part (RFC 5322 3.2.3), the dot, and everything beyond ASCII (RFC 6532). */
static bool is_local_char(unsigned char c)
{
    if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL;
}

/* Where the local part ends: the first '@' outside quotes, or the end of the text; NULL when the quoting is
   broken or an octet is not allowed there. */
static const char *local_end(const char *address)
{
    const unsigned char *p = (const unsigned char *)address;

    if (*p == '"') {
        for (p++; *p != '"'; p++) {
            if (*p == '\\')
                p++;
            if (*p < ' ' || *p == 0x7f)
                return NULL;
        }
        p++;
        return *p == '\0' || *p == '@' ? (const char *)p : NULL;
    }
    if (*p == '-')
        return NULL;
    while (is_local_char(*p))
        p++;
    return *p == '\0' || *p == '@' ? (const char *)p : NULL;
}

static bool is_domain_char(uint32_t code)
{
    if (code >= 0x80)
        return code >= 0xa0;
    return (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9') || code == '-' || code == '_';
}

/* [192.0.2.1], [IPv6:2001:db8::1]: no names, so only the letter case is evened out. */
static bool literal_ascii(const char *domain, struct buf *out)
{
    size_t len = strlen(domain);

    if (len < 3 || len > DOMAIN_MAX || domain[len - 1] != ']')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = domain[i];

        if (i > 0 && i + 1 < len && strchr("0123456789abcdefABCDEFIPvVip.:-", c) == NULL)
            return false;
        buf_add_char(out, (char)utf8_lower((unsigned char)c));
    }
    return true;
}

/* Appends one label, lower-case code points, as A-label. */
static bool label_ascii(const uint32_t *codes, size_t count, struct buf *out)
{
    bool ascii = true;
    size_t before = out->len;

    if (count == 0)
        return false;
    for (size_t i = 0; i < count; i++)
        ascii = ascii && codes[i] < 0x80;
    if (ascii) {
        for (size_t i = 0; i < count; i++)
            buf_add_char(out, (char)codes[i]);
    } else {
        buf_add_text(out, "xn--");
        if (!punycode_encode(codes, count, out))
            return false;
    }
    return out->len - before <= PUNYCODE_LABEL_MAX;
}

/* The dots of IDNA (RFC 3490 3.1): an ideographic full stop separates labels too. */
static bool is_dot(uint32_t code)
{
    return code == '.' || code == 0x3002 || code == 0xff0e || code == 0xff61;
}

/* Fullwidth forms look like ASCII and are mapped to it by every IDNA client. */
static uint32_t domain_fold(uint32_t code)
{
    code = utf8_lower(code);
    return code >= 0xff01 && code <= 0xff5e ? utf8_lower(code - 0xfee0) : code;
}

static bool name_ascii(const char *domain, struct buf *out)
{
    uint32_t label[PUNYCODE_LABEL_MAX], code;
    size_t count = 0, len = strlen(domain), took;

    for (; len > 0; domain += took, len -= took) {
        if ((took = utf8_decode(domain, len, &code)) == 0)
            return false;
        if (is_dot(code)) {
            if (!label_ascii(label, count, out))
                return false;
            count = 0;
            if (len > took) /* a dot at the very end is the root of the DNS: the same name */
                buf_add_char(out, '.');
            continue;
        }
        code = domain_fold(code);
        if (!is_domain_char(code) || count == PUNYCODE_LABEL_MAX)
            return false;
        label[count++] = code;
    }
    if (count > 0 && !label_ascii(label, count, out))
        return false;
    return out->len > 0 && out->len <= DOMAIN_MAX;
}

char *address_domain_ascii(const char *domain)
{
    struct buf out = {0};
    bool good = domain[0] == '[' ? literal_ascii(domain, &out) : name_ascii(domain, &out);

    if (!good) {
        buf_free(&out);
        return NULL;
    }
    return buf_take(&out);
}

bool address_valid(const char *address, bool allow_local)
{
    size_t len = strlen(address);
    const char *at;
    char *domain;

    if (len == 0 || len > ADDRESS_MAX || !utf8_valid(address, len))
        return false;
    at = local_end(address);
    if (at == NULL || at == address)
        return false;
    if (*at == '\0')
        return allow_local;
    domain = address_domain_ascii(at + 1);
    free(domain);
    return domain != NULL;
}

/* Appends the local part in lower case, quoted only if it must be. `local` is its content without quotes and
 * escapes. */
static void add_local(struct buf *out, const struct buf *local)
{
    bool quote = local->len == 0 || local->data[0] == '-';
    uint32_t code;
    size_t took;

    for (size_t i = 0; i < local->len; i++)
        quote = quote || !is_local_char((unsigned char)local->data[i]);
    if (quote)
        buf_add_char(out, '"');
    for (size_t i = 0; i < local->len; i += took) {
        took = utf8_decode(local->data + i, local->len - i, &code);
        if (took == 0)
            break; /* cannot be: checked by address_valid() */
        if (quote && (code == '"' || code == '\\'))
            buf_add_char(out, '\\');
        utf8_encode(out, utf8_lower(code));
    }
    if (quote)
        buf_add_char(out, '"');
}

char *address_normalise(const char *address)
{
    struct buf local = {0}, out = {0};
    const char *end;
    char *domain;

    if (!address_valid(address, true))
        return NULL;
    end = local_end(address);
    if (*address == '"') {
        for (const char *p = address + 1; p < end - 1; p++) {
            if (*p == '\\')
                p++;
            buf_add_char(&local, *p);
        }
    } else {
        buf_add(&local, address, (size_t)(end - address));
    }
    add_local(&out, &local);
    buf_free(&local);
    if (*end == '@') {
        domain = address_domain_ascii(end + 1);
        buf_add_char(&out, '@');
        buf_add_text(&out, domain);
        free(domain);
    }
    return buf_take(&out);
}

const char *address_domain(const char *address)
{
    const char *found = "";
    bool quoted = false;

    for (const char *p = address; *p != '\0'; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (*p == '\\' && quoted && p[1] != '\0')
            p++;
        else if (*p == '@' && !quoted)
            found = p + 1;
    }
    return found;
}

char *address_given(const char *given)
{
    const char *at = strrchr(given, '@');
    struct buf out = {0};
    char *address;

    if (address_valid(given, true))
        return mem_strdup(given);
    if (at == NULL)
        return NULL;
    buf_add_char(&out, '"');
    for (const char *p = given; p < at; p++) {
        if (*p == '"' || *p == '\\')
            buf_add_char(&out, '\\');
        buf_add_char(&out, *p);
    }
    buf_add_char(&out, '"');
    buf_add_text(&out, at);
    address = buf_take(&out);
    if (!address_valid(address, false)) {
        free(address);
        return NULL;
    }
    return address;
}

bool address_equal(const char *a, const char *b)
{
    char *x = address_normalise(a), *y = address_normalise(b);
    bool equal = x != NULL && y != NULL && strcmp(x, y) == 0;

    free(x);
    free(y);
    return equal;
}

bool address_domain_matches(const char *domain, const char *pattern)
{
    bool below = pattern[0] == '.', match = false;
    char *name, *want;

    if (strcmp(pattern, ".") == 0)
        return true;
    name = address_domain_ascii(domain);
    want = address_domain_ascii(below ? pattern + 1 : pattern);
    if (name != NULL && want != NULL) {
        size_t n = strlen(name), w = strlen(want);

        match = strcmp(name, want) == 0 ||
                (below && n > w && name[n - w - 1] == '.' && strcmp(name + n - w, want) == 0);
    }
    free(name);
    free(want);
    return match;
}

bool address_in_domains(const char *address, const struct strlist *patterns)
{
    const char *domain = address_domain(address);

    if (*domain == '\0')
        return false;
    for (size_t i = 0; i < patterns->count; i++)
        if (address_domain_matches(domain, patterns->items[i]))
            return true;
    return false;
}
