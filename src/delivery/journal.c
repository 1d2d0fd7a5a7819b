#include "delivery/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "delivery/journal_file.h"
#include "util/base64.h"
#include "util/log.h"
#include "util/mem.h"

#define RECORD_ESTIMATE 120 /* octets of a record with a usual address */
#define OTHER_RECORDS   4   /* begin, end, a report, a notice */

struct open_run {
    uint64_t id;
};

struct journal {
    struct journal_file file; /* fd -1: JOURNAL=no */
    bool synced;              /* JOURNAL=always */
    uint64_t run;             /* our own id, 0 before it began */
    struct strlist done;      /* what is done, as quoted in records */
    struct strlist claimed;   /* what is ours, quoted */
    struct open_run *runs;    /* begun and not ended */
    size_t run_count;
    long long first_seen;
};

/* One number for one thing: 62 bits of a digest, so two of them never meet in practice. */
static uint64_t claim_number(const char *quoted)
{
    char hex[SHA256_HEX_LEN + 1];

    sha256_hex(quoted, strlen(quoted), hex);
    hex[15] = '\0';
    return strtoull(hex, NULL, 16); /* 60 bits; runs have bit 61 set */
}

static uint64_t new_run_id(void)
{
    uint64_t id = 0;

    if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
        id = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
    return (id >> 4) | (uint64_t)1 << 61;
}

static void forget_run(struct journal *journal, uint64_t id)
{
    for (size_t i = 0; i < journal->run_count; i++)
        if (journal->runs[i].id == id) {
            journal->runs[i] = journal->runs[--journal->run_count];
            return;
        }
}

/* begin TIME RUN | done TIME WHAT HOW | end TIME RUN */
static void take_record(void *context, const struct strlist *fields)
{
    struct journal *journal = context;
    const char *word = fields->items[0];

    if (fields->count < 3)
        return;
    if (strcmp(word, "done") == 0) {
        if (!strlist_has(&journal->done, fields->items[2]))
            strlist_add(&journal->done, fields->items[2]);
    } else if (strcmp(word, "begin") == 0) {
        struct open_run *run = mem_push(&journal->runs, &journal->run_count, sizeof(*run));

        run->id = strtoull(fields->items[2], NULL, 16);
        if (journal->first_seen == 0)
            journal->first_seen = strtoll(fields->items[1], NULL, 10);
    } else if (strcmp(word, "end") == 0) {
        forget_run(journal, strtoull(fields->items[2], NULL, 16));
    }
}

static void compose(struct buf *records, const char *word, const char *what, const char *how)
{
    char now[24];
    const char *const fields[] = {word, now, what, how};

    snprintf(now, sizeof(now), "%lld", (long long)time(NULL));
    journal_file_compose(records, fields, how != NULL ? 4 : 3);
}

/* These need not be on disk: without them a crashed run is only not counted. */
static int append_run(struct journal *journal, const char *word, uint64_t run)
{
    struct buf record = {0};
    char id[20];
    int rc;

    snprintf(id, sizeof(id), "%" PRIx64, run);
    compose(&record, word, id, NULL);
    rc = journal_file_append(&journal->file, &record, false);
    buf_free(&record);
    return rc;
}

/* The run's lock comes first: a begun run without lock is a broken one. Nothing is handed off before the
   journal has room for all of it. */
static int begin_run(struct journal *journal, const struct message *message)
{
    uint64_t records = message->envelope.recipients.count + OTHER_RECORDS, run = new_run_id();

    if (journal_file_lock(&journal->file, run) != 1 ||
        journal_file_reserve(&journal->file, records * RECORD_ESTIMATE) != 0 ||
        append_run(journal, "begin", run) != 0)
        return -1;
    journal->run = run;
    return journal_file_read(&journal->file, take_record, journal);
}

struct journal *journal_open(const struct message *message, struct outcome *outcome)
{
    const struct config *config = message->config;
    struct journal *journal = mem_alloc(sizeof(*journal));
    struct buf key = {0};

