#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/report_private.h"
#include "mail/glyph.h"
#include "mail/utf8.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

#define TEMPLATE_MAX (64u << 10)
#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyz0123456789-"

struct filling {
    const char *const *pairs, *const *blocks;
    bool html;
};

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void report_escape(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (entity(*text) != NULL)
            buf_add_text(out, entity(*text));
        else
            buf_add_char(out, *text);
}

/* A value must look like what it is: it has neither controls nor anything invisible, and stays on its line.
 */
static void clean_value(struct buf *out, const char *value)
{
    size_t len = strlen(value), taken;

    for (; len > 0; value += taken, len -= taken) {
        uint32_t code;

        taken = utf8_decode(value, len, &code);
        if (taken == 0 || glyph_invisible(code)) {
            buf_add_char(out, taken == 0 ? '?' : ' ');
            taken += taken == 0;
        } else {
            buf_add(out, value, taken);
        }
    }
}

static void add_value(struct buf *out, const char *value, bool html)
{
    struct buf clean = {0};

    clean_value(&clean, value);
    if (html)
        report_escape(out, buf_text(&clean));
    else
        buf_add(out, buf_text(&clean), clean.len);
    buf_free(&clean);
}

static void add_block(struct buf *out, const char *block, bool html)
{
    const char *gap;

    while (html && (gap = strstr(block, "\n\n")) != NULL) {
        char *paragraph = mem_strndup(block, (size_t)(gap - block));

        report_escape(out, paragraph);
        buf_add_text(out, "<br><br>\n");
        free(paragraph);
        block = gap + strspn(gap, "\n");
    }
    if (html)
        report_escape(out, block);
    else
        buf_add_text(out, block);
}

/* The value of the placeholder; NULL if there is none. */
static const char *value_of(const char *const *pairs, const char *name, size_t len)
{
    for (const char *const *pair = pairs; pair != NULL && *pair != NULL; pair += 2)
        if (strlen(pair[0]) == len && memcmp(pair[0], name, len) == 0)
            return pair[1];
    return NULL;
}

/* One line without its end. False: it has placeholders and all of them are empty, so the line is left out. */
static bool fill_line(struct buf *out, const char *line, size_t len, const struct filling *filling)
{
    const char *end = line + len, *mark, *close;
    bool any = false, filled = false;

    while ((mark = memmem(line, (size_t)(end - line), "${", 2)) != NULL &&
           (close = memchr(mark, '}', (size_t)(end - mark))) != NULL) {
        size_t name_len = (size_t)(close - mark) - 2;
        const char *value = value_of(filling->pairs, mark + 2, name_len);
        const char *block = value != NULL ? NULL : value_of(filling->blocks, mark + 2, name_len);

        buf_add(out, line, (size_t)(mark - line));
        if (value != NULL)
            add_value(out, value, filling->html);
        else if (block != NULL)
            add_block(out, block, filling->html);
        any = true;
        filled = filled || (value != NULL && *value != '\0') || (block != NULL && *block != '\0');
        line = close + 1;
    }
    buf_add(out, line, (size_t)(end - line));
    return filled || !any;
}

char *report_fill(const char *text, const char *const *pairs, const char *const *blocks, bool html)
{
    const struct filling filling = {pairs, blocks, html};
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
                 const char *type, struct buf *text)
{
    char *path = mem_printf("%s/%s/%.*s.%s", directory, language, (int)name_len, name, type);
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
                  const char *const *blocks)
{
    size_t len = strspn(name, NAME_CHARS), group = strcspn(name, "-");
    struct buf text = {0};
    const char *source = report_builtin(name);
    char *filled;

    if (name[len] == '\0' && len > 0 &&
        (load(directory, language, name, len, "txt", &text) ||
         load(directory, language, name, group, "txt", &text)))
        source = behind_comments(buf_text(&text));
    filled = report_fill(source, pairs, blocks, false);
    buf_free(&text);
    return filled;
}

char *report_template(const char *directory, const char *language, const char *name, const char *const *pairs)
{
    return report_text(directory, language, name, pairs, NULL);
}

char *report_html(const char *directory, const char *language, const char *name, const char *const *pairs,
                  const char *const *blocks)
{
    struct buf text = {0};
    char *filled = NULL;

    if (load(directory, language, name, strlen(name), "html", &text))
        filled = report_fill(behind_comments(buf_text(&text)), pairs, blocks, true);
    buf_free(&text);
    return filled;
}
