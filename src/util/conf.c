#include "util/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/buf.h"
#include "util/conf_private.h"
#include "util/fdio.h"
#include "util/mem.h"

#define CONF_FILE_MAX (1u << 20)
#define BLANKS        " \t"
#define NAME_CHARS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

struct reader {
    const char *path;
    const struct conf_entry *table;
    size_t entries;
    void *settings;
    struct conf_faults *faults;
    unsigned int *lines;       /* of each entry, 0: not set */
    unsigned int line;         /* the current one */
    unsigned int pending_line; /* where the pending entry begins; 0: there is none */
    struct buf pending;        /* NAME = value with its continuation lines */
};

void conf_fault(struct conf_faults *faults, const char *format, ...)
{
    struct buf text = {0};
    va_list ap;

    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    strlist_add_take(&faults->lines, buf_take(&text));
}

/* The entry of that name, or the one whose prefix fits; NULL if none. */
static const struct conf_entry *entry_find(const struct reader *r, const char *name)
{
    for (size_t i = 0; i < r->entries; i++) {
        const struct conf_entry *entry = &r->table[i];
        size_t prefix = strlen(entry->name) - 1;

        if (conf_is_prefix(entry) && strncmp(name, entry->name, prefix) == 0 && name[prefix] != '\0')
            return entry;
        if (strcmp(name, entry->name) == 0)
            return entry;
    }
    return NULL;
}

/* Like enough to be a slip: the same without case, or one letter more, less or other. */
static bool nearly_same(const char *a, const char *b)
{
    size_t same = 0, tail = 0, la = strlen(a), lb = strlen(b);

    if (strcasecmp(a, b) == 0)
        return true;
    while (same < la && same < lb && a[same] == b[same])
        same++;
    while (tail < la - same && tail < lb - same && a[la - 1 - tail] == b[lb - 1 - tail])
        tail++;
    return la - same - tail <= 1 && lb - same - tail <= 1;
}

static void fault_unknown(struct reader *r, const char *name)
{
    for (size_t i = 0; i < r->entries; i++)
        if (nearly_same(name, r->table[i].name)) {
            conf_fault(r->faults, "%s:%u: %s: there is no such parameter, did you mean %s?", r->path,
                       r->pending_line, name, r->table[i].name);
            return;
        }
    conf_fault(r->faults, "%s:%u: %s: there is no such parameter", r->path, r->pending_line, name);
}

static bool prefix_item_known(const struct strlist *items, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < items->count; i++)
        if (strncmp(items->items[i], name, len) == 0 && items->items[i][len] == '=')
            return true;
    return false;
}

static char *set_prefix_item(const struct conf_entry *entry, void *settings, const char *name,
                             const char *value)
{
    struct strlist *items = conf_target(entry, settings);
    const char *wrong = entry->check != NULL ? entry->check(value) : NULL;

    if (wrong != NULL)
        return mem_strdup(wrong);
    if (prefix_item_known(items, name))
        return mem_strdup("is set a second time, remove one of the two");
    strlist_add_take(items, mem_printf("%s=%s", name, value));
    return NULL;
}

static void set_entry(struct reader *r, const char *name, const char *value)
{
    const struct conf_entry *entry = entry_find(r, name);
    unsigned int *line;
    char *wrong;

    if (entry == NULL) {
        fault_unknown(r, name);
        return;
    }
    line = &r->lines[entry - r->table];
    if (conf_is_prefix(entry))
        wrong = set_prefix_item(entry, r->settings, name, value);
    else if (*line != 0)
        wrong = mem_printf("is set a second time (first in line %u), remove one of the two", *line);
    else
        wrong = conf_value_set(entry, r->settings, value);
    if (wrong != NULL)
        conf_fault(r->faults, "%s:%u: %s: %s", r->path, r->pending_line, name, wrong);
    if (*line == 0)
        *line = r->pending_line;
    free(wrong);
}

static void trim_end(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
        len--;
    text[len] = '\0';
}

/* The pending entry is complete: splits it at its '='. */
static void finish_entry(struct reader *r)
{
    char *name = r->pending.data, *value;
    size_t len;

    if (r->pending_line == 0)
        return;
    len = strspn(name, NAME_CHARS);
    value = name + len + strspn(name + len, BLANKS);
    if (len == 0 || *value != '=') {
        conf_fault(r->faults, "%s:%u: \"%.40s\": a line must read NAME = value", r->path, r->pending_line,
                   name);
    } else {
        value++;
        name[len] = '\0';
        value += strspn(value, BLANKS);
        trim_end(value);
        set_entry(r, name, value);
    }
    r->pending_line = 0;
}

