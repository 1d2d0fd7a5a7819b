/* Mails that julia writes itself, from etc/templates/{de,en}: non-delivery reports (RFC 3464 in RFC 6522),
   notices to ADMIN. Null envelope sender, Auto-Submitted, never to null senders, lists or other automatic
   mail, rate limited (RFC 3834). Handed straight to their target's sendmail, once per message and kind
   (journal). */
#ifndef JULIA_REPORT_H
#define JULIA_REPORT_H

#include "core/message.h"
#include "delivery/journal.h"

struct report_recipient {
    const char *address;
    const char *dsn;    /* "5.7.1" */
    const char *reason; /* template key, see etc/templates/README: "no-certificate", "expired", ... */
    const char *detail; /* e.g. "2026-03-01", the REJECT text, or NULL */
    /* NAME, value ..., NULL: more of them for the text of this reason, at most 8; or NULL */
    const char *const *pairs;
};

/* Non-delivery report to the envelope sender about these recipients, with the original's header (never its
   body). Goes to TARGET_INTERNAL; to a sender outside of INTERNAL_DOMAINS to TARGET_EXTERNAL, and then
   without header and Subject: what had to be encrypted does not leave in a report, either. Nothing is sent
   (outcome stays) when the sender is null or must not be answered; it is logged then and ADMIN told.
   NOTIFY=NEVER is honoured. Failure to hand it off: temporary. */
void report_undelivered(const struct message *message, struct journal *journal,
                        const struct report_recipient *recipients, size_t count, struct outcome *outcome);

/* The same, and then they are journalled as "deliver:ADDRESS": the report answers finally. */
void report_refuse(const struct message *message, struct journal *journal,
                   const struct report_recipient *recipients, size_t count, struct outcome *outcome);

/* The same about incoming mail, whose sender anybody may have written: he gets one report an hour at the
   most, all senders together get 100 an hour, an address of INTERNAL_DOMAINS gets none (nobody inside sent
   this). What is not sent is logged. Recipients who have been answered before, or have got the message, are
   left out; returns how many were answered by this call. */
size_t report_refuse_incoming(const struct message *message, struct journal *journal,
                              const struct report_recipient *recipients, size_t count,
                              struct outcome *outcome);

/* A notice to ADMIN of one kind ("undecryptable", "forged", "last-check", "too-many-hops", "relaying",
   "gave-up", ...), once per message and kind, at most NOTICE_RATE of one kind an hour altogether (the rest is
   counted and told with the next). NAME, value ..., NULL are for the template. Never fails the message:
   faults are logged. false: it could not be handed off; where it is all that is left of a mail, the caller
   tries again. */
bool report_admin(const struct message *message, struct journal *journal, const char *kind, ...)
    __attribute__((sentinel));

/* The same about no message at all: `pairs` are NAME, value ..., NULL (at most 20 of them). That it is given
   once is the caller's care. false: it could not be handed off, and is to be tried again. */
bool report_notice(const struct config *config, const char *kind, const char *const *pairs);

/* For `julia -prune`: an hour after the first of them, ADMIN gets one notice "held-back" about all notices
   that NOTICE_RATE kept back, how many of which kind. Else those of a kind that does not occur again would
   never be told. What cannot be handed off is told the next time. */
void report_held_back(const struct config *config);

/* A note to an internal recipient that mail for him was withheld (SCANNER_NOTICE=recipient), from the
   template "withheld", once per message. `sender` ("" is the null sender), `message_id` (NULL if unknown) are
   the mail's; nothing else of it is told. false: it could not be handed off. */
bool report_withheld(const struct message *message, struct journal *journal, const char *recipient,
                     const char *sender, const char *message_id);

/* Fills a template, DIRECTORY/LANGUAGE/NAME.txt: ${NAME} is replaced by its value in `pairs` (NAME, value
   ..., NULL), cleaned: whatever is no visible UTF-8 character becomes a blank or '?'. `blocks` (the same, may
   be NULL) are put in as they are, line ends included. A line whose placeholders are all empty is left out. A
   missing template: that of the name in front of the first hyphen ("reason" for "reason-expired"), then the
   built-in English one of that name, so never NULL. Newly allocated. */
char *report_text(const char *directory, const char *language, const char *name, const char *const *pairs,
                  const char *const *blocks);
char *report_template(const char *directory, const char *language, const char *name,
                      const char *const *pairs); /* without blocks */
/* The same from NAME.html: values and blocks are text, and stay that (& < > " ' are escaped); in a block, an
   empty line makes a new paragraph. NULL when the template is missing or damaged. */
char *report_html(const char *directory, const char *language, const char *name, const char *const *pairs,
                  const char *const *blocks);
/* Appends text so that it is that in HTML, between tags and in attribute values. */
void report_escape(struct buf *out, const char *text);

#endif
