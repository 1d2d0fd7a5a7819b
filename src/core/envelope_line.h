/* The line "From SENDER DATE" that an MTA may write in front of a message for its local mailer. */
#ifndef JULIA_ENVELOPE_LINE_H
#define JULIA_ENVELOPE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer line that begins so is no envelope line: it is left in the message. */
#define ENVELOPE_LINE_MAX 4096

/* How many octets at the beginning of `data` are such a line (0: none). `sender_r` is the sender it names,
   newly allocated, "" for the null sender; untouched if there is no line. */
uint64_t envelope_line_parse(const char *data, size_t len, char **sender_r);

/* Does an MTA mean the null sender by these `len` octets: nothing, or the bare name MAILER-DAEMON (what
   Postfix gives without null_sender=, and Sendmail for notices that it writes itself)? */
bool envelope_line_null(const char *text, size_t len);

#endif
