/* Preloaded into programs that log by syslog(3) only: appends their lines to the file that SYSLOG_FILE names
 * when they start. The label is that of openlog(3). Without SYSLOG_FILE nothing is written; nothing ever goes
 * to the machine's own log. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LOGGED 8192 /* longer ones are cut */

static char log_path[1024];
static char log_label[128] = "?";

/* What the programs call when they were built with _FORTIFY_SOURCE. */
void __syslog_chk(int priority, int flag, const char *format, ...);
void __vsyslog_chk(int priority, int flag, const char *format, va_list args);

/* Now: Sendmail clears its environment soon after. */
__attribute__((constructor)) static void remember_path(void)
{
    const char *path = getenv("SYSLOG_FILE");
    if (path != NULL && strlen(path) < sizeof(log_path))
        strcpy(log_path, path);
}

__attribute__((format(printf, 1, 0))) static void append(const char *format, va_list args)
{
    char line[LINE_MAX_LOGGED];
    struct tm tm;
    time_t now = time(NULL);
    int fd = log_path[0] != '\0' ? open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (fd < 0)
        return;
    size_t len = strftime(line, sizeof(line), "%b %d %H:%M:%S ", localtime_r(&now, &tm));
    len += (size_t)snprintf(line + len, sizeof(line) - len, "%s[%d]: ", log_label, (int)getpid());
    int text = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
    len += text < 0 ? 0 : strlen(line + len);
    line[len++] = '\n';
    (void)!write(fd, line, len); /* one write: lines of several processes do not mix */
    close(fd);
}

void openlog(const char *label, int option, int facility)
{
    (void)option;
    (void)facility;
    if (label != NULL)
        snprintf(log_label, sizeof(log_label), "%s", label);
}

void closelog(void)
{
}

void vsyslog(int priority, const char *format, va_list args)
{
    (void)priority;
    append(format, args);
}

void syslog(int priority, const char *format, ...)
{
    va_list args;
    (void)priority;
    va_start(args, format);
    append(format, args);
    va_end(args);
}

void __vsyslog_chk(int priority, int flag, const char *format, va_list args)
{
    (void)priority;
    (void)flag;
    append(format, args);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list args;
    (void)priority;
    (void)flag;
    va_start(args, format);
    append(format, args);
    va_end(args);
}
