#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mail/utf8.h"
#include "rules/parse.h"
#include "util/buf.h"
#include "util/fdio.h"
#include "util/mem.h"

static void rule_free(struct rule *rule)
{
    free(rule->text);
    pattern_free(&rule->from);
    pattern_free(&rule->to);
    for (size_t i = 0; i < rule->condition_count; i++)
        condition_free(&rule->conditions[i]);
    free(rule->conditions);
    for (size_t i = 0; i < rule->action_count; i++)
        action_free(&rule->actions[i]);
    free(rule->actions);
}

void ruleset_free(struct ruleset *ruleset)
{
    if (!ruleset)
        return;
    for (size_t i = 0; i < ruleset->count; i++)
        rule_free(&ruleset->rules[i]);
    free(ruleset->rules);
    free(ruleset->file);
    free(ruleset);
}

/* Text that people can have written: UTF-8 without control characters. Adds a fault at the first octet that
 * is not. */
static bool check_octets(struct scan *scan)
{
    uint32_t code;
    for (size_t at = 0, n; at < scan->place.len; at += n) {
        n = utf8_decode(scan->place.text + at, scan->place.len - at, &code);
        if (n == 0) {
            scan_fault(scan, at, "not UTF-8; save the file in this encoding");
            return false;
        }
        if (code != '\t' && (code < 0x20 || (code >= 0x7f && code < 0xa0))) {
            scan_fault(scan, at, "control character U+%04X", (unsigned int)code);
            return false;
        }
    }
    return true;
}

/* One line without its end. */
static void load_line(struct ruleset *ruleset, struct scan *scan, const char *start, size_t len)
{
    char *text = mem_dup(start, len);
    scan->place.line++;
    scan->place.text = text;
    scan->place.len = len;
    scan->place.at = 0;
    if (len > RULE_LINE_MAX) {
        scan->place.text = NULL;
        scan_fault(scan, 0, "the line is longer than %u octets", RULE_LINE_MAX);
    } else if (check_octets(scan) && !scan_at_end(scan)) {
        struct rule *rule = mem_push(&ruleset->rules, &ruleset->count, sizeof *rule);
        rule->line = scan->place.line;
        rule->text = text;
        text = NULL;
        parse_rule(scan, rule);
    }
    free(text);
}

static void load_lines(struct ruleset *ruleset, struct scan *scan, const char *data, size_t len)
{
    if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
        data += 3;
        len -= 3;
    }
    while (len > 0) {
        const char *end = memchr(data, '\n', len);
        size_t line = end ? (size_t)(end - data) : len;
        size_t next = end ? line + 1 : len;
        if (line > 0 && data[line - 1] == '\r')
            line--;
        load_line(ruleset, scan, data, line);
        data += next;
        len -= next;
    }
}

struct ruleset *ruleset_load(const char *path, bool (*profile_known)(const char *name, void *context),
                             void *context, struct ruleset_faults *faults)
{
    struct buf data = {0};
    struct scan scan = {
        .place = {.file = path}, .faults = faults, .profile_known = profile_known, .context = context};
    size_t before = faults->items.count;
    if (fdio_read_file(path, RULE_FILE_MAX, &data) != 0) {
        fault_add(faults, &scan.place, "error", "cannot be read: %s", strerror(errno));
        buf_free(&data);
        return NULL;
    }
    struct ruleset *ruleset = mem_alloc(sizeof *ruleset);
    ruleset->file = mem_strdup(path);
    load_lines(ruleset, &scan, buf_text(&data), data.len);
    buf_free(&data);
    if (faults->items.count == before)
        return ruleset;
    ruleset_free(ruleset);
    return NULL;
}
