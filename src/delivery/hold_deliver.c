#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "delivery/handoff.h"
#include "delivery/hold_private.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

/* For each recipient of the hold: is it among these (NULL: all are)? Newly allocated. */
static bool *wanted_of(const struct hold *hold, const struct strlist *recipients)
{
    size_t count = hold->record.recipients.count;
    bool *wanted = mem_array(count, sizeof(*wanted));

    for (size_t i = 0; recipients == NULL && i < count; i++)
        wanted[i] = true;
    for (size_t i = 0; recipients != NULL && i < recipients->count; i++) {
        long number = hold_recipient(hold, recipients->items[i]);

        if (number >= 0)
            wanted[number] = true;
    }
    return wanted;
}

void hold_claim_explain(enum hold_claim claim, struct outcome *outcome)
{
    if (claim == HOLD_BUSY)
        outcome_temporary(outcome, "4.3.0",
                          "another run is delivering this message to a recipient right now");
    else if (claim == HOLD_CLAIM_FAILED)
        outcome_temporary(outcome, "4.3.1", "HOLD_DIR: %s", strerror(errno));
    else if (claim == HOLD_CLAIM_REFUSED)
        outcome_permanent(outcome, EX_NOPERM, "5.7.0", "the virus scanner refused the content");
}

static void claim_wanted(struct hold *hold, const struct strlist *recipients, struct strlist *claimed,
                         struct outcome *outcome)
{
    bool *wanted = wanted_of(hold, recipients);

    for (size_t i = 0; i < hold->record.recipients.count; i++) {
        enum hold_claim claim;

        if (!wanted[i])
            continue;
        claim = hold_claim(hold, i);
        if (claim == HOLD_CLAIMED)
            strlist_add(claimed, hold->record.recipients.items[i]);
        else
            hold_claim_explain(claim, outcome);
    }
    free(wanted);
}

/* The envelope as it was when the message came. */
static bool hand_off(struct hold *hold, const struct strlist *recipients, enum hold_how how, deadline until,
                     struct outcome *outcome)
{
    const struct hold_record *record = &hold->record;
    struct message message = {.config = hold->store->config,
                              .fd = -1,
                              .envelope = {.sender = record->sender,
                                           .dsn_notify = record->dsn_notify,
                                           .dsn_ret = record->dsn_ret,
                                           .dsn_envid = record->dsn_envid}};
    struct handoff handoff = {.target = CONFIG_TARGET_INTERNAL,
                              .fd = hold_message(hold),
                              .sender = record->sender,
                              .recipients = recipients,
                              .headers_only = true,
                              .how = hold_how_name(how)};
    bool taken = false;

    if (handoff.fd < 0)
        outcome_temporary(outcome, "4.3.0", "what is kept as %s cannot be read: %s", record->id,
                          strerror(errno));
    else
        taken = handoff_command(&message, &handoff, recipients, until, outcome);
    fdio_close(&handoff.fd);
    return taken;
}

static void finish(struct hold *hold, enum hold_how how, size_t count)
{
    char number[24];
    int rc = hold_done(hold, how);

    snprintf(number, sizeof(number), "%zu", count);
    log_event(LOG_LEVEL_INFO, "hold", "id", hold->record.id, "rcpts", number, "result", hold_how_name(how),
              (char *)NULL);
    if (rc != 0)
        log_event(LOG_LEVEL_ERROR, "hold", "id", hold->record.id, "text",
                  "what happened could not be noted and may happen again", "fault", strerror(errno),
                  (char *)NULL);
}

size_t hold_deliver(struct hold *hold, const struct strlist *recipients, enum hold_how how, deadline until,
                    struct outcome *outcome)
{
    struct strlist claimed = {0};
    size_t taken = 0;

    claim_wanted(hold, recipients, &claimed, outcome);
    if (claimed.count > 0 && hand_off(hold, &claimed, how, until, outcome)) {
        taken = claimed.count;
        finish(hold, how, taken);
    } else if (claimed.count == 0) {
        hold_forget_message(hold); /* who finished it may not have come that far */
    }
    hold_unclaim(hold);
    strlist_free(&claimed);
    return taken;
}

bool hold_drop(struct hold *hold, enum hold_how how, struct outcome *outcome)
{
    size_t count = 0;

    for (size_t i = 0; i < hold->record.recipients.count; i++) {
        enum hold_claim claim = hold_claim_any(hold, i);

        if (claim == HOLD_CLAIMED)
            count++;
        else
            hold_claim_explain(claim, outcome);
    }
    if (outcome->kind == OUTCOME_DONE && count > 0)
        finish(hold, how, count);
    hold_unclaim(hold);
    return outcome->kind == OUTCOME_DONE;
}
