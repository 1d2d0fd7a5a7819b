#include "incoming/returned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/explain.h"
#include "core/giveup.h"
#include "core/roundtrip.h"
#include "core/trace.h"
#include "delivery/handoff.h"
#include "delivery/hold.h"
#include "delivery/report.h"
#include "incoming/copydigest.h"
#include "incoming/returned_copy.h"
#include "util/log.h"

struct returned {
    const struct message *message;
    struct journal *journal;
    const struct strlist *recipients;
    struct buf *explain;
    struct outcome *outcome;
    char *id; /* of X-JULIA-Hold, "none", or NULL: it says no one thing */
    struct hold_store *store;
    struct hold *hold;
    struct returned_copy copy;
    struct strlist pending; /* not finished */
    struct strlist before;  /* had it before */
    struct strlist lost;    /* nothing is held for them */
};

static void note(const struct returned *r, const char *result, const struct strlist *recipients)
{
    char *names = log_addresses(recipients);

    if (r->explain != NULL)
        explain_note(r->explain, "%s: %s", result, names != NULL ? names : "");
    else
        log_event(LOG_LEVEL_INFO, "return", "hold", r->id != NULL ? r->id : "?", "result", result,
                  "recipients", names, (char *)NULL);
    free(names);
}

static void tell(const struct returned *r, const char *kind, const char *why, const char *result,
                 const struct strlist *recipients)
{
    /* Not with a Subject that came encrypted. */
    const struct message *message = r->copy.message.config != NULL ? &r->copy.message : r->message;
    char *names = strlist_join(recipients, ", ");

    report_admin(message, r->journal, kind, "HOLD", r->id, "RECIPIENTS", names, "REASON", why, "RESULT",
                 result, (char *)NULL);
    free(names);
}

/* ---- what happens to whom ---- */

/* Those who are finished had it before, unless they were finished without getting anything. */
static void sort_finished(struct returned *r, const char *recipient, enum hold_how how)
{
    bool had = how == HOLD_HOW_EXCHANGED || how == HOLD_HOW_CHANGED || how == HOLD_HOW_RELEASED;

    strlist_add(had ? &r->before : &r->lost, recipient);
}

/* HOLD_DIR fails: a copy that is mistaken for a changed, refused or lost one could not be taken back. */
static void cannot_tell(struct returned *r)
{
    outcome_temporary(r->outcome, "4.3.1", "HOLD_DIR: %s", strerror(errno));
}

/* False: outcome is temporary. */
static bool sort_recipients(struct returned *r)
{
    enum hold_state state = hold_state(r->hold);
    bool held = state == HOLD_HELD && hold_record(r->hold)->kind == HOLD_ORIGINAL;

    if (state == HOLD_UNSURE) {
        cannot_tell(r);
        return false;
    }
    for (size_t i = 0; i < r->recipients->count; i++) {
        const char *recipient = r->recipients->items[i];
        long number = hold_recipient(r->hold, recipient);
        enum hold_how how;

        if (number >= 0 && hold_finished(r->hold, (size_t)number, &how))
            sort_finished(r, recipient, how);
        else
            strlist_add(number >= 0 && held ? &r->pending : &r->lost, recipient);
    }
    return true;
}

/* ---- without an original ---- */

static bool keep_copy(struct returned *r, enum hold_kind kind, const struct strlist *recipients,
                      struct outcome *outcome)
{
    const struct hold_new entry = {.kind = kind,
                                   .recipients = recipients,
                                   .fd = r->copy.message.fd,
                                   .of = r->id != NULL && hold_id_valid(r->id) ? r->id : NULL};

    return hold_keep(r->store, &r->copy.message, &entry, outcome);
}

/* Of refused mail nothing is delivered, whatever comes back of it. */
static void lose(struct returned *r)
{
    enum hold_state state = r->hold != NULL ? hold_state(r->hold) : HOLD_GONE;
    bool refused = state == HOLD_REFUSED;
    bool keep = refused || r->message->config->hold_lost == CONFIG_LOST_KEEP;
    const char *result = keep ? "kept" : "delivered", *why = "unknown";

    if (r->lost.count == 0)
        return;
    if (state == HOLD_UNSURE) {
        cannot_tell(r);
        return;
    }
    if (r->hold != NULL)
        why = refused ? "refused" : state == HOLD_HELD ? "another recipient" : "expired or dropped";
    note(r, keep ? "lost-kept" : "lost-delivered", &r->lost);
    if (r->explain != NULL)
        return;
    if (keep && !keep_copy(r, HOLD_LOST, &r->lost, r->outcome))
        return;
    if (!keep)
        returned_copy_send(&r->copy, r->journal, &r->lost, "returned", NULL, NULL, r->outcome);
    tell(r, "hold-lost", why, result, &r->lost);
}

/* ---- with one ---- */

static void claim_pending(struct returned *r, struct strlist *claimed)
{
    for (size_t i = 0; i < r->pending.count; i++) {
        const char *recipient = r->pending.items[i];
        enum hold_claim claim = hold_claim(r->hold, (size_t)hold_recipient(r->hold, recipient));

        if (claim == HOLD_CLAIMED)
            strlist_add(claimed, recipient);
        else if (claim == HOLD_DONE_BEFORE)
            strlist_add(&r->before, recipient);
        else if (claim == HOLD_CLAIM_REFUSED)
            strlist_add(&r->lost, recipient);
        else
            hold_claim_explain(claim, r->outcome);
    }
}

