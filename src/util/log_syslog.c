#include "util/log_private.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The numbers of RFC 5424 section 6.2.1; <syslog.h> has macros that clash with ours. */
#define FACILITY_MAIL 2

#define SYSLOG_SOCKET   "/dev/log"
#define SYSLOG_LINE_MAX 8000 /* what rsyslog and journald take in one datagram */

static int facility = FACILITY_MAIL;
static int syslog_fd = -1;

void log_syslog_open(const char *name)
{
    static const struct {
        const char *name;
        int code;
    } known[] = {{"user", 1},    {"mail", 2},    {"daemon", 3},  {"auth", 4},
                 {"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19},
                 {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23}};

    facility = FACILITY_MAIL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(name, known[i].name) == 0)
            facility = known[i].code;
}

static bool connect_daemon(void)
{
    static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET};

    if (syslog_fd >= 0)
        return true;
    syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (syslog_fd >= 0 && connect(syslog_fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        log_syslog_close();
    return syslog_fd >= 0;
}

/* RFC 3164: <PRI>Mmm dd hh:mm:ss program[pid]: text */
void log_syslog_write(enum log_level level, const char *program, const char *text)
{
    static const int severities[] = {3, 4, 6, 7};
    struct buf line = {0};
    time_t now = time(NULL);
    struct tm local;
    char stamp[32] = "";

    if (!connect_daemon())
        return;
    if (localtime_r(&now, &local) != NULL)
        strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &local);
    buf_printf(&line, "<%d>%s %s[%ld]: %s", facility * 8 + severities[level], stamp, program, (long)getpid(),
               text);
    if (line.len > SYSLOG_LINE_MAX)
        line.len = SYSLOG_LINE_MAX;
    if (send(syslog_fd, line.data, line.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_syslog_close(); /* the daemon may have been started anew: the next line connects again */
    buf_free(&line);
}

void log_syslog_close(void)
{
    if (syslog_fd >= 0)
        close(syslog_fd);
    syslog_fd = -1;
}
