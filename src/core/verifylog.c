#include "core/verifylog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "util/fdio.h"
#include "util/log.h"

static void put_value(struct buf *out, const char *value)
{
    buf_add_char(out, ' ');
    if (value == NULL || *value == '\0')
        buf_add_char(out, '-');
    else
        log_quote(out, value);
}

static void put_time(struct buf *out)
{
    char text[sizeof("2026-11-21T12:00:00Z")];
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_add_text(out, text);
}

/* One write(2) with O_APPEND: lines of several processes do not mix. */
static int append(const char *path, const struct buf *line)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    int rc;

    if (fd < 0)
        return -1;
    rc = fdio_write_all(fd, line->data, line->len);
    fdio_close(&fd);
    return rc;
}

void verifylog_write(const struct message *message, const struct verifylog_line *line)
{
    static bool told;
    struct buf out = {0}, name = {0};
    const char *path = message->config->verify_log;

    put_time(&out);
    put_value(&out, message->envelope.queue_id);
    put_value(&out, line->fingerprint);
    put_value(&out, line->address == NULL ? NULL : log_address(&name, line->address));
    put_value(&out, line->use);
    put_value(&out, line->verdict);
    put_value(&out, line->reason);
    put_value(&out, line->evidence);
    buf_add_char(&out, '\n');
    if (path != NULL && append(path, &out) != 0 && !told) {
        told = true;
        log_event(LOG_LEVEL_ERROR, "verifylog", "file", path, "error", strerror(errno), (char *)NULL);
    }
    buf_free(&out);
    buf_free(&name);
}
