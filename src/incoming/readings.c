#include "incoming/readings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/fdio.h"
#include "util/mem.h"

#define WINDOW       (64u << 10)
#define PREAMBLE_MAX 4096 /* octets; real ones are a sentence */

/* ---- header ---- */

/* Do all lines, the empty one behind the section too, end alike? */
static bool line_ends_alike(const struct mime_part *part)
{
    const struct header *header = &part->header;
    uint64_t last = part->body - part->start - header->len;
    bool crlf = header->eol[0] == '\r';

    for (size_t i = 0; i < header->len; i++)
        if (header->data[i] == '\n' && (i > 0 && header->data[i - 1] == '\r') != crlf)
            return false;
    return last == (crlf ? 2 : 1);
}

bool readings_header_agree(const struct mime_part *part)
{
    const struct header *header = &part->header;
    long type = header_find(header, "Content-Type", 0);

    return type >= 0 && header_count(header, "Content-Type") == 1 &&
           header_typed_plain(header, (size_t)type) && !part->type.repeated &&
           header_count(header, "Content-Transfer-Encoding") <= 1 && !header_has_strays(header) &&
           !header_has_controls(header) && line_ends_alike(part);
}

/* ---- where the parts begin and end ---- */

/* Is what stands at `at` a line end and nothing else, up to `end`? */
static int ends_line(int fd, uint64_t at, uint64_t end)
{
    char octets[2] = "";
    size_t len = end - at > sizeof(octets) ? sizeof(octets) : (size_t)(end - at);

    if (fdio_pread_all(fd, octets, len, at) != 0)
        return -1;
    return len == 0 || octets[0] == '\n' || (len == 2 && memcmp(octets, "\r\n", 2) == 0);
}

/* Is the delimiter found at [at, behind) one of those between the two parts, or the closing one? */
static int is_own(int fd, const struct mime_part *part, uint64_t at, uint64_t behind)
{
    const struct mime_part *first = part->children, *second = first->next;
    char dashes[2] = "";

    if (behind < first->start && first->start - behind <= 2)
        return ends_line(fd, behind, first->start);
    if (behind < second->start && second->start - behind <= 2)
        return ends_line(fd, behind, second->start);
    if (at <= second->end || at - second->end > 2 || part->end - behind < 2)
        return 0;
    if (fdio_pread_all(fd, dashes, 2, behind) != 0)
        return -1;
    return memcmp(dashes, "--", 2) == 0 ? ends_line(fd, behind + 2, part->end) : 0;
}

/* The first place of `wanted` in any case; NULL. */
static const char *find(const char *in, size_t len, const char *wanted, size_t wanted_len)
{
    const char *end = in + len;

    while ((size_t)(end - in) >= wanted_len && (in = memchr(in, '-', (size_t)(end - in))) != NULL) {
        if ((size_t)(end - in) >= wanted_len && strncasecmp(in, wanted, wanted_len) == 0)
            return in;
        in++;
    }
    return NULL;
}

/* Looks through the window, which begins at `offset`. */
static int look_at_window(int fd, const struct mime_part *part, const char *delimiter, const char *window,
                          size_t len, uint64_t offset)
{
    size_t delimiter_len = strlen(delimiter);
    const char *at = window;
    int rc = 1;

    while (rc == 1 && (at = find(at, len - (size_t)(at - window), delimiter, delimiter_len)) != NULL) {
        uint64_t place = offset + (uint64_t)(at - window);

        rc = is_own(fd, part, place, place + delimiter_len);
        at++;
    }
    return rc;
}

/* Stands "--boundary" nowhere but in the lines that the parser took? */
static int delimiters_alike(int fd, const struct mime_part *part)
{
    const char *boundary = header_typed_param(&part->type, "boundary");
    char delimiter[80], *window;
    uint64_t at = part->body;
    size_t overlap;
    int rc = 1;

    if (boundary == NULL || strlen(boundary) > sizeof(delimiter) - 3)
        return 0;
    overlap = (size_t)(stpcpy(stpcpy(delimiter, "--"), boundary) - delimiter) - 1;
    window = mem_alloc(WINDOW);
    while (rc == 1 && at + overlap < part->end) {
        size_t len = part->end - at < WINDOW ? (size_t)(part->end - at) : WINDOW;

        rc = fdio_pread_all(fd, window, len, at) != 0 ? -1
                                                      : look_at_window(fd, part, delimiter, window, len, at);
        at += len - overlap;
    }
    free(window);
    return rc;
}

/* In front of the first delimiter some look for a part, too: text with fields on top. */
static int preamble_alike(int fd, const struct mime_part *part)
{
    uint64_t len = part->children->start - part->body;
    size_t delimiter_len = 2 + strlen(header_typed_param(&part->type, "boundary"));
    char text[PREAMBLE_MAX];
    struct header header;
    int rc = 1;

    if (len > sizeof(text))
        return 0;
    if (fdio_pread_all(fd, text, (size_t)len, part->body) != 0)
        return -1;
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    header_parse(&header, text, len < delimiter_len ? 0 : (size_t)len - delimiter_len);
    for (size_t i = 0; i < header.count; i++)
        if (header.fields[i].name_len > 0)
            rc = 0;
    header_free(&header);
    return rc;
}

/* ---- all ---- */

/* An encoding of what has parts is nonsense, which some readers undo and others do not. The second part must
   not be anything that is shown. */
static int signed_alike(int fd, const struct mime_part *part)
{
    const struct mime_part *second = part->children->next;
    int rc;

    if (!mime_type_is(part, "multipart/signed") || part->encoding > MIME_BINARY || second == NULL ||
        second->children != NULL || !readings_header_agree(second))
        return 0;
    rc = delimiters_alike(fd, part);
    return rc == 1 ? preamble_alike(fd, part) : rc;
}

int readings_agree(int fd, const struct mime_part *part)
{
    if (!readings_header_agree(part))
        return 0;
    if (mime_type_is(part, "message/rfc822"))
        return part->encoding <= MIME_BINARY;
    return part->children == NULL ? 1 : signed_alike(fd, part);
}
