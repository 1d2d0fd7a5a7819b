/* Who hears what about mail that has not the form demanded (demand.h). */
#ifndef JULIA_DEMAND_TELL_H
#define JULIA_DEMAND_TELL_H

#include "delivery/journal.h"
#include "incoming/demand.h"

/* DEMAND_REFUSED: these recipients do not get the message, and its sender gets a report, under the rules of
   report_refuse_incoming(). Returns how many were answered for by this call. */
size_t demand_refuse(const struct demand_verdict *verdict, const struct message *message,
                     struct journal *journal, const struct strlist *recipients, struct outcome *outcome);
/* ADMIN is told, once a message, of what is refused or doubted. */
void demand_notify(const struct demand_verdict *verdict, const struct message *message,
                   struct journal *journal, const struct strlist *recipients);
/* The line of -explain for refused recipients, and the notes for all. */
void demand_explain_refused(const struct demand_verdict *verdict, const struct strlist *recipients,
                            struct buf *out);
void demand_explain(const struct demand_verdict *verdict, struct buf *out);

/* "found: ...; required: ..." in one line. Newly allocated. */
char *demand_text(const struct demand_verdict *verdict);

#endif
