/* What rules and subject triggers ask for each recipient, and which keys and certificates must be looked up
 * for it. */
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "outgoing/plan.h"
#include "util/mem.h"

void plan_named(const struct header *header, struct strlist *named)
{
    static const char *const fields[] = {"To", "Cc", "Resent-To", "Resent-Cc"};
    for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
        long index;
        for (size_t from = 0; (index = header_next(header, fields[f], from)) >= 0; from = (size_t)index + 1) {
            char *value = header_value(header, (size_t)index);
            address_list_parse(value, strlen(value), named, NULL);
            free(value);
        }
    }
    for (size_t i = 0; i < named->count; i++) {
        char *form = address_normalise(named->items[i]);
        if (form == NULL)
            continue;
        free(named->items[i]);
        named->items[i] = form;
    }
}

bool plan_hides(const struct strlist *named, const char *recipient)
{
    char *form = address_normalise(recipient);
    bool hidden = !strlist_has(named, form != NULL ? form : recipient);
    free(form);
    return hidden;
}

static bool has_calendar(const struct mime_part *part)
{
    for (; part != NULL; part = part->next)
        if (mime_type_is(part, "text/calendar") || has_calendar(part->children))
            return true;
    return false;
}

static void facts_make(const struct message *message, struct ruleset_facts *facts_r)
{
    const char *sender = message->envelope.sender;
    *facts_r = (struct ruleset_facts){
        .sender = sender != NULL ? sender : "",
        .header_from = message->header_from.count == 1 ? message->header_from.items[0] : NULL,
        .authors = &message->header_from,
        .size = message->size,
        .header = &message->mime.root->header,
        .calendar = has_calendar(message->mime.root),
    };
}

/* A trigger means FS or FE: nothing of what the rules say weakens it. */
static void add_triggers(const struct trigger *trigger, struct ruleset_treatment *wish)
{
    if (trigger->sign)
        wish->sign = RULESET_FORCE;
    if (trigger->encrypt)
        wish->encrypt = RULESET_FORCE;
}

/* Which key: the one a rule names, else the sender's own, else the nearest earlier FS=addr. */
static void want_signer(struct plan *plan, struct plan_recipient *recipient)
{
    const struct ruleset_treatment *wish = &recipient->wish;
    const struct signer *signer = &plan->signer;
    if (wish->sign == RULESET_NO)
        return;
    if (wish->sign_as != NULL) {
        if (signer->order_allowed)
            recipient->want_sign = select_want(plan->select, SELECT_SIGN, wish->sign_as);
        else
            recipient->no_sign_why = signer->order_how;
        return;
    }
    if (signer->own_allowed)
        recipient->want_sign = select_want(plan->select, SELECT_SIGN, signer->own);
    else
        recipient->no_sign_why = signer->own_how;
    if (wish->sign_fallback != NULL && signer->order_allowed)
        recipient->want_sign_fallback = select_want(plan->select, SELECT_SIGN, wish->sign_fallback);
}

static void want_certificate(struct plan *plan, struct plan_recipient *recipient)
{
    const struct ruleset_treatment *wish = &recipient->wish;
    if (wish->encrypt == RULESET_NO)
        return;
    recipient->want_encrypt = select_want(plan->select, SELECT_ENCRYPT,
                                          wish->encrypt_to != NULL ? wish->encrypt_to : recipient->address);
}

void plan_want_also(struct plan *plan)
{
    const struct strlist *also = &plan->message->config->encrypt_also_to;
    plan->also = mem_array(also->count + 1, sizeof(size_t));
    for (size_t i = 0; i < also->count; i++)
        plan->also[plan->also_count++] = select_want(plan->select, SELECT_ENCRYPT, also->items[i]);
}

static void decide_one(struct plan *plan, struct ruleset_message *rules, const struct strlist *named,
                       struct plan_recipient *recipient)
{
    const struct config *config = plan->message->config;
    recipient->hidden = plan_hides(named, recipient->address);
    if (rules != NULL)
        ruleset_message_match(rules, recipient->address, &recipient->wish);
    add_triggers(&plan->trigger, &recipient->wish);
    recipient->profile = config_profile_find(config, recipient->wish.profile);
    if (recipient->profile == NULL)
        recipient->profile = config_profile_find(config, NULL);
    recipient->want_sign = recipient->want_sign_fallback = recipient->want_encrypt = PLAN_NO_WANT;
    if (recipient->wish.reject != NULL)
        return;
    want_signer(plan, recipient);
    want_certificate(plan, recipient);
}

void treatment_decide(struct plan *plan, const struct strlist *recipients,
                      const struct direction_client *client)
{
    const struct ruleset *ruleset = plan->message->config->ruleset;
    struct ruleset_message *rules = NULL;
    struct ruleset_facts facts;
    struct strlist named = {0};
    bool encrypts = false;
    facts_make(plan->message, &facts);
    if (ruleset != NULL)
        rules = ruleset_message_new(ruleset, &facts);
    plan_named(&plan->message->mime.root->header, &named);
    trigger_find(plan->message, &plan->trigger);
    signer_decide(plan->message, client, &plan->signer);
    plan->select = select_new();
    plan->recipients = mem_array(recipients->count + 1, sizeof(*plan->recipients));
    plan->count = recipients->count;
    for (size_t i = 0; i < recipients->count; i++) {
        plan->recipients[i].address = recipients->items[i];
        decide_one(plan, rules, &named, &plan->recipients[i]);
        encrypts = encrypts || plan->recipients[i].want_encrypt != PLAN_NO_WANT;
    }
    if (encrypts)
        plan_want_also(plan);
    ruleset_message_free(rules);
    strlist_free(&named);
}
