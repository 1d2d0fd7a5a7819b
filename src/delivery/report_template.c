#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/report_private.h"
#include "mail/utf8.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

#define TEMPLATE_MAX (64u << 10)
#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyz0123456789-"

struct filling {
    const char *const *pairs;
    const char *block_name, *block;
};

/* Controls, and the characters that turn the direction of writing: a value must look like what it is. */
static bool is_invisible(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

static void add_value(struct buf *out, const char *value)
{
    size_t len = strlen(value), taken;

    for (; len > 0; value += taken, len -= taken) {
        uint32_t code;

        taken = utf8_decode(value, len, &code);
        if (taken == 0 || is_invisible(code)) {
            buf_add_char(out, taken == 0 ? '?' : ' ');
            taken += taken == 0;
        } else {
            buf_add(out, value, taken);
        }
    }
}

/* The value of the placeholder; NULL if there is none. */
static const char *value_of(const struct filling *filling, const char *name, size_t len)
{
    for (const char *const *pair = filling->pairs; pair != NULL && *pair != NULL; pair += 2)
        if (strlen(pair[0]) == len && memcmp(pair[0], name, len) == 0)
            return pair[1];
    return NULL;
}

static bool is_block(const struct filling *filling, const char *name, size_t len)
{
    return filling->block_name != NULL && strlen(filling->block_name) == len &&
           memcmp(filling->block_name, name, len) == 0;
}

/* One line without its end. False: it has placeholders and all of them are empty, so the line is left out. */
static bool fill_line(struct buf *out, const char *line, size_t len, const struct filling *filling)
{
    const char *end = line + len, *mark, *close;
    bool any = false, filled = false;

    while ((mark = memmem(line, (size_t)(end - line), "${", 2)) != NULL &&
           (close = memchr(mark, '}', (size_t)(end - mark))) != NULL) {
        size_t name_len = (size_t)(close - mark) - 2;
        bool block = is_block(filling, mark + 2, name_len);
        const char *value = block ? filling->block : value_of(filling, mark + 2, name_len);

        buf_add(out, line, (size_t)(mark - line));
        if (value != NULL && block)
            buf_add_text(out, value);
        else if (value != NULL)
            add_value(out, value);
        any = true;
        filled = filled || (value != NULL && *value != '\0');
        line = close + 1;
    }
    buf_add(out, line, (size_t)(end - line));
    return filled || !any;
}

char *report_fill(const char *text, const char *const *pairs, const char *block_name, const char *block)
{
    const struct filling filling = {pairs, block_name, block};
    struct buf out = {0};

    buf_add(&out, "", 0);
    while (*text != '\0') {
        size_t len = strcspn(text, "\n"), before = out.len;
        size_t kept = len > 0 && text[len - 1] == '\r' ? len - 1 : len;

        if (fill_line(&out, text, kept, &filling)) {
            buf_add_char(&out, '\n');
        } else {
            out.len = before;
            out.data[before] = '\0';
        }
        text += len + (text[len] == '\n');
    }
    return buf_take(&out);
}

/* Lines at the top that begin with '#' are for whoever edits the file. */
static const char *behind_comments(const char *text)
{
    while (*text == '#') {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return text;
}

static bool load(const char *directory, const char *language, const char *name, size_t name_len,
                 struct buf *text)
{
    char *path = mem_printf("%s/%s/%.*s.txt", directory, language, (int)name_len, name);
    const char *fault = NULL;

    if (fdio_read_file(path, TEMPLATE_MAX, text) != 0)
        fault = errno == ENOENT ? "" : strerror(errno);
    else if (strlen(buf_text(text)) != text->len || !utf8_valid(buf_text(text), text->len))
        fault = "not UTF-8 text";
    if (fault != NULL && *fault != '\0')
        log_event(LOG_LEVEL_WARNING, "template", "file", path, "fault", fault, (char *)NULL);
    if (fault != NULL)
        buf_clear(text);
    free(path);
    return fault == NULL;
}

char *report_text(const char *directory, const char *language, const char *name, const char *const *pairs,
                  const char *block_name, const char *block)
{
    size_t len = strspn(name, NAME_CHARS), group = strcspn(name, "-");
    struct buf text = {0};
    const char *source = report_builtin(name);
    char *filled;

    if (name[len] == '\0' && len > 0 &&
        (load(directory, language, name, len, &text) || load(directory, language, name, group, &text)))
        source = behind_comments(buf_text(&text));
    filled = report_fill(source, pairs, block_name, block);
    buf_free(&text);
    return filled;
}

char *report_template(const char *directory, const char *language, const char *name, const char *const *pairs)
{
    return report_text(directory, language, name, pairs, NULL, NULL);
}
