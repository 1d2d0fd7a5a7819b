/* One line an entry, for people or as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hold/hold.h"
#include "mail/utf8.h"
#include "util/fdio.h"
#include "util/log.h"

static uint64_t size_of(const struct hold *hold)
{
    uint64_t size = 0;
    int fd = hold_message(hold);

    if (fd >= 0 && fdio_size(fd, &size) != 0)
        size = 0;
    fdio_close(&fd);
    return size;
}

/* 59s, 47m, 40h, 9d: two digits where possible. */
static void add_age(struct buf *out, long long seconds)
{
    char text[32];

    if (seconds < 100)
        snprintf(text, sizeof(text), "%llds", seconds < 0 ? 0 : seconds);
    else if (seconds < 100 * 60)
        snprintf(text, sizeof(text), "%lldm", seconds / 60);
    else if (seconds < 48 * 3600)
        snprintf(text, sizeof(text), "%lldh", seconds / 3600);
    else
        snprintf(text, sizeof(text), "%lldd", seconds / 86400);
    buf_printf(out, "%4s", text);
}

static void add_recipients(struct buf *out, const struct hold *hold, bool pending)
{
    const struct strlist *recipients = &hold_record(hold)->recipients;
    size_t named = 0;

    for (size_t i = 0; i < recipients->count; i++) {
        if (pending && hold_finished(hold, i, NULL))
            continue;
        buf_add_text(out, named++ > 0 ? "," : "");
        log_quote(out, recipients->items[i]);
    }
}

static void add_line(struct buf *out, const struct hold *hold)
{
    const struct hold_record *record = hold_record(hold);

    buf_printf(out, "%s ", record->id);
    add_age(out, hold_age_of(hold));
    buf_printf(out, " %-8s %9llu ", hold_state_name(hold), (unsigned long long)size_of(hold));
    if (record->sender[0] != '\0')
        log_quote(out, record->sender);
    else
        buf_add_text(out, "<>");
    buf_add_char(out, ' ');
    add_recipients(out, hold, hold_state(hold) != HOLD_GONE);
    buf_add_char(out, '\n');
}

/* What is not UTF-8 becomes U+FFFD: JSON has nothing else to say it with. */
static void add_string(struct buf *out, const char *text)
{
    size_t len = strlen(text), taken;

    buf_add_char(out, '"');
    for (; len > 0; text += taken, len -= taken) {
        uint32_t code;

        taken = utf8_decode(text, len, &code);
        if (taken == 0) {
            buf_add_text(out, "\\ufffd");
            taken = 1;
        } else if (code < ' ' || code == 0x7f || code == '"' || code == '\\') {
            buf_printf(out, "\\u%04x", (unsigned int)code);
        } else {
            buf_add(out, text, taken);
        }
    }
    buf_add_char(out, '"');
}

static void add_pair(struct buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, ", \"%s\": ", name);
    add_string(out, value);
}

static void add_json_recipients(struct buf *out, const struct hold *hold)
{
    const struct strlist *recipients = &hold_record(hold)->recipients;

    buf_add_text(out, ", \"recipients\": [");
    for (size_t i = 0; i < recipients->count; i++) {
        enum hold_how how;
        bool finished = hold_finished(hold, i, &how);

        buf_printf(out, "%s{\"address\": ", i > 0 ? ", " : "");
        add_string(out, recipients->items[i]);
        add_pair(out, "state", finished ? hold_how_name(how) : "pending");
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void add_json(struct buf *out, const struct hold *hold)
{
    const struct hold_record *record = hold_record(hold);
    char *refusal = hold_refusal(hold);

    buf_printf(out, "{\"id\": \"%s\", \"age\": %lld, \"time\": %lld, \"size\": %llu", record->id,
               hold_age_of(hold), record->time, (unsigned long long)size_of(hold));
    add_pair(out, "state", hold_state_name(hold));
    add_pair(out, "kind", hold_kind_name(record->kind));
    add_pair(out, "node", record->node);
    add_pair(out, "sender", record->sender);
    add_pair(out, "queue_id", record->queue_id);
    add_pair(out, "message_id", record->message_id);
    add_pair(out, "of", record->of);
    add_pair(out, "refusal", refusal);
    add_json_recipients(out, hold);
    buf_add_text(out, "}\n");
    free(refusal);
}

static void list_one(const struct hold *hold, const struct listing *listing)
{
    struct buf line = {0};

    if (!listing->all && hold_state(hold) == HOLD_GONE)
        return;
    if (listing->json)
        add_json(&line, hold);
    else
        add_line(&line, hold);
    fwrite(line.data, 1, line.len, stdout);
    buf_free(&line);
}

int list_run(struct hold_store *store, const struct listing *listing)
{
    struct strlist ids = {0};
    int status = PROGRAM_FINE;

    if (hold_list(store, &ids) != 0) {
        program_complain("HOLD_DIR cannot be read");
        return PROGRAM_TEMPORARY;
    }
    for (size_t i = 0; i < ids.count; i++) {
        struct outcome outcome;
        struct hold *hold;

        outcome_done(&outcome);
        if (hold_open(store, ids.items[i], &hold, &outcome) == HOLD_FOUND)
            list_one(hold, listing);
        if (outcome.kind != OUTCOME_DONE) {
            program_complain("%s", outcome.text);
            status = PROGRAM_TEMPORARY;
        }
        hold_close(hold);
    }
    strlist_free(&ids);
    return status;
}
