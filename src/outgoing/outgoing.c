#include "outgoing/outgoing.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/direction.h"
#include "core/explain.h"
#include "core/giveup.h"
#include "delivery/handoff.h"
#include "delivery/report.h"
#include "outgoing/dkim.h"
#include "outgoing/group.h"
#include "outgoing/plan.h"
#include "outgoing/product.h"
#include "util/log.h"
#include "util/mem.h"

static bool wants_signature(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->recipients[i].wish.sign != RULESET_NO)
            return true;
    return false;
}

/* SMIME_ENGINE=1: what would be done, one line per group. */
static void log_rehearsal(struct plan *plan)
{
    struct group_list groups;
    group_make(plan, &groups);
    for (size_t i = 0; i < groups.count; i++) {
        const struct group *group = &groups.items[i];
        const struct plan_recipient *first = group->members[0];
        struct buf lines = {0}, name = {0};
        group_lines(group, &lines);
        log_event(LOG_LEVEL_INFO, "rehearsal", "first-recipient", log_address(&name, first->address), "would",
                  group->end == PLAN_SEND     ? "send"
                  : group->end == PLAN_REFUSE ? "refuse"
                                              : "wait",
                  "sign", group->signer != NULL ? group->signer_address : "no", "encrypt",
                  group->certificate_count > 0 ? "yes" : "no", "lines", buf_text(&lines), "reason",
                  group->end == PLAN_REFUSE ? first->reason : NULL, "detail", first->detail, (char *)NULL);
        buf_free(&lines);
        buf_free(&name);
    }
    group_free(&groups);
}

static void forget_decisions(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct plan_recipient *recipient = &plan->recipients[i];
        recipient->end = PLAN_SEND;
        recipient->signer = recipient->certificate = NULL;
        recipient->user_signed = false;
        free(recipient->detail);
        recipient->detail = NULL;
    }
}

#define HEADER_ROOM        8192 /* octets, and HEADER_ROOM_FIELDS fields, that julia may add to a header */
#define HEADER_ROOM_FIELDS 10

/* The output must stay within the limits, too, or the last check could not read it. Protected fields stand
   inside once more, and what HP-Outer says of them. */
static bool header_too_long(const struct message *message, bool protects)
{
    const struct header *header = &message->mime.root->header;
    size_t len = header->len, count = header->count;
    if (protects) {
        len += len + count * strlen("HP-Outer: ");
        count += count;
    }
    return message->mime.fault == MIME_HEADER_TOO_LONG || len > HEADER_SECTION_MAX - HEADER_ROOM ||
           count > HEADER_FIELDS_MAX - HEADER_ROOM_FIELDS;
}

/* Header fields beyond the limits are not in memory, so they cannot be taken over into what julia would
   write. And a line in the header that is no field may be meant as text: it must not stay outside. */
static const char *header_fault(const struct message *message, bool protects)
{
    if (header_too_long(message, protects))
        return "the header of the message is too long to be signed or encrypted";
    if (header_has_strays(&message->mime.root->header))
        return "the header of the message has a line that is no header field, or no empty line behind it";
    return NULL;
}

static void refuse_unreadable(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct plan_recipient *recipient = &plan->recipients[i];
        bool protects = plan_protection(plan, recipient->profile) != CONFIG_PROTECTION_NO;
        const char *fault = header_fault(plan->message, protects);
        if (fault != NULL && recipient->end == PLAN_SEND &&
            (recipient->signer != NULL || recipient->certificate != NULL))
            plan_refuse(recipient, "5.6.0", "structure", fault);
    }
}

static void decide(struct plan *plan)
{
    struct message *message = plan->message;
    if (message->config->engine != CONFIG_ENGINE_PASS) {
        if (wants_signature(plan) && plan->existing.kind == EXISTING_SIGNED)
            existing_verify(message, &plan->existing);
        if (plan->existing.kind != EXISTING_ENCRYPTED)
            select_run(plan->select, message);
        decide_all(plan);
        refuse_unreadable(plan);
        dkim_refuse(plan);
    }
    if (message->config->engine == CONFIG_ENGINE_REHEARSE) {
        log_rehearsal(plan);
        forget_decisions(plan);
    }
    if (message->config->engine != CONFIG_ENGINE_WORK)
        decide_unchanged(plan);
}

