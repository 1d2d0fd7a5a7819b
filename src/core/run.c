#include "core/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/direction.h"
#include "core/exit.h"
#include "core/explain.h"
#include "core/incoming.h"
#include "core/outgoing.h"
#include "core/pass.h"
#include "core/report.h"
#include "core/selfcheck.h"
#include "core/trace.h"
#include "mail/address.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/tmpfile.h"

#define BACKSTOP_SECONDS 15 /* behind DEADLINE: everything that honours it has ended by then */

struct split { /* the recipients by what happens to them */
    struct strlist outgoing, incoming, internal, refused;
};

static void split_free(struct split *split)
{
    strlist_free(&split->outgoing);
    strlist_free(&split->incoming);
    strlist_free(&split->internal);
    strlist_free(&split->refused);
}

static void split_recipients(const struct message *message, const struct direction_client *client,
                             struct split *split)
{
    const struct strlist *recipients = &message->envelope.recipients;
    for (size_t i = 0; i < recipients->count; i++) {
        const char *recipient = recipients->items[i];
        enum direction direction = direction_of(message->config, client, message->envelope.sender, recipient);
        bool inside = direction_recipient_internal(message->config, recipient);
        if (direction == DIRECTION_REFUSED)
            strlist_add(&split->refused, recipient);
        else if (direction == DIRECTION_INCOMING)
            strlist_add(&split->incoming, recipient);
        else
            strlist_add(inside ? &split->internal : &split->outgoing, recipient);
        trace_add(TRACE_DIRECTION, direction_name(direction));
    }
}

/* A loop: refused where the sender is ours, kept where it is not. false: nothing more is to be done. */
static bool hops_allowed(const struct message *message, struct journal *journal, const struct split *split,
                         struct outcome *outcome)
{
    size_t hops = direction_hops(message);
    if (hops <= DIRECTION_HOPS_MAX)
        return true;
    if (split->incoming.count > 0) {
        outcome_temporary(outcome, "4.4.6", "%zu Received fields: the message goes round in a loop", hops);
        if (journal != NULL)
            report_admin(message, journal, "too-many-hops", (char *)NULL);
    } else {
        outcome_permanent(outcome, EX_UNAVAILABLE, "5.4.6",
                          "%zu Received fields: the message goes round in a loop", hops);
    }
    return false;
}

/* No open relay. When nobody else gets the message the exit status says it; else it would bounce the others
   too, so only ADMIN is told (an MTA that is set up well refuses such recipients itself). */
