/* What time does to holds. Ages are differences between times of files, so only the file server's clock
   counts. One process does it at a time; where that goes wrong (a dead one's mark is removed by two at once)
   a notice may come twice, and nothing else, since every step is safe by itself. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delivery/hold_private.h"
#include "delivery/report.h"
#include "util/fdio.h"
#include "util/log.h"

#define AGEING         "ageing"    /* who is at it */
#define LEFTOVER_AGE   (24 * 3600) /* seconds, and DEADLINE: nobody is still making it */
#define LISTED_MAX     15          /* entries in one notice; the number of all of them is told, too */
#define RECIPIENTS_MAX 3           /* of an entry in a notice */

struct ageing {
    struct hold_store *store;
    time_t now; /* by the file server's clock */
    deadline until;
    struct strlist overdue, expired; /* ids */
    struct hold_aged *aged;
    struct outcome *outcome;
};

static bool mtime_of(int dir, const char *name, time_t *mtime_r)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    *mtime_r = st.st_mtime;
    return true;
}

/* 1: it is our turn; 0: somebody else is at it; -1: errno. */
static int begin(struct hold_store *store, const char *try)
{
    for (int i = 0; i < 2; i++) {
        int alive;

        if (linkat(store->dir, try, store->dir, AGEING, 0) == 0)
            return 1;
        if (errno != EEXIST)
            return -1;
        alive = hold_claim_alive(store, store->dir, AGEING, try);
        if (alive != 0)
            return alive < 0 && errno != ENOENT ? -1 : 0;
        unlinkat(store->dir, AGEING, 0);
    }
    return 0;
}

/* ---- telling ADMIN ---- */

static char *describe(const struct hold *hold)
{
    const struct hold_record *record = hold_record(hold);
    struct buf text = {0};
    size_t named = 0;

    buf_printf(&text, "%s ->", record->sender[0] != '\0' ? record->sender : "<>");
    for (size_t i = 0; i < record->recipients.count; i++) {
        if (hold_finished(hold, i, NULL))
            continue;
        if (named++ == RECIPIENTS_MAX) {
            buf_add_text(&text, " ...");
            break;
        }
        buf_printf(&text, " %s", record->recipients.items[i]);
    }
    buf_printf(&text, ", %lld h", hold_age_of(hold) / 3600);
    return buf_take(&text);
}

static bool tell(struct ageing *ageing, const char *kind, const struct strlist *ids)
{
    const char *pairs[2 * (LISTED_MAX + 1) + 1] = {NULL};
    struct strlist texts = {0};
    char number[24];
    bool told;

    snprintf(number, sizeof(number), "%zu", ids->count);
    pairs[0] = "COUNT";
    pairs[1] = number;
    for (size_t i = 0; i < ids->count && texts.count < LISTED_MAX; i++) {
        struct outcome outcome;
        struct hold *hold;

        outcome_done(&outcome);
        if (hold_open(ageing->store, ids->items[i], &hold, &outcome) != HOLD_FOUND)
            continue;
        strlist_add_take(&texts, describe(hold));
        pairs[2 * texts.count] = ids->items[i];
        pairs[2 * texts.count + 1] = texts.items[texts.count - 1];
        hold_close(hold);
    }
    told = report_notice(ageing->store->config, kind, pairs);
    strlist_free(&texts);
    if (!told)
        outcome_temporary(ageing->outcome, "4.3.0", "ADMIN could not be told about holds (%s)", kind);
    return told;
}

static void log_aged(const char *id, const char *result)
{
    log_event(LOG_LEVEL_WARNING, "hold", "id", id, "result", result, (char *)NULL);
}

static int mark(struct hold *hold, const char *name)
{
    int rc = hold_write_once(hold->dir, name, "", 0);

    return rc == 0 ? fsync(hold->dir) : rc;
}

static void make_overdue(struct ageing *ageing, struct hold *hold)
{
    if (mark(hold, HOLD_MARK_WARNED) != 0) {
        outcome_temporary(ageing->outcome, "4.3.1", "HOLD_DIR: %s", strerror(errno));
        return;
    }
    ageing->aged->overdue++;
    log_aged(hold->record.id, "overdue");
}

/* With HOLD_LOST=keep it waits for a person; infected content is of no use to anybody. */
static void make_expired(struct ageing *ageing, struct hold *hold)
{
    bool keep = ageing->store->config->hold_lost == CONFIG_LOST_KEEP && hold_state(hold) != HOLD_REFUSED;

    if (keep && mark(hold, HOLD_MARK_EXPIRED) != 0) {
        outcome_temporary(ageing->outcome, "4.3.1", "HOLD_DIR: %s", strerror(errno));
        return;
    }
    if (!keep && !hold_drop(hold, HOLD_HOW_EXPIRED, ageing->outcome))
        return;
    ageing->aged->expired++;
    log_aged(hold->record.id, "expired");
}

