/* Giving a finished message to one target's sendmail command (DESIGN sections 7 and 12). */
#ifndef JULIA_HANDOFF_H
#define JULIA_HANDOFF_H

#include "core/message.h"
#include "delivery/journal.h"

struct handoff {
    enum config_target target;
    int fd;             /* finished message; becomes standard input */
    uint64_t start;     /* ... from this position on */
    const char *sender; /* "" null sender; checked with address_valid() before */
    const struct strlist *recipients;
    bool headers_only; /* decrypted mail: -R hdrs whatever was asked */
    bool failure_told; /* the notice of a failure comes back here: it is asked for even if the sender wants
                          none */
    const char *how;   /* for journal and log: "signed", "encrypted", "clear", "decrypted", ... */
};

/* Claims each recipient in the journal; those done before are left out (and logged), busy ones make a
   temporary outcome. Runs the target's command once for the claimed ones, as handoff_command() does. Exit 0:
   all are journalled. Anything else, a signal, a timeout: temporary outcome (a target's refusal is never
   passed on as permanent), the target's first output line in the log. One log line per hand-off. Nothing to
   do (all done before): outcome stays as it is. Returns how many recipients got the message by this call. */
size_t handoff_run(const struct message *message, struct journal *journal, const struct handoff *handoff,
                   struct outcome *outcome);

/* Claims each recipient in the journal (NULL: a rehearsal, everybody is claimed). Done before: into `before`,
   which may be NULL; busy or a journal that fails: temporary outcome. */
void handoff_claim(struct journal *journal, const struct strlist *recipients, struct strlist *claimed,
                   struct strlist *before, struct outcome *outcome);

/* Notes that these recipients are done with, all at once. What was sent cannot be called back: a journal that
   fails is logged, and a retry may send it twice. */
void handoff_note(struct journal *journal, const struct strlist *recipients, const char *how);

/* The same as handoff_run() without journal, for mails that have their own entries there: runs the command
   (argv: its words, -i -f SENDER, -N -R -V as config->mta wants them unless the sender is null, --,
   recipients; environment PATH and LANG only) until `until` and logs. True: the target has taken the message.
   Else outcome is temporary. */
bool handoff_command(const struct message *message, const struct handoff *handoff,
                     const struct strlist *recipients, deadline until, struct outcome *outcome);

#endif
