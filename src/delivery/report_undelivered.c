#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/report_private.h"
#include "mail/address.h"
#include "mail/utf8.h"
#include "util/log.h"
#include "util/mem.h"

/* What a DSN field may hold of a free text: printable ASCII. */
static void add_ascii(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        buf_add_char(out, *text >= ' ' && *text <= '~' ? *text : '?');
}

/* RFC 3464 section 2.3.2; for addresses that are not ASCII RFC 6533 section 3 (utf-8-addr-xtext). */
static void add_final_recipient(struct buf *out, const char *address)
{
    size_t len = strlen(address), taken;
    bool ascii = true;

    for (size_t i = 0; i < len; i++)
        ascii = ascii && (unsigned char)address[i] < 0x80;
    buf_printf(out, "Final-Recipient: %s; ", ascii ? "rfc822" : "utf-8");
    for (; len > 0; address += taken, len -= taken) {
        uint32_t code = '?';

        taken = utf8_decode(address, len, &code);
        if (code > ' ' && code <= '~' && (ascii || (code != '\\' && code != '+' && code != '=')))
            buf_add_char(out, (char)code);
        else if (!ascii)
            buf_printf(out, "\\x{%X}", (unsigned int)code);
        else
            buf_add_char(out, '?');
        taken += taken == 0;
    }
    buf_add_char(out, '\n');
}

static void add_status(struct buf *out, const struct message *message,
                       const struct report_recipient *recipients, size_t count)
{
    buf_printf(out, "Reporting-MTA: dns; %s\n", message->config->myhostname);
    if (message->envelope.dsn_envid != NULL) {
        buf_add_text(out, "Original-Envelope-Id: ");
        add_ascii(out, message->envelope.dsn_envid);
        buf_add_char(out, '\n');
    }
    for (size_t i = 0; i < count; i++) {
        buf_add_char(out, '\n');
        add_final_recipient(out, recipients[i].address);
        buf_printf(out, "Action: failed\nStatus: %s\nDiagnostic-Code: x-julia; ", recipients[i].dsn);
        add_ascii(out, recipients[i].reason);
        if (recipients[i].detail != NULL) {
            buf_add_char(out, ' ');
            add_ascii(out, recipients[i].detail);
        }
        buf_add_char(out, '\n');
    }
}

#define PAIRS_MAX 32 /* with room for those of a reason */

static void add_pairs(const char *pairs[PAIRS_MAX], const char *const *more)
{
    size_t count = 0;

    while (pairs[count] != NULL) /* names; a value may be NULL */
        count += 2;
    for (; more != NULL && more[0] != NULL && count + 2 < PAIRS_MAX; more += 2) {
        pairs[count++] = more[0];
        pairs[count++] = more[1];
    }
    pairs[count] = NULL;
}

/* A paragraph for each recipient, from the template of its reason. */
static char *reasons_text(const struct message *message, const struct report_recipient *recipients,
                          size_t count)
{
    const struct config *config = message->config;
    struct buf out = {0};

    for (size_t i = 0; i < count; i++) {
        const char *pairs[PAIRS_MAX] = {"RECIPIENT", recipients[i].address,    "REASON", recipients[i].reason,
                                        "DETAIL",    recipients[i].detail,     "STATUS", recipients[i].dsn,
                                        "SENDER",    message->envelope.sender, "ADMIN",  config->admin,
                                        NULL};
        add_pairs(pairs, recipients[i].pairs);
        char *name = mem_printf("reason-%s", recipients[i].reason);
        char *text = report_template(config->templates, config->language, name, pairs);

        buf_printf(&out, "%s%s", i > 0 ? "\n" : "", text);
        free(text);
        free(name);
    }
    return buf_take(&out);
}

bool report_is_inside(const struct config *config, const char *sender)
{
    return address_domain(sender)[0] == '\0' || address_in_domains(sender, &config->internal_domains);
}

