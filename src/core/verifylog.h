/* verify.log: one line for each certificate that was judged or key that was used (DESIGN section 12):
       time qid fingerprint address use verdict reason evidence
   separated by blanks; each value quoted as in the log, "-" when there is none. The address is shown as
   LOG_NAMES says. */
#ifndef JULIA_VERIFYLOG_H
#define JULIA_VERIFYLOG_H

#include "core/message.h"

struct verifylog_line {
    const char *fingerprint, *address; /* each NULL when there is none */
    const char *use;                   /* sign, encrypt, decrypt */
    const char *verdict, *reason, *evidence;
};
/* Appends one line to VERIFY_LOG. A log that cannot be written never changes what happens to mail: the fault
   is told in the log, once a run. */
void verifylog_write(const struct message *message, const struct verifylog_line *line);

#endif
