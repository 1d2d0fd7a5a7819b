#include "incoming/garbled.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "mail/utf8.h"
#include "util/fdio.h"

#define CHUNK 16384

/* What was seen of a text. */
struct look {
    bool seen[UCHAR_MAX + 1]; /* which octets it has */
    bool no_utf8;             /* octets that are no UTF-8 */
};

/* One that no text has. */
static bool is_control(unsigned char c)
{
    return c == '\0' || c == 0x7f || (c < ' ' && strchr("\t\n\v\f\r\033", c) == NULL);
}

/* One that Windows-1252 has not. */
static bool is_undefined(unsigned char c)
{
    return c == 0x81 || c == 0x8d || c == 0x8f || c == 0x90 || c == 0x9d;
}

static bool is_no_base64(unsigned char c)
{
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             (c != '\0' && strchr("+/= \t\r\n", c) != NULL));
}

static void look_at(struct look *look, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        look->seen[(unsigned char)text[i]] = true;
}

static bool has(const struct look *look, bool (*is_one)(unsigned char))
{
    for (unsigned int c = 0; c <= UCHAR_MAX; c++)
        if (look->seen[c] && is_one((unsigned char)c))
            return true;
    return false;
}

/* Looks at whole characters. Returns how many octets are left at the end: the beginning of one, perhaps. */
static size_t look_at_characters(struct look *look, const char *text, size_t len, bool last)
{
    uint32_t code;

    while (len > 0) {
        size_t took = (unsigned char)*text < 0x80 ? 1 : utf8_decode(text, len, &code);

        if (took == 0 && len < 4 && !last)
            return len;
        look->no_utf8 = look->no_utf8 || took == 0;
        took = took == 0 ? 1 : took;
        text += took;
        len -= took;
    }
    return 0;
}

/* Looks at the octets from `at` up to `end`; `characters`: also for those beyond ASCII. */
static int look_at_octets(struct look *look, int fd, uint64_t at, uint64_t end, bool characters)
{
    char octets[CHUNK];
    size_t kept = 0, got;

    for (; at < end; at += got) {
        got = sizeof(octets) - kept < end - at ? sizeof(octets) - kept : (size_t)(end - at);
        if (fdio_pread_all(fd, octets + kept, got, at) != 0)
            return -1;
        look_at(look, octets + kept, got);
        if (characters) {
            size_t all = kept + got;

            kept = look_at_characters(look, octets, all, at + got == end);
            memmove(octets, octets + all - kept, kept);
        }
    }
    return 0;
}

static bool ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), e = strlen(ending);

    return n >= e && strcmp(text + n - e, ending) == 0;
}

/* Do readers show it as text? */
static bool is_shown(const struct mime_part *part)
{
    return mime_type_is(part, "text/") || ends_with(part->type.value, "xml") ||
           ends_with(part->type.value, "html");
}

static bool names(const char *charset, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcasecmp(charset, *list) == 0)
            return true;
    return false;
}

bool garbled_header(const struct mime_part *part)
{
    const struct header *header = &part->header;
    bool structure = is_shown(part) || mime_type_is(part, "multipart/");

    for (size_t i = 0; i < header->count; i++) {
        const char *field = (const char *)header->data + header->fields[i].start;
        size_t len = header->fields[i].end - header->fields[i].start;
        struct look look = {0};

        look_at(&look, field, len);
        look_at_characters(&look, field, len, true);
        if (has(&look, is_control) ||
            (look.no_utf8 &&
             (has(&look, is_undefined) || (structure && header_field_is(header, i, "Content-Type")))))
            return true;
    }
    return header_has_controls(header);
}

int garbled_leaf(int fd, const struct mime_part *leaf, bool strict)
{
    static const char *const exact[] = {"utf-8", "utf8", "us-ascii", NULL};
    static const char *const western[] = {"utf-8",       "utf8",         "us-ascii", "iso-8859-1",
                                          "iso-8859-15", "windows-1252", NULL};
    const char *charset = header_typed_param(&leaf->type, "charset");
    bool base64 = leaf->encoding == MIME_BASE64;
    struct look look = {0};

    if ((base64 || leaf->encoding == MIME_QP) && (leaf->has_8bit || leaf->has_nul))
        return 1;
    if (!is_shown(leaf))
        return 0;
    if (look_at_octets(&look, fd, leaf->body, leaf->end, leaf->has_8bit) != 0)
        return -1;
    if (has(&look, is_control) || (base64 && has(&look, is_no_base64)))
        return 1;
    if (!look.no_utf8)
        return 0;
    if (strict && charset != NULL && names(charset, exact))
        return 1;
    return has(&look, is_undefined) && (charset == NULL || names(charset, western));
}

int garbled_outside(int fd, const struct mime_part *multipart)
{
    const struct mime_part *last = multipart->children;
    struct look look = {0};

    if (last == NULL || !multipart->preamble_epilogue_nonblank)
        return 0;
    if (look_at_octets(&look, fd, multipart->body, last->start, true) != 0)
        return -1;
    while (last->next != NULL)
        last = last->next;
    if (look_at_octets(&look, fd, last->end, multipart->end, true) != 0)
        return -1;
    return has(&look, is_control) || look.no_utf8;
}
