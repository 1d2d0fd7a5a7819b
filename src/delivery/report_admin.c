#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/report_private.h"
#include "mail/address.h"
#include "util/log.h"
#include "util/mem.h"

#define NOTICE_PAIRS_MAX 24          /* the callers' and ours */
#define NOTICE_TIME_MS   (30 * 1000) /* a notice never uses up the time that the mail itself needs */

/* The notice's values, empty ones left out; the last one of a name counts. */
struct values {
    const char *pairs[2 * NOTICE_PAIRS_MAX + 1];
    size_t count;
};

static void add(struct values *values, const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->pairs[2 * i], name) == 0) {
            values->pairs[2 * i + 1] = value;
            return;
        }
    if (values->count >= NOTICE_PAIRS_MAX)
        return;
    values->pairs[2 * values->count] = name;
    values->pairs[2 * values->count + 1] = value;
    values->count++;
}

/* "NAME: value" lines; each goes through the template code, so that values are cleaned as everywhere. */
static char *list_values(const struct values *values)
{
    struct buf lines = {0};

    for (size_t i = 0; i < values->count; i++) {
        const char *const pair[] = {"NAME", values->pairs[2 * i], "VALUE", values->pairs[2 * i + 1], NULL};
        char *line = report_fill("    ${NAME}: ${VALUE}\n", pair, NULL, false);

        buf_add_text(&lines, line);
        free(line);
    }
    return buf_take(&lines);
}

static bool send_notice(const struct message *message, const char *kind, struct values *values,
                        unsigned long held_back, struct outcome *outcome)
{
    const struct config *config = message->config;
    char *block = list_values(values), *name = mem_printf("notice-%s", kind), number[24], *text;
    const char *const blocks[] = {"VALUES", block, NULL};
    struct report_mail mail = {.to = config->admin, .auto_submitted = "auto-generated", .kind = kind};
    bool taken;

    snprintf(number, sizeof(number), "%lu", held_back);
    add(values, "KIND", kind);
    add(values, "MYHOSTNAME", config->myhostname);
    add(values, "HELD_BACK", held_back > 0 ? number : NULL);
    text = report_text(config->templates, config->language, name, values->pairs, blocks);
    mail.text = text;
    mail.target = address_in_domains(config->admin, &config->internal_domains) ? CONFIG_TARGET_INTERNAL
                                                                               : CONFIG_TARGET_EXTERNAL;
    taken = report_send(message, &mail, deadline_min(message->until, deadline_in(NOTICE_TIME_MS)), outcome);
    free(text);
    free(name);
    free(block);
    return taken;
}

/* Sends it if there is somebody to send it to and the rate allows it. What became of it, for the log. */
static const char *notify(const struct message *message, const char *kind, struct values *values)
{
    const struct config *config = message->config;
    unsigned long held_back = 0;
    struct outcome outcome;
    const char *result = "sent";

    outcome_done(&outcome);
    if (config->admin == NULL || config->admin[0] == '\0')
        result = "no-admin";
    else if (!report_rate_allow(config, kind, &held_back))
        result = "held-back";
    else if (!send_notice(message, kind, values, held_back, &outcome))
        result = "failed";
    log_event(LOG_LEVEL_WARNING, "notice", "kind", kind, "result", result, "fault",
              outcome.text[0] != '\0' ? outcome.text : NULL, (char *)NULL);
    return result;
}

static bool notify_once(const struct message *message, struct journal *journal, const char *kind,
                        const char *entry, struct values *values)
{
    enum journal_claim claim = journal_claim(journal, entry);
    const char *result;

    if (claim == JOURNAL_DONE_BEFORE || claim == JOURNAL_BUSY)
        return claim == JOURNAL_DONE_BEFORE;
    if (claim == JOURNAL_FAILED) {
        log_event(LOG_LEVEL_WARNING, "notice", "kind", kind, "result", "journal-failed", (char *)NULL);
        return false;
    }
    result = notify(message, kind, values);
    if (strcmp(result, "failed") != 0 && journal_done(journal, entry, result) != 0)
        log_event(LOG_LEVEL_ERROR, "journal", "text", "a notice could not be noted and may be sent again",
                  "fault", strerror(errno), (char *)NULL);
    return strcmp(result, "failed") != 0;
}

bool report_notice(const struct config *config, const char *kind, const char *const *pairs)
{
    struct message none = {.config = config, .fd = -1, .until = DEADLINE_NEVER};
    struct values values = {0};

    for (; *pairs != NULL; pairs += 2)
        add(&values, pairs[0], pairs[1]);
    return strcmp(notify(&none, kind, &values), "failed") != 0;
}

bool report_admin(const struct message *message, struct journal *journal, const char *kind, ...)
{
    const struct message_envelope *envelope = &message->envelope;
    struct values values = {0};
    char *entry = mem_printf("notice:%s", kind), *subject = report_subject(message);
    const char *name;
    bool told;
    va_list ap;

    add(&values, "QUEUE_ID", envelope->queue_id);
    add(&values, "CLIENT", envelope->client);
    add(&values, "SENDER", envelope->sender != NULL && envelope->sender[0] != '\0' ? envelope->sender : "<>");
    add(&values, "SUBJECT", subject);
    va_start(ap, kind);
    while ((name = va_arg(ap, const char *)) != NULL) {
        const char *value = va_arg(ap, const char *);

        add(&values, name, value);
    }
    va_end(ap);
    told = notify_once(message, journal, kind, entry, &values);
    free(subject);
    free(entry);
    return told;
}