static void finish_changed(struct returned *r, const struct strlist *claimed)
{
    bool keep = r->message->config->hold_changed == CONFIG_CHANGED_KEEP;
    struct outcome part;

    outcome_done(&part);
    if (keep)
        keep_copy(r, HOLD_CHANGED, claimed, &part);
    else
        returned_copy_send(&r->copy, r->journal, claimed, "changed", NULL, NULL, &part);
    note(r, part.kind != OUTCOME_DONE ? "waits" : keep ? "changed-kept" : "changed-delivered", claimed);
    if (part.kind != OUTCOME_DONE) {
        outcome_temporary(r->outcome, part.dsn, "%s", part.text);
        hold_unclaim(r->hold);
        return;
    }
    if (hold_done(r->hold, HOLD_HOW_CHANGED) != 0)
        log_event(LOG_LEVEL_ERROR, "hold", "id", r->id, "text",
                  "what happened could not be noted and may happen again", "fault", strerror(errno),
                  (char *)NULL);
    tell(r, "hold-changed", NULL, keep ? "kept" : "delivered", claimed);
}

/* The scanner took something out: from now on the copy stands for the original. */
static void change(struct returned *r)
{
    struct strlist claimed = {0};

    if (r->explain != NULL)
        note(r, "changed", &r->pending);
    else
        claim_pending(r, &claimed);
    if (claimed.count > 0)
        finish_changed(r, &claimed);
    strlist_free(&claimed);
}

static void deliver_original(struct returned *r)
{
    struct outcome part;

    outcome_done(&part);
    hold_deliver(r->hold, &r->pending, HOLD_HOW_EXCHANGED, r->message->until, &part);
    /* Refused just now: the next try will see that. */
    if (part.kind != OUTCOME_DONE)
        outcome_temporary(r->outcome, "4.3.0", "%s", part.text);
    note(r, part.kind == OUTCOME_DONE ? "exchanged" : "waits", &r->pending);
}

static void exchange(struct returned *r)
{
    unsigned char digest[SHA256_LEN];
    const struct message *message = r->message;
    int same;

    if (r->pending.count == 0)
        return;
    if (copydigest(message->fd, message->offset, message->size, digest) != 0) {
        outcome_temporary(r->outcome, "4.3.0", "the spooled message cannot be read: %s", strerror(errno));
        return;
    }
    same = hold_is_copy(r->hold, digest);
    if (same < 0) {
        cannot_tell(r);
    } else if (same == 0) {
        change(r);
    } else if (r->explain != NULL) {
        note(r, "exchanged", &r->pending);
    } else {
        deliver_original(r);
    }
}

static void by_hold(struct returned *r)
{
    enum hold_found found = HOLD_UNKNOWN;

    r->store = hold_store_open(r->message->config, r->outcome);
    if (r->store != NULL && r->id != NULL)
        found = hold_open(r->store, r->id, &r->hold, r->outcome);
    if (r->store == NULL || found == HOLD_FAILED)
        return;
    if (found == HOLD_FOUND && !sort_recipients(r))
        return;
    for (size_t i = 0; found != HOLD_FOUND && i < r->recipients->count; i++)
        strlist_add(&r->lost, r->recipients->items[i]);
    exchange(r);
    if (r->before.count > 0)
        note(r, "repeated", &r->before);
    lose(r);
}

/* Who has no certificate and gets none within GIVE_UP. Delivered in clear it must not be, and in the MTA's
   queue it would die: it is kept for a person. */
static void keep_left(struct returned *r, const struct reencrypt_left *left)
{
    if (left->recipients.count == 0 || r->explain != NULL)
        return;
    if (!giveup_time(r->message, r->journal)) {
        outcome_temporary(r->outcome, left->outcome.dsn, "%s", left->outcome.text);
        return;
    }
    r->store = hold_store_open(r->message->config, r->outcome);
    if (r->store == NULL || !keep_copy(r, HOLD_LOST, &left->recipients, r->outcome))
        return;
    note(r, "lost-kept", &left->recipients);
    tell(r, "hold-lost", "not encrypted", "kept", &left->recipients);
}

static void without_hold(struct returned *r)
{
    struct reencrypt_left left = {0};

    returned_copy_send(&r->copy, r->journal, r->recipients, "returned", r->explain, &left, r->outcome);
    if (r->explain == NULL)
        note(r, r->outcome->kind == OUTCOME_DONE && left.recipients.count == 0 ? "passed" : "waits",
             r->recipients);
    keep_left(r, &left);
    reencrypt_left_free(&left);
}

void returned_run(const struct message *message, struct journal *journal, const struct strlist *recipients,
                  struct buf *explain, struct outcome *outcome)
{
    struct returned r = {.message = message,
                         .journal = journal,
                         .recipients = recipients,
                         .explain = explain,
                         .outcome = outcome};
    bool none;

    r.id = roundtrip_hold(&message->mime.root->header);
    none = r.id != NULL && strcmp(r.id, ROUNDTRIP_NO_HOLD) == 0;
    trace_add(TRACE_TARGET, config_target_name(CONFIG_TARGET_INTERNAL));
    if (explain != NULL && !none)
        explain_plain("return", config_target_name(CONFIG_TARGET_INTERNAL), recipients, NULL, explain);
    if (returned_copy_make(&r.copy, message, outcome)) {
        if (none)
            without_hold(&r);
        else
            by_hold(&r);
    }
    hold_close(r.hold);
    hold_store_close(r.store);
    returned_copy_free(&r.copy);
    strlist_free(&r.pending);
    strlist_free(&r.before);
    strlist_free(&r.lost);
    free(r.id);
}
