#include "core/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/caller.h"
#include "core/exit.h"
#include "core/openlog.h"
#include "core/owner.h"
#include "core/selfcheck.h"
#include "core/split.h"
#include "core/trace.h"
#include "delivery/hold.h"
#include "delivery/journal.h"
#include "delivery/report.h"
#include "mail/address.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/tmpfile.h"

/* umask: logs and the indexes of modules name people. The MTA's own would keep the admins' group out, too. */
#define PRIVACY          027
#define BACKSTOP_SECONDS 15 /* behind DEADLINE: everything that honours it has ended by then */

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
    if (caller_is_gone())
        outcome_temporary(outcome, "4.3.0", "the MTA ended before it had handed over the message");
    if (outcome->kind == OUTCOME_DONE)
        split_run(&message, NULL, outcome);
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
        split_run(&message, &out, outcome);
    fwrite(buf_text(&out), 1, out.len, stdout);
    buf_free(&out);
    message_free(&message);
    fdio_close(&fd);
}

/* Holds of former days are looked after, whatever DELIVER says today. */
static void age_holds(const struct config *config, struct hold_aged *aged, struct outcome *outcome)
{
    struct stat st;
    struct hold_store *store;
    if (stat(config->hold_dir, &st) != 0 && errno == ENOENT)
        return;
    store = hold_store_open(config, outcome);
    if (store != NULL)
        hold_age(store, deadline_in((int64_t)config->deadline * 1000), aged, outcome);
    hold_store_close(store);
}

static void prune(const struct config *config, struct outcome *outcome)
{
    struct hold_aged aged = {0};
    long removed;
    exit_backstop(config->deadline + BACKSTOP_SECONDS);
    removed = journal_prune(config->journal_dir, config->journal_keep);
    age_holds(config, &aged, outcome);
    report_held_back(config);
    if (removed < 0)
        outcome_temporary(outcome, "4.3.0", "JOURNAL_DIR %s: %s", config->journal_dir, strerror(errno));
    if (outcome->kind == OUTCOME_DONE)
        snprintf(outcome->text, sizeof(outcome->text),
                 "%ld journal files removed; holds: %lu overdue, %lu expired, %lu forgotten%s", removed,
                 aged.overdue, aged.expired, aged.removed, aged.busy ? ", another node is at it" : "");
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
    umask(PRIVACY);
    bool loaded = config_load(&config, options->config, &faults);
    if (loaded && !owner_become(config.journal_dir)) {
        outcome_temporary(outcome, "4.3.0", "the owner of JOURNAL_DIR %s: %s", config.journal_dir,
                          strerror(errno));
    } else if (options->action == OPTIONS_CHECK) {
        selfcheck_run(loaded ? &config : NULL, &faults, outcome);
    } else if (!loaded) {
        refuse_config(&faults, outcome);
    } else {
        openlog_as(&config, "julia");
        run_loaded(&config, options, outcome);
        log_close();
    }
    config_free(&config);
    conf_faults_free(&faults);
}
