/* Everything that is known about one entry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hold/hold.h"
#include "mail/mime.h"
#include "util/fdio.h"

static void add_value(struct buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, "%-10s ", name);
    printable_add(out, value, strlen(value));
    buf_add_char(out, '\n');
}

static void add_time(struct buf *out, long long seconds)
{
    time_t when = (time_t)seconds;
    struct tm local;
    char text[64];

    if (localtime_r(&when, &local) != NULL &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &local) > 0)
        buf_add_text(out, text);
}

static void add_recipients(struct buf *out, const struct hold *hold)
{
    const struct strlist *recipients = &hold_record(hold)->recipients;

    for (size_t i = 0; i < recipients->count; i++) {
        enum hold_how how;
        long long when = hold_finished_at(hold, i);

        buf_add_text(out, "recipient  ");
        printable_add(out, recipients->items[i], strlen(recipients->items[i]));
        buf_add_char(out, ' ');
        buf_add_text(out, hold_finished(hold, i, &how) ? hold_how_name(how) : "pending");
        if (when > 0) {
            buf_add_char(out, ' ');
            add_time(out, when);
        }
        buf_add_char(out, '\n');
    }
}

static void add_record(struct buf *out, const struct hold *hold)
{
    const struct hold_record *record = hold_record(hold);
    char *refusal = hold_refusal(hold);

    add_value(out, "id", record->id);
    add_value(out, "kind", hold_kind_name(record->kind));
    add_value(out, "state", hold_state_name(hold));
    buf_add_text(out, "kept       ");
    add_time(out, record->time);
    buf_add_char(out, '\n');
    add_value(out, "node", record->node);
    add_value(out, "queue-id", record->queue_id);
    add_value(out, "message-id", record->message_id);
    add_value(out, "of", record->of);
    add_value(out, "refusal", refusal);
    add_value(out, "sender", record->sender[0] != '\0' ? record->sender : "<>");
    add_recipients(out, hold);
    free(refusal);
}

/* The header of what is kept; never its content. */
static void add_header(struct buf *out, const struct hold *hold)
{
    struct mime mime;
    uint64_t size;
    int fd = hold_message(hold);

    if (fd >= 0 && fdio_size(fd, &size) == 0 && mime_parse(&mime, fd, 0, size, NULL) == 0) {
        const char *line = (const char *)mime.root->header.data;
        const char *stop = line + mime.root->header.len;

        buf_printf(out, "size       %llu\n\n", (unsigned long long)size);
        while (line < stop) {
            const char *end = memchr(line, '\n', (size_t)(stop - line));
            size_t len = (size_t)((end != NULL ? end : stop) - line);

            buf_add_text(out, "    ");
            printable_add(out, line, len - (len > 0 && line[len - 1] == '\r'));
            buf_add_char(out, '\n');
            line += len + 1;
        }
        mime_free(&mime);
    }
    fdio_close(&fd);
}

int show_run(struct hold_store *store, const char *id)
{
    struct buf text = {0};
    int status;
    struct hold *hold = program_open(store, id, &status);

    if (hold == NULL)
        return status;
    add_record(&text, hold);
    add_header(&text, hold);
    fwrite(text.data, 1, text.len, stdout);
    buf_free(&text);
    hold_close(hold);
    return PROGRAM_FINE;
}
