#include "core/envelope_line.h"

#include <string.h>
#include <strings.h>

#include "util/mem.h"

#define FROM_LINE "From "

/* The sender ends at the first blank that is not inside a quoted local part. */
static size_t sender_length(const char *text, size_t len)
{
    bool quoted = false;
    size_t i;

    for (i = 0; i < len; i++) {
        if (quoted && text[i] == '\\' && i + 1 < len)
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == ' ' || text[i] == '\t'))
            break;
    }
    return i;
}

bool envelope_line_null(const char *text, size_t len)
{
    static const char daemon[] = "MAILER-DAEMON";

    return len == 0 || (len == sizeof(daemon) - 1 && strncasecmp(text, daemon, len) == 0);
}

/* "From : a@b" is a header field in obsolete syntax (RFC 5322 4.5). */
static bool is_field(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && (text[i] == ' ' || text[i] == '\t'))
        i++;
    return i < len && text[i] == ':';
}

uint64_t envelope_line_parse(const char *data, size_t len, char **sender_r)
{
    const size_t skip = sizeof(FROM_LINE) - 1;
    const char *end = memchr(data, '\n', len < ENVELOPE_LINE_MAX ? len : ENVELOPE_LINE_MAX);
    const char *text = data + skip;
    size_t text_len, sender_len;

    if (end == NULL || (size_t)(end - data) < skip || memcmp(data, FROM_LINE, skip) != 0)
        return 0;
    text_len = (size_t)(end - text);
    if (is_field(text, text_len))
        return 0;
    if (text_len > 0 && text[text_len - 1] == '\r')
        text_len--;
    sender_len = sender_length(text, text_len);
    if (sender_len >= 2 && text[0] == '<' && text[sender_len - 1] == '>') {
        text++;
        sender_len -= 2;
    }
    *sender_r = envelope_line_null(text, sender_len) ? mem_strdup("") : mem_strndup(text, sender_len);
    return (uint64_t)(end - data) + 1;
}