    journal->file.fd = -1;
    journal->first_seen = (long long)time(NULL);
    if (config->journal == CONFIG_JOURNAL_NO)
        return journal;
    journal->first_seen = 0;
    journal->synced = config->journal == CONFIG_JOURNAL_ALWAYS;
    hex_encode_buf(&key, message->digest, SHA256_LEN);
    if (journal_file_open(&journal->file, config->journal_dir, buf_text(&key)) != 0 ||
        begin_run(journal, message) != 0) {
        outcome_temporary(outcome, "4.3.1", "the journal in %s cannot be written: %s", config->journal_dir,
                          strerror(errno));
        journal_close(journal);
        journal = NULL;
    }
    buf_free(&key);
    return journal;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    if (journal->run != 0 && append_run(journal, "end", journal->run) != 0)
        log_event(LOG_LEVEL_WARNING, "journal", "text", "the end of this run cannot be noted", "fault",
                  strerror(errno), (char *)NULL);
    journal_file_close(&journal->file);
    strlist_free(&journal->done);
    strlist_free(&journal->claimed);
    free(journal->runs);
    free(journal);
}

static enum journal_claim claim_quoted(struct journal *journal, const char *quoted)
{
    bool ours = strlist_has(&journal->claimed, quoted);
    int locked = 1;

    if (strlist_has(&journal->done, quoted))
        return JOURNAL_DONE_BEFORE;
    if (ours)
        return JOURNAL_CLAIMED;
    if (journal->file.fd >= 0) {
        locked = journal_file_lock(&journal->file, claim_number(quoted));
        if (locked == 1 && journal_file_read(&journal->file, take_record, journal) != 0)
            locked = -1;
    }
    if (locked < 0)
        return JOURNAL_FAILED;
    if (locked == 0)
        return JOURNAL_BUSY;
    if (strlist_has(&journal->done, quoted)) { /* by the run that had the lock until now */
        journal_file_unlock(&journal->file, claim_number(quoted));
        return JOURNAL_DONE_BEFORE;
    }
    strlist_add(&journal->claimed, quoted);
    return JOURNAL_CLAIMED;
}

enum journal_claim journal_claim(struct journal *journal, const char *what)
{
    struct buf quoted = {0};
    enum journal_claim claim;

    log_quote(&quoted, what);
    claim = claim_quoted(journal, buf_text(&quoted));
    buf_free(&quoted);
    return claim;
}

int journal_done(struct journal *journal, const char *what, const char *how)
{
    struct strlist one = {0};
    int rc;

    strlist_add(&one, what);
    rc = journal_done_all(journal, &one, how);
    strlist_free(&one);
    return rc;
}

int journal_done_all(struct journal *journal, const struct strlist *whats, const char *how)
{
    struct buf records = {0}, quoted_how = {0};
    int rc = 0;

    log_quote(&quoted_how, how);
    for (size_t i = 0; i < whats->count; i++) {
        struct buf quoted = {0};

        log_quote(&quoted, whats->items[i]);
        compose(&records, "done", buf_text(&quoted), buf_text(&quoted_how));
        if (!strlist_has(&journal->done, buf_text(&quoted)))
            strlist_add(&journal->done, buf_text(&quoted));
        buf_free(&quoted);
    }
    if (journal->file.fd >= 0 && records.len > 0)
        rc = journal_file_append(&journal->file, &records, journal->synced);
    buf_free(&records);
    buf_free(&quoted_how);
    return rc;
}

long long journal_first_seen(const struct journal *journal)
{
    return journal != NULL ? journal->first_seen : (long long)time(NULL);
}

unsigned int journal_broken_runs(const struct journal *journal)
{
    unsigned int broken = 0;

    for (size_t i = 0; journal != NULL && i < journal->run_count; i++)
        if (journal->runs[i].id != journal->run &&
            !journal_file_is_locked(&journal->file, journal->runs[i].id))
            broken++;
    return broken;
}
