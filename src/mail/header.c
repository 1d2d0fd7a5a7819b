#include "mail/header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/mem.h"

/* Length of the field name at `line` (RFC 5322 3.6.8), and in *colon_r where the colon stands; blanks before
   it are the obsolete syntax (4.5). 0: no field. */
static size_t name_length(const unsigned char *line, size_t len, size_t *colon_r)
{
    size_t n = 0, colon;

    while (n < len && line[n] > ' ' && line[n] < 0x7f && line[n] != ':')
        n++;
    for (colon = n; colon < len && (line[colon] == ' ' || line[colon] == '\t');)
        colon++;
    if (n == 0 || colon >= len || line[colon] != ':')
        return 0;
    *colon_r = colon;
    return n;
}

static size_t line_length(const unsigned char *data, size_t len)
{
    const unsigned char *lf = memchr(data, '\n', len);

    return lf == NULL ? len : (size_t)(lf - data) + 1;
}

/* The line at [at, at+len) begins a field, or continues the last one. */
static void take_line(struct header *header, size_t at, size_t len)
{
    const unsigned char *line = header->data + at;
    struct header_field *field;
    size_t colon = 0;

    if (header->count > 0 && (line[0] == ' ' || line[0] == '\t' || header->count >= HEADER_FIELDS_MAX)) {
        header->fields[header->count - 1].end = at + len;
        return;
    }
    field = mem_push(&header->fields, &header->count, sizeof(*field));
    field->start = at;
    field->end = at + len;
    field->name_len = name_length(line, len, &colon);
    field->value_start = field->name_len > 0 ? at + colon + 1 : at;
}

void header_parse(struct header *header, const void *data, size_t len)
{
    size_t first = len > 0 ? line_length(data, len) : 0;

    memset(header, 0, sizeof(*header));
    header->data = mem_dup(data, len);
    header->len = len;
    header->eol = first >= 2 && memcmp(header->data + first - 2, "\r\n", 2) == 0 ? "\r\n" : "\n";
    for (size_t at = 0, n; at < len; at += n) {
        n = line_length(header->data + at, len - at);
        take_line(header, at, n);
    }
}

void header_free(struct header *header)
{
    free(header->data);
    free(header->fields);
    memset(header, 0, sizeof(*header));
}

bool header_field_is(const struct header *header, size_t index, const char *name)
{
    const struct header_field *field = &header->fields[index];

    return field->name_len == strlen(name) &&
           strncasecmp((const char *)header->data + field->start, name, field->name_len) == 0;
}

bool header_field_in(const struct header *header, size_t index, const char *const *names)
{
    const struct header_field *field = &header->fields[index];
    const char *name = (const char *)header->data + field->start;

    for (; *names != NULL; names++) {
        size_t len = strlen(*names);
        bool beginning = (*names)[len - 1] == '-';

        if ((beginning ? field->name_len > len : field->name_len == len) &&
            strncasecmp(name, *names, len) == 0)
            return true;
    }
    return false;
}

bool header_field_is_content(const struct header *header, size_t index)
{
    static const char *const names[] = {"Content-", NULL};

    return header_field_in(header, index, names);
}

long header_find(const struct header *header, const char *name, size_t n)
{
    for (size_t i = 0; i < header->count; i++)
        if (header_field_is(header, i, name) && n-- == 0)
            return (long)i;
    return -1;
}

long header_next(const struct header *header, const char *name, size_t from)
{
    for (size_t i = from; i < header->count; i++)
        if (header_field_is(header, i, name))
            return (long)i;
    return -1;
}

size_t header_count(const struct header *header, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < header->count; i++)
        count += header_field_is(header, i, name);
    return count;
}

char *header_name(const struct header *header, size_t index)
{
    return mem_strndup((const char *)header->data + header->fields[index].start,
                       header->fields[index].name_len);
}

static bool begins_field(const char *text, size_t len, const char *name)
{
    size_t n = strlen(name);

    if (len <= n || strncasecmp(text, name, n) != 0)
        return false;
    while (n < len && (text[n] == ' ' || text[n] == '\t'))
        n++;
    return n < len && text[n] == ':';
}

bool header_hides(const struct header *header, const char *name)
{
    const char *text = (const char *)header->data;

    for (size_t i = 0; i + 1 < header->len; i++)
        if (text[i] == '\r' && begins_field(text + i + 1, header->len - i - 1, name))
            return true;
    return false;
}

bool header_has_strays(const struct header *header)
{
    for (size_t i = 0; i < header->count; i++)
        if (header->fields[i].name_len == 0)
            return true;
    return false;
}

static bool is_control(const struct header *header, size_t at)
{
    unsigned char c = header->data[at];

    return c == '\0' || (c == '\r' && (at + 1 >= header->len || header->data[at + 1] != '\n'));
}

bool header_has_controls(const struct header *header)
{
    for (size_t i = 0; i < header->len; i++)
        if (is_control(header, i))
            return true;
    return false;
}

void header_copy(const struct header *header, size_t index, struct buf *out)
{
    const struct header_field *field = &header->fields[index];
    char instead = field->name_len > 0 ? ' ' : '?';

    for (size_t i = field->start; i < field->end; i++)
        buf_add_char(out, is_control(header, i) ? instead : (char)header->data[i]);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *header_value(const struct header *header, size_t index)
{
    const struct header_field *field = &header->fields[index];
    const char *p = (const char *)header->data + field->value_start;
    const char *end = (const char *)header->data + field->end;
    char *value, *to;

    while (p < end && is_blank(*p))
        p++;
    while (end > p && is_blank(end[-1]))
        end--;
    value = to = mem_alloc((size_t)(end - p) + 1);
    for (; p < end; p++) {
        if (*p == '\n' || (*p == '\r' && p + 1 < end && p[1] == '\n'))
            continue; /* unfolding drops the line end, the blank behind it stays */
        *to++ = *p == '\0' ? ' ' : *p;
    }
    return value;
}

char *header_value_of(const struct header *header, const char *name)
{
    long index = header_find(header, name, 0);

    return index < 0 ? NULL : header_value(header, (size_t)index);
}
