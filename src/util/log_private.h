/* Between the files of the log. */
#ifndef JULIA_LOG_PRIVATE_H
#define JULIA_LOG_PRIVATE_H

#include "util/log.h"

/* The local syslog daemon's socket, never waited for: syslog(3) blocks when the daemon is stuck, and mail
   would wait with it. A line that cannot be sent at once is lost. */
void log_syslog_open(const char *facility); /* "mail", "daemon", "local0" ...; unknown: mail */
void log_syslog_write(enum log_level level, const char *program, const char *text);
void log_syslog_close(void);

#endif
