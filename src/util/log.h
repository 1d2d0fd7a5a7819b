/* The log (DESIGN section 12): key=value, one line per event, the queue id first; syslog or file.
   Values outside printable ASCII or with blank, '=', '"' or '\' are quoted as \xHH. Files stay open: a
   program that runs for long is to be started anew after a rotation, which is what SIGHUP does to a module's
   workers. A log that cannot be written never changes what happens to mail: log_open() then falls back to
   syslog and stderr is told once. */
#ifndef JULIA_LOG_H
#define JULIA_LOG_H

#include <stdbool.h>

#include "util/buf.h"
#include "util/strlist.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };
enum log_names { LOG_NAMES_YES, LOG_NAMES_HASH, LOG_NAMES_NO };

/* `target` is "syslog", "syslog:FACILITY", "stderr" or an absolute path. `program` begins each line of a file
   and is syslog's ident. */
void log_open(const char *target, const char *program);
void log_set_queue_id(const char *queue_id); /* NULL or "": "-" */
/* How log_address() shows addresses. For LOG_NAMES_HASH `key_file` holds the key (made when missing, 0600):
   HMAC-SHA-256 cut to 16 hex digits for the local part, domain in clear. LOG_NAMES_NO: "-". */
void log_set_names(enum log_names mode, const char *key_file);
void log_close(void);

/* log_event(LOG_LEVEL_INFO, "handoff", "target", "external", "recipient", log_address(&tmp, rcpt), (char
   *)NULL) writes TIME program[pid]: QID level=info event=handoff target=external recipient=...; a NULL value
   skips its pair. errno is left alone. Before log_open() nothing is written. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
/* The address as LOG_NAMES wants it, in `scratch`. */
const char *log_address(struct buf *scratch, const char *address);
/* Several of them, separated by commas; the caller frees it. */
char *log_addresses(const struct strlist *addresses);
/* Quotes one value as log lines do (also used for verify.log). */
void log_quote(struct buf *out, const char *value);

#endif
