#include "core/options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "core/envelope_line.h"
#include "mail/address.h"
#include "util/mem.h"

#define ENVID_MAX 100 /* RFC 3461 section 4.4 */

static char *absent_if_empty(const char *text)
{
    return text[0] != '\0' ? mem_strdup(text) : NULL;
}

static bool notify_keyword(const char *word, size_t len)
{
    static const char *const keywords[] = {"NEVER", "SUCCESS", "FAILURE", "DELAY"};
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (strlen(keywords[i]) == len && strncasecmp(keywords[i], word, len) == 0)
            return true;
    return false;
}

/* xtext (RFC 3461 section 4), as the MTA passes it on. */
static bool envid_valid(const char *text)
{
    if (strlen(text) > ENVID_MAX)
        return false;
    for (; *text != '\0'; text++)
        if (*text < '!' || *text > '~')
            return false;
    return true;
}

/* NOTIFY,RET,ENVID where NOTIFY may itself be a list: its words end where one is not a keyword of it. */
static bool parse_dsn(struct message_envelope *envelope, const char *value)
{
    const char *p = value;
    size_t notify = 0, len;
    while (len = strcspn(p, ","), notify_keyword(p, len)) {
        notify = (size_t)(p + len - value);
        p += len;
        if (*p == '\0')
            break;
        p++;
    }
    if (notify == 0 && *p == ',')
        p++;
    const char *ret = p;
    size_t ret_len = strcspn(p, ",");
    const char *envid = p[ret_len] == ',' ? p + ret_len + 1 : "";
    if (ret_len != 0 &&
        !(ret_len == 4 && (strncasecmp(ret, "FULL", 4) == 0 || strncasecmp(ret, "HDRS", 4) == 0)))
        return false;
    if (!envid_valid(envid))
        return false;
    free(envelope->dsn_notify);
    free(envelope->dsn_ret);
    free(envelope->dsn_envid);
    envelope->dsn_notify = notify > 0 ? mem_strndup(value, notify) : NULL;
    envelope->dsn_ret = ret_len > 0 ? mem_strndup(ret, ret_len) : NULL;
    envelope->dsn_envid = absent_if_empty(envid);
    return true;
}

/* Unless its form for comparison is in `seen` already. */
static void add_recipient(struct strlist *recipients, struct strlist *seen, const char *address)
{
    char *form = address_normalise(address);
    const char *name = form != NULL ? form : address; /* a bare local part has no such form */
    if (!strlist_has(seen, name)) {
        strlist_add(seen, name);
        strlist_add(recipients, address);
    }
    free(form);
}

static bool parse_recipients(struct options *options, int argc, char *const *argv, int first,
                             struct outcome *outcome)
{
    struct strlist seen = {0};
    for (int i = first; i < argc && outcome->kind == OUTCOME_DONE; i++) {
        char *address = address_given(argv[i]);
        if (address != NULL)
            add_recipient(&options->envelope.recipients, &seen, address);
        else
            outcome_permanent(outcome, EX_DATAERR, "5.1.3", "recipient %d is not a mail address",
                              i - first + 1);
        free(address);
    }
    strlist_free(&seen);
    return outcome->kind == OUTCOME_DONE;
}

/* One option with a value. false: not known, or the value is wrong (outcome filled in). */
static bool parse_valued(struct options *options, const char *name, const char *value,
                         struct outcome *outcome)
{
    struct message_envelope *envelope = &options->envelope;
    if (strcmp(name, "-c") == 0) {
        options->config = value;
    } else if (strcmp(name, "-client") == 0) {
        free(envelope->client);
        envelope->client = mem_strdup(value);
        options->client_given = true;
    } else if (strcmp(name, "-peer") == 0) {
        free(envelope->peer);
        envelope->peer = absent_if_empty(value);
    } else if (strcmp(name, "-sender") == 0) {
        free(envelope->sender);
        bool null = strcmp(value, "<>") == 0 || envelope_line_null(value, strlen(value));
        envelope->sender = null ? mem_strdup("") : address_given(value);
        if (envelope->sender == NULL)
            outcome_permanent(outcome, EX_DATAERR, "5.1.7", "the envelope sender is not a mail address");
    } else if (strcmp(name, "-auth") == 0) {
        free(envelope->auth);
        envelope->auth = absent_if_empty(value);
    } else if (strcmp(name, "-queue-id") == 0) {
        free(envelope->queue_id);
        envelope->queue_id = absent_if_empty(value);
    } else if (strcmp(name, "-dsn") == 0) {
        if (!parse_dsn(envelope, value))
            outcome_permanent(outcome, EX_DATAERR, "5.5.4",
                              "-dsn: wanted is NOTIFY,RET,ENVID as in RFC 3461");
    } else {
        outcome_temporary(outcome, "4.3.5", "unknown option %s; see julia(8)", name);
    }
    return outcome->kind == OUTCOME_DONE;
}

static bool parse_action(struct options *options, const char *name)
{
    if (strcmp(name, "-check") == 0)
        options->action = OPTIONS_CHECK;
    else if (strcmp(name, "-explain") == 0)
        options->action = OPTIONS_EXPLAIN;
    else if (strcmp(name, "-prune") == 0)
        options->action = OPTIONS_PRUNE;
    else
        return false;
    return true;
}

/* No argument is passed on with a line end in it: not to a log, not to a header, not to a command line. */
static bool plain_arguments(int argc, char *const *argv, struct outcome *outcome)
{
    for (int i = 1; i < argc; i++)
        if (argv[i][strcspn(argv[i], "\r\n")] != '\0') {
            outcome_permanent(outcome, EX_DATAERR, "5.5.4", "argument %d contains a line end", i);
            return false;
        }
    return true;
}

static bool complete(const struct options *options, struct outcome *outcome)
{
    bool mail = options->action == OPTIONS_DELIVER || options->action == OPTIONS_EXPLAIN;
    if (mail && options->envelope.recipients.count == 0)
        outcome_temporary(outcome, "4.3.5", "no recipient: -readmail RECIPIENT... is missing; see julia(8)");
    else if (!mail && options->envelope.recipients.count > 0)
        outcome_temporary(outcome, "4.3.5", "-readmail does not go with -check or -prune");
    else if (options->action == OPTIONS_DELIVER && !options->client_given)
        outcome_temporary(outcome, "4.3.5", "-client is missing (its value may be empty); see julia(8)");
    return outcome->kind == OUTCOME_DONE;
}

bool options_parse(struct options *options, int argc, char *const *argv, struct outcome *outcome)
{
    options->config = JULIA_PREFIX "/etc/julia.conf";
    options->action = OPTIONS_DELIVER;
    options->envelope.client = mem_strdup("");
    if (!plain_arguments(argc, argv, outcome))
        return false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-readmail") == 0) {
            if (!parse_recipients(options, argc, argv, i + 1, outcome))
                return false;
            break;
        }
        if (parse_action(options, argv[i]))
            continue;
        if (i + 1 >= argc) {
            outcome_temporary(outcome, "4.3.5", "option %s is unknown or lacks its value; see julia(8)",
                              argv[i]);
            return false;
        }
        if (!parse_valued(options, argv[i], argv[i + 1], outcome))
            return false;
        i++;
    }
    return complete(options, outcome);
}

void options_free(struct options *options)
{
    message_envelope_free(&options->envelope);
}
