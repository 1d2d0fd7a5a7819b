#include "outgoing/prepare_field.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LIMIT 998 /* RFC 5322 2.1.1 */
#define PARAM_INLINE                                                                                         \
    60 /* octets of a value that stand in one parameter; longer ones are split (RFC 2231 3) */

bool prepare_text_unsafe(const char *data, size_t len, bool crlf)
{
    size_t column = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '\n') {
            if (crlf && (i == 0 || data[i - 1] != '\r'))
                return true;
            column = 0;
            continue;
        }
        if (c >= 0x80 || c == '\0' || (c == '\r' && (i + 1 >= len || data[i + 1] != '\n')))
            return true;
        if (c != '\r' && ++column > LINE_LIMIT)
            return true;
    }
    return false;
}

bool prepare_field_unsafe(const struct header *header, size_t index, bool crlf)
{
    const struct header_field *field = &header->fields[index];
    return prepare_text_unsafe((const char *)header->data + field->start, field->end - field->start, crlf);
}

static bool is_token(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && strchr("-_.+!#$&^~*'%", *text) == NULL)
            return false;
    return true;
}

/* A parameter's name that RFC 2231 7 allows: with a star or apostrophe in it, what is written behind it would
 * be read as something else. */
static bool is_attribute(const char *name)
{
    return is_token(name) && strpbrk(name, "*'%") == NULL;
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

static void put_quoted(struct buf *out, const char *text)
{
    buf_add_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
    buf_add_char(out, '"');
}

/* name*0*=utf-8''%C3%BC...; name*1*=... */
static void put_extended(struct buf *out, const char *name, const char *utf8, const char *eol)
{
    unsigned int section = 0;
    bool split = strlen(utf8) > PARAM_INLINE / 3;
    do {
        if (section > 0)
            buf_printf(out, ";%s ", eol);
        if (split)
            buf_printf(out, "%s*%u*=%s", name, section, section == 0 ? "utf-8''" : "");
        else
            buf_printf(out, "%s*=utf-8''", name);
        for (size_t used = 0; *utf8 != '\0' && used < PARAM_INLINE; utf8++) {
            unsigned char c = (unsigned char)*utf8;
            bool safe = isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
            if (safe)
                buf_add_char(out, (char)c);
            else
                buf_printf(out, "%%%02X", c);
            used += safe ? 1 : 3;
        }
        section++;
    } while (*utf8 != '\0');
}

static void put_param(struct buf *out, const struct header_param *param, const char *eol)
{
    buf_printf(out, ";%s ", eol);
    if (is_plain(param->value) && strlen(param->value) < LINE_LIMIT / 2) {
        buf_printf(out, "%s=", param->name);
        if (is_token(param->value))
            buf_add_text(out, param->value);
        else
            put_quoted(out, param->value);
        return;
    }
    char *utf8 = header_decode(param->value);
    put_extended(out, param->name, utf8, eol);
    free(utf8);
}

static bool has_params(const struct header *header, size_t index)
{
    return header_field_is(header, index, "Content-Type") ||
           header_field_is(header, index, "Content-Disposition");
}

void prepare_field(const struct header *header, size_t index, struct buf *out)
{
    const struct header_field *field = &header->fields[index];
    if (field->name_len == 0) { /* a line that is no field: nothing says how to write it otherwise */
        buf_add(out, header->data + field->start, field->end - field->start);
        return;
    }
    char *name = header_name(header, index);
    char *value = header_value(header, index);
    if (has_params(header, index)) {
        struct header_typed typed;
        header_typed_parse(&typed, value);
        buf_printf(out, "%s: %s", name, is_plain(typed.value) ? typed.value : "application/octet-stream");
        for (size_t i = 0; i < typed.count; i++)
            if (is_attribute(typed.params[i].name))
                put_param(out, &typed.params[i], header->eol);
        buf_add_text(out, header->eol);
        header_typed_free(&typed);
    } else {
        char *decoded = header_decode(value);
        header_write(out, name, decoded, header->eol);
        free(decoded);
    }
    free(value);
    free(name);
}