static void refuse_relaying(const struct message *message, struct journal *journal, const struct split *split,
                            struct outcome *outcome)
{
    static const char text[] = "relaying is refused: neither is the client internal nor the recipient";
    struct buf names = {0};
    if (split->refused.count == 0)
        return;
    log_event(LOG_LEVEL_WARNING, "refused", "client", message->envelope.client, "text", text, (char *)NULL);
    if (split->refused.count == message->envelope.recipients.count) {
        outcome_permanent(outcome, EX_NOPERM, "5.7.1", "%s", text);
        return;
    }
    for (size_t i = 0; i < split->refused.count; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", split->refused.items[i]);
    report_admin(message, journal, "relaying", "RECIPIENTS", buf_text(&names), "CLIENT",
                 message->envelope.client, (char *)NULL);
    buf_free(&names);
}

/* Each part reports into an outcome of its own, so that one fault does not stop the others. */
static void merge(struct outcome *outcome, const struct outcome *part)
{
    if (part->kind == OUTCOME_TEMPORARY)
        outcome_temporary(outcome, part->dsn, "%s", part->text);
    else if (part->kind == OUTCOME_PERMANENT)
        outcome_permanent(outcome, part->exit_code, part->dsn, "%s", part->text);
}

static void run_split(struct message *message, struct journal *journal, const struct split *split,
                      struct outcome *outcome)
{
    struct outcome part;
    if (split->internal.count > 0) {
        outcome_done(&part);
        pass_run(message, journal, CONFIG_TARGET_INTERNAL, &split->internal, "internal", &part);
        merge(outcome, &part);
    }
    if (split->outgoing.count > 0) {
        outcome_done(&part);
        outgoing_run(message, journal, &split->outgoing, NULL, &part);
        merge(outcome, &part);
    }
    if (split->incoming.count > 0) {
        outcome_done(&part);
        if (message->config->engine == CONFIG_ENGINE_PASS)
            pass_run(message, journal, CONFIG_TARGET_INTERNAL, &split->incoming, "incoming", &part);
        else
            incoming_run(message, journal, &split->incoming, NULL, &part);
        merge(outcome, &part);
    }
    outcome_done(&part);
    refuse_relaying(message, journal, split, &part);
    merge(outcome, &part);
}

static void explain_split(struct message *message, const struct split *split, struct buf *out,
                          struct outcome *outcome)
{
    const char *internal = config_target_name(CONFIG_TARGET_INTERNAL);
    if (split->internal.count > 0)
        explain_plain("internal", internal, &split->internal, NULL, out);
    if (split->outgoing.count > 0)
        outgoing_run(message, NULL, &split->outgoing, out, outcome);
    if (split->incoming.count > 0 && message->config->engine == CONFIG_ENGINE_PASS)
        explain_plain("incoming", internal, &split->incoming, NULL, out);
    else if (split->incoming.count > 0)
        incoming_run(message, NULL, &split->incoming, out, outcome);
    if (split->refused.count > 0)
        explain_plain("refused", NULL, &split->refused,
                      "5.7.1 neither the client nor the recipient is internal", out);
}

static bool recipients_allowed(const struct message *message, struct outcome *outcome)
{
    if (message->envelope.recipients.count <= message->config->max_recipients)
        return true;
    outcome_permanent(outcome, EX_UNAVAILABLE, "5.5.3",
                      "more recipients in one call than MAX_RECIPIENTS (%llu)",
                      (unsigned long long)message->config->max_recipients);
    return false;
}

static void handle(struct message *message, struct buf *explain, struct outcome *outcome)
{
    struct direction_client client;
    struct split split = {0};
    struct journal *journal = NULL;
    if (!recipients_allowed(message, outcome) || !direction_client_find(message, &client, outcome))
        return;
    split_recipients(message, &client, &split);
    message_modules_open(message);
    if (explain != NULL) {
        if (hops_allowed(message, NULL, &split, outcome))
            explain_split(message, &split, explain, outcome);
    } else if ((journal = journal_open(message, outcome)) != NULL) {
        if (hops_allowed(message, journal, &split, outcome))
            run_split(message, journal, &split, outcome);
        journal_close(journal);
    }
    split_free(&split);
}

static void take_envelope(struct message *message, struct options *options)
{
    message->envelope = options->envelope;
    memset(&options->envelope, 0, sizeof(options->envelope));
}

static void deliver(const struct config *config, struct options *options, struct outcome *outcome)
{
    struct message message = {
        .config = config, .fd = -1, .until = deadline_in((int64_t)config->deadline * 1000)};
    exit_backstop(config->deadline + BACKSTOP_SECONDS);
    take_envelope(&message, options);
    log_set_queue_id(message.envelope.queue_id);
    message_read(&message, STDIN_FILENO, outcome);
    if (outcome->kind == OUTCOME_DONE)
        handle(&message, NULL, outcome);
    trace_write(&message, outcome);
    message_free(&message);
}

/* For -explain the sender may be left out: then it is the first address of header From. Returns a file with
 * the whole input. */
static int explain_input(const struct config *config, struct message_envelope *envelope)
{
    struct mime mime;
    uint64_t size;
    char start[5] = "";
    int fd = tmpfile_open(config->spool, UINT64_MAX, 0);
    char chunk[16384];
    ssize_t n;
    if (fd < 0)
        return -1;
    while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0)
        if (fdio_write_all(fd, chunk, (size_t)n) != 0)
            break;
    if (envelope->sender == NULL && fdio_size(fd, &size) == 0 && pread(fd, start, sizeof(start), 0) >= 0 &&
        memcmp(start, "From ", sizeof(start)) != 0 && mime_parse(&mime, fd, 0, size, NULL) == 0) {
        struct strlist from = {0};
        char *value = header_value_of(&mime.root->header, "From");
        if (value != NULL)
            address_list_parse(value, strlen(value), &from, NULL);
        envelope->sender = mem_strdup(from.count > 0 ? from.items[0] : "");
        strlist_free(&from);
        free(value);
        mime_free(&mime);
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void explain(const struct config *config, struct options *options, struct outcome *outcome)
{
    struct message message = {
        .config = config, .fd = -1, .until = deadline_in((int64_t)config->deadline * 1000)};
    struct buf out = {0};
    take_envelope(&message, options);
    if (!options->client_given && message.envelope.peer == NULL)
        message.envelope.peer = mem_strdup("explain@localhost"); /* as if submitted here */
    int fd = explain_input(config, &message.envelope);
    if (fd < 0)
        outcome_temporary(outcome, "4.3.1", "no file can be made in SPOOL %s: %s", config->spool,
                          strerror(errno));
    else
        message_read(&message, fd, outcome);
    if (outcome->kind == OUTCOME_DONE)
        handle(&message, &out, outcome);
    fwrite(buf_text(&out), 1, out.len, stdout);
    buf_free(&out);
    message_free(&message);
    fdio_close(&fd);
}

static void prune(const struct config *config, struct outcome *outcome)
{
    long removed = journal_prune(config->journal_dir, config->journal_keep);
    if (removed < 0)
        outcome_temporary(outcome, "4.3.0", "JOURNAL_DIR %s: %s", config->journal_dir, strerror(errno));
    else
        snprintf(outcome->text, sizeof(outcome->text), "%ld journal files removed", removed);
}

static void open_log(const struct config *config)
{
    char *key = mem_printf("%s/var/log-names.key", config->base);
    log_open(config->log, "julia");
    log_set_names((enum log_names)config->log_names, key);
    free(key);
}

/* A configuration with faults does no work: the mail waits, whoever reads the MTA's log or queue sees the
 * first fault. */
static void refuse_config(const struct conf_faults *faults, struct outcome *outcome)
{
    size_t count = faults->lines.count;
    log_open("syslog", "julia");
    for (size_t i = 0; i < count; i++)
        log_event(LOG_LEVEL_ERROR, "configuration", "fault", faults->lines.items[i], (char *)NULL);
    outcome_temporary(outcome, "4.3.5", "configuration: %s%s",
                      count > 0 ? faults->lines.items[0] : "cannot be read",
                      count > 1 ? " (and more; see julia -check)" : "");
}

static void run_loaded(const struct config *config, struct options *options, struct outcome *outcome)
{
    switch (options->action) {
    case OPTIONS_DELIVER:
        deliver(config, options, outcome);
        break;
    case OPTIONS_EXPLAIN:
        explain(config, options, outcome);
        break;
    case OPTIONS_PRUNE:
        prune(config, outcome);
        break;
    case OPTIONS_CHECK:
        break; /* selfcheck_run() */
    }
}

void run_options(struct options *options, struct outcome *outcome)
{
    struct config config = {0};
    struct conf_faults faults = {0};
    bool loaded = config_load(&config, options->config, &faults);
    if (options->action == OPTIONS_CHECK) {
        selfcheck_run(loaded ? &config : NULL, &faults, outcome);
    } else if (!loaded) {
        refuse_config(&faults, outcome);
    } else {
        open_log(&config);
        run_loaded(&config, options, outcome);
        log_close();
    }
    config_free(&config);
    conf_faults_free(&faults);
}
