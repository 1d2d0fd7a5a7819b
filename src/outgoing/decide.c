/* From wishes and what was found to decisions: send (signed, encrypted or as it is), refuse, or wait. */
#include <stdlib.h>
#include <string.h>

#include "core/form.h"
#include "outgoing/plan.h"
#include "util/mem.h"

static const struct select_choice *look_up(const struct plan *plan, const struct plan_recipient *recipient,
                                           size_t want)
{
    return want != PLAN_NO_WANT ? select_get(plan->select, want, recipient->profile) : NULL;
}

/* For the null sender FS counts as SIP: notices must not fail for want of a key. */
static bool must_sign(const struct plan *plan, const struct plan_recipient *recipient)
{
    const char *sender = plan->message->envelope.sender;
    return recipient->wish.sign == RULESET_FORCE && sender != NULL && sender[0] != '\0';
}

static void refuse_unsigned(struct plan_recipient *recipient, const struct select_choice *signer)
{
    char *detail =
        signer == NULL ? NULL : mem_printf("%s%s", signer->address, signer->wrong_key ? " (RSA)" : "");
    plan_refuse(recipient, "5.7.5", "no-key", detail);
    free(detail);
}

static void no_signature(const struct plan *plan, struct plan_recipient *recipient,
                         const struct select_choice *first, const struct select_choice *fallback)
{
    const struct select_choice *unsure = first != NULL && first->uncertain         ? first
                                         : fallback != NULL && fallback->uncertain ? fallback
                                                                                   : NULL;
    bool forced = must_sign(plan, recipient);
    if (unsure != NULL && (forced || plan->patient))
        plan_wait(recipient, "the signing key of %s cannot be looked up: %s", unsure->address,
                  unsure->detail != NULL ? unsure->detail : unsure->reason);
    else if (forced && recipient->no_sign_why != NULL)
        plan_refuse(recipient, "5.7.1", "signer-refused", recipient->no_sign_why);
    else if (forced)
        refuse_unsigned(recipient, first != NULL ? first : fallback);
}

/* A user's own signature that stays is enough, unless the profile is strict and this is no such form. */
static bool user_signed(const struct plan *plan, const struct plan_recipient *recipient)
{
    const struct existing *existing = &plan->existing;
    const struct form_signature found = {existing->scheme, existing->mgf1, existing->salt};
    return existing->kept &&
           (!config_profile_strict(recipient->profile) || form_signature_fits(recipient->profile, &found));
}

static void decide_sign(const struct plan *plan, struct plan_recipient *recipient)
{
    if (recipient->wish.sign == RULESET_NO)
        return;
    if (user_signed(plan, recipient)) {
        recipient->user_signed = true;
        return;
    }
    const struct select_choice *first = look_up(plan, recipient, recipient->want_sign);
    const struct select_choice *fallback = look_up(plan, recipient, recipient->want_sign_fallback);
    if (plan->existing.uncertain && plan->patient)
        plan_wait(recipient, "the signature of the message cannot be checked: %s", plan->existing.how);
    else if (first != NULL && first->chosen != NULL)
        recipient->signer = first;
    else if (fallback != NULL && fallback->chosen != NULL &&
             (first == NULL || !first->uncertain || !plan->patient))
        recipient->signer = fallback;
    else
        no_signature(plan, recipient, first, fallback);
}

static void decide_encrypt(const struct plan *plan, struct plan_recipient *recipient)
{
    const struct select_choice *found = look_up(plan, recipient, recipient->want_encrypt);
    bool forced = recipient->wish.encrypt == RULESET_FORCE;
    if (recipient->end != PLAN_SEND || found == NULL)
        return;
    if (found->chosen != NULL) {
        recipient->certificate = found;
        return;
    }
    bool wait = found->uncertain && (plan->patient || (forced && !found->status_unknown));
    /* a stricter profile must not be the reason that mail leaves in clear */
    bool refuse = forced || found->wrong_key ||
                  (found->uncertain && plan->message->config->eip_fallback == CONFIG_FALLBACK_REFUSE);
    if (wait)
        plan_wait(recipient, "the certificate of %s cannot be judged: %s", found->address,
                  found->detail != NULL ? found->detail : found->reason);
    else if (refuse)
        plan_refuse(recipient, "5.7.5", found->reason, found->detail);
}

void plan_decide_also(const struct plan *plan, struct plan_recipient *recipient)
{
    for (size_t i = 0; recipient->certificate != NULL && i < plan->also_count; i++) {
        const struct select_choice *also = select_get(plan->select, plan->also[i], recipient->profile);
        if (also->chosen == NULL)
            plan_wait(recipient, "ENCRYPT_ALSO_TO %s has no usable certificate: %s", also->address,
                      also->reason);
    }
}

/* PARTIAL=all: as soon as one recipient cannot get the message encrypted, nobody gets it. */
static void decide_partial(struct plan *plan)
{
    const struct plan_recipient *culprit = NULL;
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_recipient *recipient = &plan->recipients[i];
        if (recipient->wish.encrypt == RULESET_FORCE && recipient->end != PLAN_SEND &&
            (culprit == NULL || recipient->end == PLAN_REFUSE))
            culprit = recipient;
    }
    for (size_t i = 0; culprit != NULL && i < plan->count; i++) {
        struct plan_recipient *recipient = &plan->recipients[i];
        if (recipient->end != PLAN_SEND || recipient == culprit)
            continue;
        if (culprit->end == PLAN_REFUSE)
            plan_refuse(recipient, "5.7.5", "partial", culprit->address);
        else
            plan_wait(recipient, "PARTIAL=all: %s must wait: %s", culprit->address, culprit->detail);
    }
}

/* Whatever was decided above: what must be encrypted and is not does not leave. */
static void never_in_clear(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct plan_recipient *recipient = &plan->recipients[i];
        if (recipient->end == PLAN_SEND && recipient->wish.encrypt == RULESET_FORCE &&
            recipient->certificate == NULL && plan->existing.kind != EXISTING_ENCRYPTED)
            plan_wait(recipient, "it must be encrypted, but no certificate was chosen");
    }
}

void decide_all(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct plan_recipient *recipient = &plan->recipients[i];
        if (recipient->wish.reject != NULL) {
            plan_refuse(recipient, "5.7.1", "rejected", recipient->wish.reject);
            continue;
        }
        if (plan->existing.kind == EXISTING_ENCRYPTED)
            continue;
        decide_sign(plan, recipient);
        decide_encrypt(plan, recipient);
        plan_decide_also(plan, recipient);
    }
    if (plan->message->config->partial == CONFIG_PARTIAL_ALL)
        decide_partial(plan);
    never_in_clear(plan);
}

void decide_unchanged(struct plan *plan)
{
    const struct config *config = plan->message->config;
    for (size_t i = 0; i < plan->count; i++) {
        struct plan_recipient *recipient = &plan->recipients[i];
        if (recipient->wish.encrypt == RULESET_FORCE && plan->existing.kind != EXISTING_ENCRYPTED &&
            !config->engine_clear)
            plan_wait(recipient, "must be encrypted, and SMIME_ENGINE=%d changes nothing (ENGINE_CLEAR=no)",
                      config->engine);
    }
}