/* First ADMIN is told, then it happens: the other way round a fault could make it happen silently. */
static void tell_and_do(struct ageing *ageing, const char *kind, const struct strlist *ids,
                        void (*each)(struct ageing *ageing, struct hold *hold))
{
    if (ids->count == 0 || !tell(ageing, kind, ids))
        return;
    for (size_t i = 0; i < ids->count; i++) {
        struct hold *hold;

        if (hold_open(ageing->store, ids->items[i], &hold, ageing->outcome) == HOLD_FOUND)
            each(ageing, hold);
        hold_close(hold);
    }
}

/* ---- looking ---- */

/* Under another name first: half a tombstone must not look like anything. */
static void remove_tombstone(struct ageing *ageing, const struct hold *hold)
{
    char *name = hold_unique(HOLD_OLD);

    if (renameat(ageing->store->dir, hold->record.id, ageing->store->dir, name) == 0) {
        hold_remove_dir(ageing->store->dir, name);
        ageing->aged->removed++;
    }
    free(name);
}

static void look_at_tombstone(struct ageing *ageing, const struct hold *hold)
{
    struct stat st;

    hold_forget_message(hold);
    if (fstat(hold->dir, &st) == 0 && ageing->now - st.st_mtime > (time_t)ageing->store->config->journal_keep)
        remove_tombstone(ageing, hold);
}

static void look_at(struct ageing *ageing, const struct hold *hold)
{
    const struct config *config = ageing->store->config;
    enum hold_state state = hold_state(hold);
    time_t since, age;

    if (state == HOLD_GONE) {
        look_at_tombstone(ageing, hold);
        return;
    }
    if (hold->record.kind != HOLD_ORIGINAL || !mtime_of(hold->dir, HOLD_RECORD, &since))
        return;
    age = ageing->now - since;
    if (age > (time_t)config->hold_keep && (state != HOLD_EXPIRED || config->hold_lost == CONFIG_LOST_PLAIN))
        strlist_add(&ageing->expired, hold->record.id);
    else if (age > (time_t)config->hold_warn && state == HOLD_HELD &&
             hold_there(hold->dir, HOLD_MARK_WARNED) == 0)
        strlist_add(&ageing->overdue, hold->record.id);
}

static bool begins_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* What killed processes left. */
static void remove_leftovers(struct ageing *ageing)
{
    struct hold_store *store = ageing->store;
    int fd = openat(store->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    time_t since, oldest = LEFTOVER_AGE + (time_t)store->config->deadline;
    struct dirent *entry;

    if (listing == NULL)
        fdio_close(&fd);
    while (listing != NULL && (entry = readdir(listing)) != NULL) {
        bool directory = begins_with(entry->d_name, HOLD_NEW) || begins_with(entry->d_name, HOLD_OLD);

        if ((!directory && !begins_with(entry->d_name, HOLD_TRY)) ||
            !mtime_of(store->dir, entry->d_name, &since) || ageing->now - since <= oldest)
            continue;
        if (directory)
            hold_remove_dir(store->dir, entry->d_name);
        else
            unlinkat(store->dir, entry->d_name, 0);
    }
    if (listing != NULL)
        closedir(listing);
}

static void look_at_all(struct ageing *ageing)
{
    struct strlist ids = {0};

    if (hold_list(ageing->store, &ids) != 0)
        outcome_temporary(ageing->outcome, "4.3.1", "HOLD_DIR: %s", strerror(errno));
    for (size_t i = 0; i < ids.count && !deadline_passed(ageing->until); i++) {
        struct hold *hold;

        if (hold_open(ageing->store, ids.items[i], &hold, ageing->outcome) == HOLD_FOUND)
            look_at(ageing, hold);
        hold_close(hold);
    }
    strlist_free(&ids);
}

void hold_age(struct hold_store *store, deadline until, struct hold_aged *aged_r, struct outcome *outcome)
{
    struct ageing ageing = {.store = store, .until = until, .aged = aged_r, .outcome = outcome};
    char *try = hold_claim_try(store, store->dir);
    int turn = try != NULL ? begin(store, try) : -1;

    *aged_r = (struct hold_aged){.busy = turn == 0};
    if (turn < 0)
        outcome_temporary(outcome, "4.3.1", "HOLD_DIR %s: %s", store->config->hold_dir, strerror(errno));
    if (turn == 1 && mtime_of(store->dir, try, &ageing.now)) {
        look_at_all(&ageing);
        tell_and_do(&ageing, "hold-overdue", &ageing.overdue, make_overdue);
        tell_and_do(&ageing, "hold-expired", &ageing.expired, make_expired);
        remove_leftovers(&ageing);
        unlinkat(store->dir, AGEING, 0);
    }
    if (try != NULL)
        unlinkat(store->dir, try, 0);
    strlist_free(&ageing.overdue);
    strlist_free(&ageing.expired);
    free(try);
}
