#include "outgoing/trigger.h"

#include <stdlib.h>
#include <string.h>

#include "mail/utf8.h"
#include "util/mem.h"

#define UTF8_MAX 4     /* octets of a character */
#define TEXT_MAX 16384 /* octets of a Subject with a trigger in it: what is longer goes */
#define CUTS_MAX 100   /* of all triggers in a Subject: behind that the rest goes, too */

/* The character at `text`, in lower case; a no-break space is a blank, an octet that is no UTF-8 itself. */
static uint32_t character(const char *text, size_t *taken_r)
{
    uint32_t code;
    *taken_r = utf8_decode(text, strnlen(text, UTF8_MAX), &code);
    if (*taken_r == 0) {
        *taken_r = 1;
        return (unsigned char)*text;
    }
    return code == '\t' || code == 0xa0 ? ' ' : utf8_lower(code);
}

static size_t blanks_at(const char *text)
{
    size_t len = 0, taken;
    while (text[len] != '\0' && character(text + len, &taken) == ' ')
        len += taken;
    return len;
}

/* How many octets of `text` say what `wanted` says, 0: none. Letters in either case; programs that fold lines
 * make several blanks of one, or a tab. */
static size_t match_length(const char *text, const char *wanted)
{
    const char *p = text;
    while (*wanted != '\0') {
        size_t blanks = blanks_at(wanted), taken, used;
        if (blanks > 0) {
            taken = blanks_at(p);
            used = blanks;
        } else if (*p == '\0' || character(p, &taken) != character(wanted, &used)) {
            return 0;
        }
        if (taken == 0)
            return 0;
        p += taken;
        wanted += used;
    }
    return (size_t)(p - text);
}

/* The first place that says what `wanted` says, and its length; NULL: none. */
static const char *find_text(const char *text, const char *wanted, size_t *len_r)
{
    size_t step;
    for (; wanted != NULL && *text != '\0'; text += step) {
        *len_r = match_length(text, wanted);
        if (*len_r > 0)
            return text;
        character(text, &step);
    }
    return NULL;
}

static bool has_text(const char *text, const char *wanted)
{
    size_t len;
    return find_text(text, wanted, &len) != NULL;
}

void trigger_find(const struct message *message, struct trigger *trigger_r)
{
    const struct config *config = message->config;
    const struct header *header = &message->mime.root->header;
    memset(trigger_r, 0, sizeof(*trigger_r));
    if (config->policy == CONFIG_POLICY_RULES)
        return;
    long index;
    for (size_t from = 0; (index = header_next(header, "Subject", from)) >= 0; from = (size_t)index + 1) {
        char *value = header_value(header, (size_t)index);
        char *decoded = header_decode(value);
        trigger_r->sign = trigger_r->sign || has_text(decoded, config->trigger_sign);
        trigger_r->encrypt = trigger_r->encrypt || has_text(decoded, config->trigger_encrypt);
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
static bool cut_out(char *text, const char *wanted, unsigned int *cuts)
{
    unsigned int before = *cuts;
    const char *found;
    size_t len;
    while ((found = find_text(text, wanted, &len)) != NULL) {
        char *at = text + (found - text);
        char *behind = at + len;
        if (is_blank(*behind) && (at == text || is_blank(at[-1])))
            behind++;
        memmove(at, behind, strlen(behind) + 1);
        if (++*cuts >= CUTS_MAX)
            *at = '\0';
    }
    return *cuts > before;
}

static void shorten(char *text)
{
    size_t len = strnlen(text, TEXT_MAX + 1);
    if (len <= TEXT_MAX)
        return;
    for (len = TEXT_MAX; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
        len--;
    text[len] = '\0';
}

static bool cut_both(const struct config *config, char *text)
{
    unsigned int cuts = 0;
    if (!has_text(text, config->trigger_sign) && !has_text(text, config->trigger_encrypt))
        return false;
    shorten(text);
    /* Cutting one may join the halves of the other. */
    while (cut_out(text, config->trigger_sign, &cuts) || cut_out(text, config->trigger_encrypt, &cuts))
        ;
    return true;
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
