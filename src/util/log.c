#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/log_private.h"
#include "util/mem.h"

#define LOG_VALUE_MAX 16384 /* octets of one value: a hostile header must not fill the log */
#define LOG_FILE_MODE 0640

static struct {
    char *target;
    char *program;
    char *queue_id;
    int fd;    /* of a file or stderr; -1: syslog */
    bool told; /* stderr knows already that the log cannot be written */
} state = {.fd = -1};

static const char *const level_names[] = {"error", "warning", "info"};

static void tell_once(const char *what)
{
    if (state.told)
        return;
    state.told = true;
    dprintf(STDERR_FILENO, "%s: %s: %s\n", state.program, state.target, what);
}

static void open_target(void)
{
    state.fd = -1;
    if (strcmp(state.target, "stderr") == 0)
        state.fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (state.target[0] != '/')
        return;
    /* never blocks, should the path be a pipe that nobody reads */
    state.fd =
        open(state.target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, LOG_FILE_MODE);
    if (state.fd < 0)
        tell_once("log cannot be opened, writing to syslog instead");
}

/* A log at its size limit, or a reader that went away, must not end the process. A handler that is there
 * stays. */
static void ignore_if_deadly(int number)
{
    struct sigaction action;

    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
        signal(number, SIG_IGN);
}

void log_open(const char *target, const char *program)
{
    log_close();
    state.target = mem_strdup(target != NULL && *target != '\0' ? target : "syslog");
    state.program = mem_strdup(program);
    ignore_if_deadly(SIGXFSZ);
    ignore_if_deadly(SIGPIPE);
    log_syslog_open(strncmp(state.target, "syslog:", 7) == 0 ? state.target + 7 : "mail");
    open_target();
}

void log_close(void)
{
    fdio_close(&state.fd);
    log_syslog_close();
    free(state.target);
    free(state.program);
    free(state.queue_id);
    state.target = state.program = state.queue_id = NULL;
    state.told = false;
}

void log_set_queue_id(const char *queue_id)
{
    free(state.queue_id);
    state.queue_id = queue_id != NULL && *queue_id != '\0' ? mem_strdup(queue_id) : NULL;
}

static void quote(struct buf *out, const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];

        if (c <= ' ' || c >= 0x7f || c == '=' || c == '"' || c == '\\')
            buf_printf(out, "\\x%02X", c);
        else
            buf_add_char(out, (char)c);
    }
}

void log_quote(struct buf *out, const char *value)
{
    quote(out, value, strlen(value));
}

/* 2026-03-01T12:34:56+0100 */
static void add_time(struct buf *line)
{
    time_t now = time(NULL);
    struct tm local;
    char text[40];

    if (localtime_r(&now, &local) != NULL && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &local) > 0)
        buf_add_text(line, text);
    else
        buf_add_char(line, '-');
}

static void add_pairs(struct buf *line, enum log_level level, const char *event, va_list ap)
{
    const char *name;

    if (state.queue_id != NULL)
        log_quote(line, state.queue_id);
    else
        buf_add_char(line, '-');
    buf_printf(line, " level=%s event=", level_names[level]);
    log_quote(line, event);
    while ((name = va_arg(ap, const char *)) != NULL) {
        const char *value = va_arg(ap, const char *);

        if (value == NULL)
            continue;
        buf_printf(line, " %s=", name);
        quote(line, value, strnlen(value, LOG_VALUE_MAX));
    }
}

/* One write: lines of several processes do not mix. */
static bool write_line(const struct buf *pairs)
{
    struct buf line = {0};
    ssize_t written;

    add_time(&line);
    buf_printf(&line, " %s[%ld]: %s\n", state.program, (long)getpid(), buf_text(pairs));
    written = write(state.fd, line.data, line.len);
    if (written != (ssize_t)line.len)
        tell_once("log cannot be written, writing to syslog instead");
    buf_free(&line);
    return written > 0;
}

void log_event(enum log_level level, const char *event, ...)
{
    struct buf pairs = {0};
    int saved = errno;
    va_list ap;

    if (state.target == NULL)
        return;
    va_start(ap, event);
    add_pairs(&pairs, level, event, ap);
    va_end(ap);
    if (state.fd < 0 || !write_line(&pairs))
        log_syslog_write(level, state.program, buf_text(&pairs));
    buf_free(&pairs);
    errno = saved;
}
