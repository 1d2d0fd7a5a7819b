#include "core/trigger.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

/* ASCII letters in either case; the rest octet for octet. */
static const char *find_text(const char *text, const char *wanted)
{
    return wanted != NULL && wanted[0] != '\0' ? strcasestr(text, wanted) : NULL;
}

void trigger_find(const struct message *message, struct trigger *trigger_r)
{
    const struct config *config = message->config;
    const struct header *header = &message->mime.root->header;
    memset(trigger_r, 0, sizeof(*trigger_r));
    if (config->policy == CONFIG_POLICY_RULES)
        return;
    long index;
    for (size_t n = 0; (index = header_find(header, "Subject", n)) >= 0; n++) {
        char *value = header_value(header, (size_t)index);
        char *decoded = header_decode(value);
        trigger_r->sign = trigger_r->sign || find_text(decoded, config->trigger_sign) != NULL;
        trigger_r->encrypt = trigger_r->encrypt || find_text(decoded, config->trigger_encrypt) != NULL;
        free(decoded);
        free(value);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts every `wanted` out of `text`, with one of two blanks that would then stand side by side or at an end.
 */
static bool cut_out(char *text, const char *wanted)
{
    bool cut = false;
    const char *found;
    while ((found = find_text(text, wanted)) != NULL) {
        char *at = text + (found - text);
        char *behind = at + strlen(wanted);
        if (is_blank(*behind) && (at == text || is_blank(at[-1])))
            behind++;
        memmove(at, behind, strlen(behind) + 1);
        cut = true;
    }
    return cut;
}

static bool cut_both(const struct config *config, char *text)
{
    bool sign = cut_out(text, config->trigger_sign);
    bool encrypt = cut_out(text, config->trigger_encrypt);
    /* Cutting one may have joined the halves of the other. */
    while (cut_out(text, config->trigger_sign) || cut_out(text, config->trigger_encrypt))
        ;
    return sign || encrypt;
}

/* The decoded value still holds a trigger: it stands in encoded words, or across a fold. */
static bool still_there(const struct config *config, const char *raw)
{
    char *decoded = header_decode(raw);
    bool there = cut_both(config, decoded);
    free(decoded);
    return there;
}

static void trim_end(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && is_blank(text[len - 1]))
        text[--len] = '\0';
}

static void write_field(struct buf *out, const struct header *header, const struct header_field *field,
                        const char *raw)
{
    buf_add(out, header->data + field->start, field->value_start - field->start);
    if (raw[0] != ' ' && raw[0] != '\t' && raw[0] != '\0')
        buf_add_char(out, ' ');
    buf_add_text(out, raw);
    buf_add_text(out, header->eol);
}

void trigger_strip(const struct config *config, const struct header *header, size_t index, struct buf *out)
{
    const struct header_field *field = &header->fields[index];
    char *value = header_value(header, index);
    char *decoded = header_decode(value);
    size_t raw_len = field->end - field->value_start;
    char *raw = mem_strndup((const char *)header->data + field->value_start, raw_len);
    raw[strcspn(raw, "\r\n")] = '\0';
    bool one_line = strlen(raw) + strlen(header->eol) >= raw_len;
    if (!cut_both(config, decoded)) {
        header_copy(header, index, out);
    } else if (one_line && cut_both(config, raw) && !still_there(config, raw)) {
        trim_end(raw);
        write_field(out, header, field, raw);
    } else {
        trim_end(decoded);
        header_write(out, "Subject", decoded + strspn(decoded, " \t"), header->eol);
    }
    free(raw);
    free(decoded);
    free(value);
}
