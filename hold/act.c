/* Release and drop. */
#include <stdio.h>
#include <string.h>

#include "hold/hold.h"
#include "util/log.h"

struct hold *program_open(struct hold_store *store, const char *id, int *status_r)
{
    struct outcome outcome;
    struct hold *hold;
    enum hold_found found;

    outcome_done(&outcome);
    found = hold_open(store, id, &hold, &outcome);
    *status_r = found == HOLD_FAILED ? PROGRAM_TEMPORARY : PROGRAM_NOT;
    if (found == HOLD_FAILED)
        program_complain("%s", outcome.text);
    else if (found == HOLD_UNKNOWN)
        program_complain("%s: %s", id,
                         hold_id_valid(id) ? "there is no such entry; see julia-hold list"
                                           : "not an id: those have 32 digits and letters a-f");
    else
        log_set_queue_id(hold_record(hold)->queue_id);
    return hold;
}

static int status_of(const char *id, const struct outcome *outcome)
{
    if (outcome->kind == OUTCOME_DONE)
        return PROGRAM_FINE;
    program_complain("%s: %s", id, outcome->text);
    return outcome->kind == OUTCOME_TEMPORARY ? PROGRAM_TEMPORARY : PROGRAM_NOT;
}

/* Is something left to be done? */
static bool is_open(const struct hold *hold)
{
    enum hold_how how;

    if (hold_state(hold) != HOLD_GONE)
        return true;
    hold_finished(hold, 0, &how);
    program_complain("%s: nothing is left of it (%s)", hold_record(hold)->id, hold_how_name(how));
    return false;
}

/* All of them must be known and open, or nothing happens. */
static bool recipients_open(const struct hold *hold, const struct strlist *recipients)
{
    bool fine = true;

    for (size_t i = 0; i < recipients->count; i++) {
        long number = hold_recipient(hold, recipients->items[i]);
        enum hold_how how;

        if (number < 0)
            program_complain("%s is not a recipient of %s", recipients->items[i], hold_record(hold)->id);
        else if (hold_finished(hold, (size_t)number, &how))
            program_complain("%s: %s already", recipients->items[i], hold_how_name(how));
        else
            continue;
        fine = false;
    }
    return fine;
}

static void log_command(const struct hold *hold, const char *command, const char *by)
{
    log_event(LOG_LEVEL_WARNING, "command", "command", command, "id", hold_record(hold)->id, "kind",
              hold_kind_name(hold_record(hold)->kind), "state", hold_state_name(hold), "by", by,
              (char *)NULL);
}

static int release(struct hold_store *store, struct hold *hold, const struct strlist *recipients,
                   const char *by)
{
    deadline until = deadline_in((int64_t)hold_store_config(store)->deadline * 1000);
    struct outcome outcome;
    size_t taken;

    outcome_done(&outcome);
    log_command(hold, "release", by);
    taken = hold_deliver(hold, recipients->count > 0 ? recipients : NULL, HOLD_HOW_RELEASED, until, &outcome);
    if (taken > 0)
        printf("%s: handed to the internal relay for %zu recipient%s\n", hold_record(hold)->id, taken,
               taken == 1 ? "" : "s");
    return status_of(hold_record(hold)->id, &outcome);
}

int release_run(struct hold_store *store, const char *id, const struct strlist *recipients, const char *by)
{
    int status;
    struct hold *hold = program_open(store, id, &status);

    if (hold == NULL)
        return status;
    status = PROGRAM_NOT;
    if (is_open(hold) && recipients_open(hold, recipients))
        status = release(store, hold, recipients, by);
    hold_close(hold);
    return status;
}

int drop_run(struct hold_store *store, const char *id, const char *by)
{
    struct outcome outcome;
    int status;
    struct hold *hold = program_open(store, id, &status);

    if (hold == NULL)
        return status;
    status = PROGRAM_NOT;
    outcome_done(&outcome);
    if (is_open(hold)) {
        log_command(hold, "drop", by);
        if (hold_drop(hold, HOLD_HOW_DROPPED, &outcome))
            printf("%s: dropped\n", id);
        status = status_of(id, &outcome);
    }
    hold_close(hold);
    return status;
}