static void refuse_groups(const struct plan *plan, struct journal *journal, const struct group_list *groups,
                          struct outcome *outcome)
{
    struct report_recipient *refused = NULL;
    size_t count = 0;
    for (size_t g = 0; g < groups->count; g++)
        for (size_t i = 0; groups->items[g].end == PLAN_REFUSE && i < groups->items[g].count; i++) {
            const struct plan_recipient *member = groups->items[g].members[i];
            struct report_recipient *one = mem_push(&refused, &count, sizeof(*one));
            *one =
                (struct report_recipient){member->address, member->dsn, member->reason, member->detail, NULL};
        }
    report_refuse(plan->message, journal, refused, count, outcome);
    free(refused);
}

static void send_group(const struct plan *plan, struct journal *journal, struct product *product,
                       const struct group *group, struct outcome *outcome)
{
    const struct message *message = plan->message;
    struct strlist recipients = {0};
    struct product_file file;
    group_recipients(group, &recipients);
    if (product_make(product, group, &file, outcome)) {
        struct handoff handoff = {.target = CONFIG_TARGET_EXTERNAL,
                                  .fd = file.fd,
                                  .start = file.start,
                                  .sender = message->envelope.sender,
                                  .recipients = &recipients,
                                  .how = file.how};
        handoff_run(message, journal, &handoff, outcome);
        group_trace(group, CONFIG_TARGET_EXTERNAL, true);
    }
    strlist_free(&recipients);
}

static void give_up_group(const struct plan *plan, struct journal *journal, struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        plan_refuse(group->members[i], "5.3.0", "gave-up", NULL);
    group->end = PLAN_REFUSE;
    report_admin(plan->message, journal, "gave-up", (char *)NULL);
}

static void run_groups(struct plan *plan, struct journal *journal, struct outcome *outcome)
{
    struct group_list groups;
    struct product *product = product_new(plan, journal);
    group_make(plan, &groups);
    for (size_t i = 0; i < groups.count; i++) {
        struct group *group = &groups.items[i];
        struct outcome own;
        outcome_done(&own);
        if (group->end == PLAN_SEND)
            send_group(plan, journal, product, group, &own);
        else
            group_trace(group, CONFIG_TARGET_EXTERNAL, false);
        if (group->end == PLAN_WAIT)
            outcome_temporary(&own, "4.7.5", "%s", group->members[0]->detail);
        if (own.kind != OUTCOME_DONE && group->end == PLAN_SEND && product_module_died(product) &&
            giveup_module(plan->message, journal))
            give_up_group(plan, journal, group);
        else if (own.kind != OUTCOME_DONE)
            outcome_temporary(outcome, own.dsn, "%s", own.text);
    }
    refuse_groups(plan, journal, &groups, outcome);
    group_free(&groups);
    product_free(product);
}

static void explain_groups(struct plan *plan, const struct direction_client *client, struct buf *explain)
{
    struct group_list groups;
    group_make(plan, &groups);
    for (size_t i = 0; i < groups.count; i++) {
        const struct group *group = &groups.items[i];
        enum direction direction = direction_of(plan->message->config, client, plan->message->envelope.sender,
                                                group->members[0]->address);
        explain_group(plan, group, direction_name(direction), explain);
    }
    group_free(&groups);
}

/* Run after run has crashed on this message: it is returned. */
static bool given_up(struct plan *plan, struct journal *journal)
{
    if (!giveup_runs(plan->message, journal))
        return false;
    for (size_t i = 0; i < plan->count; i++)
        plan_refuse(&plan->recipients[i], "5.3.0", "gave-up", NULL);
    report_admin(plan->message, journal, "gave-up", (char *)NULL);
    return true;
}

void outgoing_run(struct message *message, struct journal *journal, const struct strlist *recipients,
                  struct buf *explain, struct outcome *outcome)
{
    struct plan plan = {
        .message = message, .dkim = message->config->dkim_broken, .protection = PLAN_BY_PROFILE};
    struct direction_client client;
    struct strlist left = {0};
    long long age = (long long)time(NULL) - journal_first_seen(journal);
    plan.patient = journal == NULL || age < (long long)message->config->eip_patience;
    handoff_claim(journal, recipients, &left, NULL, outcome);
    if (left.count > 0 && direction_client_find(message, &client, outcome) &&
        existing_look(message, &plan.existing, outcome)) {
        treatment_decide(&plan, &left, &client);
        if (!given_up(&plan, journal))
            decide(&plan);
        if (explain != NULL) {
            explain_groups(&plan, &client, explain);
        } else {
            select_log(plan.select, message);
            run_groups(&plan, journal, outcome);
        }
    }
    plan_free(&plan);
    strlist_free(&left);
}