static bool send_report(const struct message *message, const struct report_recipient *recipients,
                        size_t count, struct outcome *outcome)
{
    const struct config *config = message->config;
    const struct mime_part *root = message->mime.root;
    bool inside = report_is_inside(config, message->envelope.sender);
    char *subject = inside ? report_subject(message) : mem_strdup("[...]");
    char *reasons = reasons_text(message, recipients, count);
    char *date = root != NULL ? header_value_of(&root->header, "Date") : NULL;
    const char *const pairs[] = {"SUBJECT",    subject,
                                 "DATE",       date,
                                 "SENDER",     message->envelope.sender,
                                 "ADMIN",      config->admin,
                                 "QUEUE_ID",   message->envelope.queue_id,
                                 "MYHOSTNAME", config->myhostname,
                                 NULL};
    const char *const blocks[] = {"REASONS", reasons, NULL};
    char *text = report_text(config->templates, config->language, "undelivered", pairs, blocks);
    struct buf status = {0};
    struct report_mail mail = {.to = message->envelope.sender,
                               .target = inside ? CONFIG_TARGET_INTERNAL : CONFIG_TARGET_EXTERNAL,
                               .auto_submitted = "auto-replied",
                               .text = text,
                               .kind = "report",
                               .in_reply = true,
                               .discreet = !inside,
                               .status = &status};
    bool taken;

    add_status(&status, message, recipients, count);
    taken = report_send(message, &mail, message->until, outcome);
    buf_free(&status);
    free(text);
    free(date);
    free(reasons);
    free(subject);
    return taken;
}

/* RFC 3461 section 4.1: a sender who named other occasions, or NEVER, does not want this report. */
static bool is_wanted(const struct message *message)
{
    const char *notify = message->envelope.dsn_notify;

    return notify == NULL || strcasestr(notify, "FAILURE") != NULL;
}

static char *addresses_of(const struct report_recipient *recipients, size_t count, bool for_log)
{
    struct buf out = {0}, scratch = {0};

    for (size_t i = 0; i < count; i++)
        buf_printf(&out, "%s%s", i > 0 ? (for_log ? "," : ", ") : "",
                   for_log ? log_address(&scratch, recipients[i].address) : recipients[i].address);
    buf_free(&scratch);
    return buf_take(&out);
}

static void log_report(const struct report_recipient *recipients, size_t count, const char *result,
                       const char *why)
{
    char *names = addresses_of(recipients, count, true);

    log_event(LOG_LEVEL_WARNING, "undelivered", "recipients", names, "reason",
              count > 0 ? recipients[0].reason : NULL, "report", result, "why", why, (char *)NULL);
    free(names);
}

static char *entry_of(const struct report_recipient *recipient)
{
    return mem_printf("report:undelivered:%s", recipient->address);
}

/* Those that nobody reported before, in `todo` (room for all). False: outcome is temporary. */
static bool claim_all(struct journal *journal, const struct report_recipient *recipients, size_t count,
                      struct report_recipient *todo, size_t *todo_count, struct strlist *entries,
                      struct outcome *outcome)
{
    *todo_count = 0;
    for (size_t i = 0; i < count; i++) {
        char *entry = entry_of(&recipients[i]);
        enum journal_claim claim = journal_claim(journal, entry);

        if (claim == JOURNAL_CLAIMED) {
            todo[(*todo_count)++] = recipients[i];
            strlist_add(entries, entry);
        }
        free(entry);
        if (claim == JOURNAL_FAILED || claim == JOURNAL_BUSY) {
            outcome_temporary(outcome, "4.3.0",
                              "a report about this message cannot be noted in the journal now");
            return false;
        }
    }
    return true;
}

/* The sender cannot be told; somebody must know. */
static void tell_admin(const struct message *message, struct journal *journal,
                       const struct report_recipient *recipients, size_t count, const char *why)
{
    char *names = addresses_of(recipients, count, false);

    report_admin(message, journal, "not-answered", "WHY", why, "NOT_DELIVERED_TO", names, "REASON",
                 recipients[0].reason, "DETAIL", recipients[0].detail, (char *)NULL);
    free(names);
}

void report_undelivered(const struct message *message, struct journal *journal,
                        const struct report_recipient *recipients, size_t count, struct outcome *outcome)
{
    struct report_recipient *todo = mem_array(count, sizeof(*todo));
    struct strlist entries = {0};
    const char *why = report_unanswerable(message);
    size_t todo_count;

    if (!claim_all(journal, recipients, count, todo, &todo_count, &entries, outcome) || todo_count == 0)
        goto out;
    if (why != NULL) {
        log_report(todo, todo_count, "forbidden", why);
        tell_admin(message, journal, todo, todo_count, why);
    } else if (!is_wanted(message)) {
        log_report(todo, todo_count, "not-wanted", "NOTIFY");
    } else if (!send_report(message, todo, todo_count, outcome)) {
        goto out;
    } else {
        log_report(todo, todo_count, "sent", NULL);
    }
    if (journal_done_all(journal, &entries, why == NULL ? "reported" : "not-answered") != 0)
        log_event(LOG_LEVEL_ERROR, "journal", "text", "a report could not be noted and may be sent again",
                  "fault", strerror(errno), (char *)NULL);
out:
    strlist_free(&entries);
    free(todo);
}
