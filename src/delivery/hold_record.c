/* The file "record" of an entry: lines "NAME VALUE", in this order, the last one "end". */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/hold_private.h"
#include "util/mem.h"

#define FIRST_LINE "julia-hold 1"

static const char *const kinds[] = {"original", "changed", "lost"};

const char *hold_kind_name(enum hold_kind kind)
{
    return kinds[kind];
}

/* A value must not end its line; nothing else is done to it. */
static void add_line(struct buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, "%s ", name);
    for (; *value != '\0'; value++)
        buf_add_char(out, *value == '\n' ? ' ' : *value);
    buf_add_char(out, '\n');
}

void hold_record_compose(const struct hold_record *record, struct buf *out)
{
    buf_add_text(out, FIRST_LINE "\n");
    add_line(out, "kind", kinds[record->kind]);
    buf_printf(out, "time %lld\n", record->time);
    add_line(out, "node", record->node);
    add_line(out, "sender", record->sender);
    for (size_t i = 0; i < record->recipients.count; i++)
        add_line(out, "recipient", record->recipients.items[i]);
    buf_printf(out, "size %" PRIu64 "\n", record->size);
    add_line(out, "notify", record->dsn_notify);
    add_line(out, "ret", record->dsn_ret);
    add_line(out, "envid", record->dsn_envid);
    add_line(out, "queue-id", record->queue_id);
    add_line(out, "message-id", record->message_id);
    add_line(out, "of", record->of);
    buf_add_text(out, "end\n");
}

/* Where the value of a name goes that is a text; NULL: it is none of these. */
static char **text_of(struct hold_record *record, const char *name)
{
    const struct {
        const char *name;
        char **at;
    } texts[] = {{"node", &record->node},
                 {"sender", &record->sender},
                 {"notify", &record->dsn_notify},
                 {"ret", &record->dsn_ret},
                 {"envid", &record->dsn_envid},
                 {"queue-id", &record->queue_id},
                 {"message-id", &record->message_id},
                 {"of", &record->of}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(texts[i].name, name) == 0)
            return texts[i].at;
    return NULL;
}

static bool take_kind(struct hold_record *record, const char *value)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i], value) == 0) {
            record->kind = (enum hold_kind)i;
            return true;
        }
    return false;
}

static bool take_line(struct hold_record *record, const char *name, const char *value)
{
    char **text = text_of(record, name), *end;

    if (strcmp(name, "kind") == 0)
        return take_kind(record, value);
    if (strcmp(name, "time") == 0) {
        record->time = strtoll(value, &end, 10);
        return *value != '\0' && *end == '\0';
    }
    if (strcmp(name, "size") == 0) {
        record->size = strtoull(value, &end, 10);
        return *value != '\0' && *end == '\0';
    }
    if (strcmp(name, "recipient") == 0) {
        strlist_add(&record->recipients, value);
        return *value != '\0';
    }
    if (text == NULL || *text != NULL)
        return false;
    *text = mem_strdup(value);
    return true;
}

bool hold_record_parse(const char *text, struct hold_record *record)
{
    bool whole = false, fine = true;
    char *copy = mem_strdup(text), *line = copy, *end;

    for (size_t number = 0; fine && !whole && (end = strchr(line, '\n')) != NULL; line = end + 1, number++) {
        char *blank;

        *end = '\0';
        blank = strchr(line, ' ');
        if (number == 0) {
            fine = strcmp(line, FIRST_LINE) == 0;
        } else if (blank != NULL) {
            *blank = '\0';
            fine = take_line(record, line, blank + 1);
        } else {
            whole = strcmp(line, "end") == 0;
            fine = whole;
        }
    }
    free(copy);
    return whole && record->sender != NULL && record->node != NULL && record->recipients.count > 0;
}

void hold_record_free(struct hold_record *record)
{
    free(record->node);
    free(record->sender);
    strlist_free(&record->recipients);
    free(record->dsn_notify);
    free(record->dsn_ret);
    free(record->dsn_envid);
    free(record->queue_id);
    free(record->message_id);
    free(record->of);
    memset(record, 0, sizeof(*record));
}
