/* Between the files of the reports. */
#ifndef JULIA_REPORT_PRIVATE_H
#define JULIA_REPORT_PRIVATE_H

#include "delivery/report.h"
#include "util/buf.h"

/* What report_text() and report_html() do, for a given text. */
char *report_fill(const char *text, const char *const *pairs, const char *const *blocks, bool html);
/* The built-in text for what stands in front of the first hyphen of a name; "" if there is none. */
const char *report_builtin(const char *name);

/* Why this message must not be answered (RFC 3834 section 2), or NULL. */
const char *report_unanswerable(const struct message *message);

/* Is this sender one of ours: in INTERNAL_DOMAINS, or without a domain? */
bool report_is_inside(const struct config *config, const char *sender);

/* A small file that counts, NAME in BASE/var/run or beside the journal, locked until it is closed. -1: errno.
 */
int report_state_open(const struct config *config, const char *name);
/* The names of such files that begin with `prefix`. */
void report_state_list(const struct config *config, const char *prefix, struct strlist *names);

/* May a report about this incoming message go to its sender now? Counts it. What was allowed once for a
   message stays so for an hour: a retry is the same report. */
bool report_sender_allow(const struct message *message);

#define REPORT_RATE_PREFIX "notice-" /* of the state file of a kind */

/* May a notice of this kind be sent now? Counts it. `held_back_r`: how many were not sent since the last one.
 */
bool report_rate_allow(const struct config *config, const char *kind, unsigned long *held_back_r);

/* How many notices of this kind were not sent, when the hour is over that they belong to; they count as told
   from now on. */
unsigned long report_rate_take(const struct config *config, const char *kind);
/* They were not told: `count` more to be told. */
void report_rate_untake(const struct config *config, const char *kind, unsigned long count);

/* One mail that julia writes. */
struct report_mail {
    const char *to;
    enum config_target target;
    const char *auto_submitted; /* RFC 3834 section 5: "auto-replied", "auto-generated" */
    const char *text;           /* of a template: "Subject: ...", empty line, body */
    const char *kind;           /* for the Message-ID and the log */
    bool in_reply;              /* name the original in In-Reply-To and References */
    bool discreet;              /* it leaves the organisation: nothing of the original's header is quoted */
    const struct buf *status;   /* body of a message/delivery-status part, or NULL: plain text mail */
};
/* Composes and hands off with the null sender until `until`. True: the target has taken it. Else outcome is
   temporary. */
bool report_send(const struct message *message, const struct report_mail *mail, deadline until,
                 struct outcome *outcome);

/* The decoded Subject of the message this run is about, shortened; "" if none. Newly allocated. */
char *report_subject(const struct message *message);

#endif