/* A '#' with blanks (or the end of the line) on both sides begins a comment; any other one is part of the
 * value. */
static void cut_comment(char *line)
{
    for (char *p = line; (p = strchr(p, '#')) != NULL; p++)
        if (p > line && strchr(BLANKS, p[-1]) != NULL && (p[1] == '\0' || strchr(BLANKS, p[1]) != NULL)) {
            *p = '\0';
            return;
        }
}

static void take_line(struct reader *r, char *line)
{
    const char *text = line + strspn(line, BLANKS);

    if (*text == '\0' || *text == '#')
        return;
    cut_comment(line);
    if (text == line) {
        finish_entry(r);
        buf_clear(&r->pending);
        buf_add_text(&r->pending, line);
        r->pending_line = r->line;
    } else if (r->pending_line != 0) {
        trim_end(r->pending.data);
        r->pending.len = strlen(r->pending.data);
        buf_printf(&r->pending, " %s", text);
    } else {
        conf_fault(r->faults,
                   "%s:%u: a line that begins with a blank continues the one above, but there is none",
                   r->path, r->line);
    }
}

static void take_file(struct reader *r, const struct buf *file)
{
    char *at = file->data;

    if (strncmp(at, "\xEF\xBB\xBF", 3) == 0)
        at += 3;
    while (at < file->data + file->len) {
        char *end = memchr(at, '\n', (size_t)(file->data + file->len - at));
        size_t len = end != NULL ? (size_t)(end - at) : (size_t)(file->data + file->len - at);

        r->line++;
        at[len] = '\0';
        if (strlen(at) != len)
            conf_fault(r->faults, "%s:%u: the line contains a NUL octet", r->path, r->line);
        else if (len > 0 && at[len - 1] == '\r')
            at[len - 1] = '\0';
        take_line(r, at);
        at += len + 1;
    }
    finish_entry(r);
}

static void read_into(struct reader *r)
{
    struct buf file = {0};

    if (fdio_read_file(r->path, CONF_FILE_MAX, &file) != 0)
        conf_fault(r->faults, "%s: cannot be read: %s", r->path, strerror(errno));
    else if (file.len > 0)
        take_file(r, &file);
    buf_free(&file);
}

static void set_defaults(struct reader *r)
{
    for (size_t i = 0; i < r->entries; i++) {
        const struct conf_entry *entry = &r->table[i];
        char *wrong = NULL;

        if (entry->default_value != NULL && !conf_is_prefix(entry))
            wrong = conf_value_set(entry, r->settings, entry->default_value);
        if (wrong != NULL)
            conf_fault(r->faults, "%s: %s: the built-in default: %s", r->path, entry->name, wrong);
        free(wrong);
    }
}

static void resolve_paths(struct reader *r, const char *base)
{
    for (size_t i = 0; i < r->entries; i++)
        if (strcmp(r->table[i].name, "BASE") == 0) {
            char **own = conf_target(&r->table[i], r->settings);

            base = *own;
            if (base == NULL || *base != '/')
                conf_fault(r->faults, "%s:%u: BASE: must be an absolute path", r->path, r->lines[i]);
        }
    for (size_t i = 0; i < r->entries; i++)
        if (strcmp(r->table[i].name, "BASE") != 0)
            conf_value_resolve(&r->table[i], r->settings, base);
}

bool conf_load(const char *path, const struct conf_entry *table, size_t entries, void *settings,
               const char *base, struct conf_faults *faults, unsigned int *lines_r)
{
    struct reader r = {
        .path = path, .table = table, .entries = entries, .settings = settings, .faults = faults};
    size_t before = faults->lines.count;

    r.lines = mem_array(entries, sizeof(*r.lines));
    set_defaults(&r);
    read_into(&r);
    resolve_paths(&r, base);
    if (lines_r != NULL && entries > 0)
        memcpy(lines_r, r.lines, entries * sizeof(*lines_r));
    buf_free(&r.pending);
    free(r.lines);
    return faults->lines.count == before;
}

void conf_free(const struct conf_entry *table, size_t entries, void *settings)
{
    for (size_t i = 0; i < entries; i++)
        conf_value_free(&table[i], settings);
}

void conf_faults_free(struct conf_faults *faults)
{
    strlist_free(&faults->lines);
}
