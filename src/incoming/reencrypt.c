#include "incoming/reencrypt.h"

#include <stdlib.h>
#include <string.h>

#include "core/explain.h"
#include "core/giveup.h"
#include "core/roundtrip.h"
#include "delivery/handoff.h"
#include "delivery/report.h"
#include "mail/address.h"
#include "mail/smime_part.h"
#include "outgoing/group.h"
#include "outgoing/plan.h"
#include "outgoing/product.h"
#include "util/mem.h"

struct reencrypt {
    struct message *finished;
    struct journal *journal;
    struct buf *explain;
    struct plan plan;
    const struct config_profile *profile;
    bool *left_out;  /* plan.left_out */
    size_t *gateway; /* look-ups for GATEWAY_KEY */
    struct reencrypt_left *left;
};

static bool value_is(const struct header *header, const char *name, const char *word)
{
    char *value = header_value_of(header, name);
    bool same = value != NULL && strcmp(value, word) == 0;

    free(value);
    return same;
}

enum reencrypt_need reencrypt_need(const struct header *header)
{
    static const char encryption[] = "X-JULIA-Encryption";
    static const char *const clear[] = {"none", "undecryptable", "unsupported"};

    if (header_count(header, encryption) != 1 || header_count(header, REENCRYPT_FIELD) > 1)
        return REENCRYPT_UNCLEAR;
    if (header_count(header, REENCRYPT_FIELD) == 1 || value_is(header, encryption, "decrypted") ||
        value_is(header, encryption, "not-integrity-protected"))
        return REENCRYPT_YES;
    for (size_t i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
        if (value_is(header, encryption, clear[i]))
            return REENCRYPT_NO;
    return REENCRYPT_UNCLEAR;
}

void reencrypt_left_free(struct reencrypt_left *left)
{
    strlist_free(&left->recipients);
}

/* Fields that end here, and lines that are no fields: many readers would take those for the beginning of the
 * text. */
static bool *choose_left_out(const struct header *header)
{
    bool *left_out = mem_array(header->count + 1, sizeof(bool));

    for (size_t i = 0; i < header->count; i++)
        left_out[i] = header->fields[i].name_len == 0 || header_field_is(header, i, REENCRYPT_FIELD) ||
                      header_field_is(header, i, ROUNDTRIP_HOLD);
    return left_out;
}

static bool has_protected(const struct mime_part *part)
{
    return header_typed_param(&part->type, "hp") != NULL ||
           header_typed_param(&part->type, "protected-headers") != NULL ||
           mime_type_is(part, "message/rfc822");
}

/* A message that is still signed may have protected fields inside of its signature, where readers look for
   them. */
static void choose_header(struct reencrypt *re)
{
    const struct mime_part *root = re->finished->mime.root;
    enum smime_shape shape = smime_part_shape(root);
    bool names = value_is(&root->header, REENCRYPT_FIELD, REENCRYPT_HIDDEN_NAMES);

    re->finished->subject_hidden = names || value_is(&root->header, REENCRYPT_FIELD, REENCRYPT_HIDDEN);
    if (re->finished->subject_hidden)
        re->plan.protection = names ? CONFIG_PROTECTION_SHY : CONFIG_PROTECTION_BASELINE;
    else if (shape == SMIME_SHAPE_NONE && header_typed_param(&root->type, "hp") != NULL)
        re->plan.protection = CONFIG_PROTECTION_CLEAR;
    else
        re->plan.protection = CONFIG_PROTECTION_NO;
    re->plan.kept_inside = shape == SMIME_SHAPE_DETACHED && has_protected(root->children);
    re->plan.left_out = re->left_out = choose_left_out(&root->header);
}

static void look_up(struct reencrypt *re, const struct strlist *recipients)
{
    const struct config *config = re->finished->config;
    struct plan *plan = &re->plan;
    struct strlist named = {0};

    re->profile = config_profile_find(config, NULL);
    plan->select = select_new();
    plan->recipients = mem_array(recipients->count + 1, sizeof(*plan->recipients));
    plan->count = recipients->count;
    plan_named(&re->finished->mime.root->header, &named);
    for (size_t i = 0; i < recipients->count; i++) {
        struct plan_recipient *recipient = &plan->recipients[i];

        recipient->address = recipients->items[i];
        recipient->hidden = plan_hides(&named, recipient->address);
        recipient->profile = re->profile;
        recipient->want_sign = recipient->want_sign_fallback = PLAN_NO_WANT;
        recipient->want_encrypt = select_want(plan->select, SELECT_INSIDE, recipient->address);
    }
    re->gateway = mem_array(config->gateway_key.count + 1, sizeof(size_t));
    for (size_t i = 0; i < config->gateway_key.count; i++)
        re->gateway[i] = select_want(plan->select, SELECT_INSIDE, config->gateway_key.items[i]);
    plan_want_also(plan);
    select_run(plan->select, re->finished);
    strlist_free(&named);
}

static bool same_domain(const char *a, const char *b)
{
    const char *x = strrchr(a, '@'), *y = strrchr(b, '@');
    char *one = x == NULL ? NULL : address_domain_ascii(x + 1);
    char *other = y == NULL ? NULL : address_domain_ascii(y + 1);
    bool same = one != NULL && other != NULL && strcmp(one, other) == 0;

    free(one);
    free(other);
    return same;
}

/* The first usable certificate of GATEWAY_KEY: of the recipient's own domain, else of another one. NULL:
 * none. */
static const struct select_choice *gateway_choice(const struct reencrypt *re, const char *recipient)
{
    const struct strlist *keys = &re->finished->config->gateway_key;
    const struct select_choice *other = NULL;

    for (size_t i = 0; i < keys->count; i++) {
        const struct select_choice *choice = select_get(re->plan.select, re->gateway[i], re->profile);

        if (choice->chosen != NULL && same_domain(keys->items[i], recipient))
            return choice;
        if (choice->chosen != NULL && other == NULL)
            other = choice;
    }
    return other;
}

/* Is one of these without a certificate only because it could not be looked up or judged? */
static bool unsure(const struct reencrypt *re, const size_t *wants, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct select_choice *choice = select_get(re->plan.select, wants[i], re->profile);

        if (choice->chosen == NULL && choice->uncertain)
            return true;
    }
    return false;
}

static const char stuck[] = "stuck";

/* He waits until somebody does something. */
static void leave_stuck(const struct reencrypt *re, struct plan_recipient *recipient)
{
    recipient->reason = stuck;
    if (re->explain == NULL)
        report_admin(re->finished, re->journal, "reencrypt", "RECIPIENT", recipient->address, "FAULT",
                     recipient->detail, (char *)NULL);
}

static void decide_certificate(struct reencrypt *re, struct plan_recipient *recipient)
{
    const struct select_choice *own = select_get(re->plan.select, recipient->want_encrypt, re->profile);
    const struct select_choice *gateway = gateway_choice(re, recipient->address);

    if (own->chosen != NULL) {
        recipient->certificate = own;
    } else if (own->uncertain && !giveup_time(re->finished, re->journal)) {
        plan_wait(recipient, "the certificate of %s cannot be judged: %s", own->address,
                  own->detail != NULL ? own->detail : own->reason);
    } else if (gateway != NULL) {
        recipient->certificate = gateway;
        recipient->common = true;
    } else {
        plan_wait(recipient, "no usable certificate for %s (%s), and none of GATEWAY_KEY", own->address,
                  own->reason);
        if (!own->uncertain && !unsure(re, re->gateway, re->finished->config->gateway_key.count))
            leave_stuck(re, recipient);
    }
}

static void decide(struct reencrypt *re, struct plan_recipient *recipient)
{
    /* a header that is not in memory as a whole cannot be taken over */
    if (re->finished->mime.fault == MIME_HEADER_TOO_LONG) {
        plan_wait(recipient, "the header of the message is too long to be encrypted");
        leave_stuck(re, recipient);
        return;
    }
    decide_certificate(re, recipient);
    if (recipient->certificate == NULL)
        return;
    plan_decide_also(&re->plan, recipient);
    if (recipient->end == PLAN_WAIT && !unsure(re, re->plan.also, re->plan.also_count))
        leave_stuck(re, recipient);
}

static void leave(struct reencrypt *re, const struct group *group, const struct outcome *why)
{
    for (size_t i = 0; i < group->count; i++)
        strlist_add(&re->left->recipients, group->members[i]->address);
    outcome_temporary(&re->left->outcome, why->dsn, "%s", why->text);
}

/* Waiting helps against whatever is not known to stay as it is. */
static bool stays(const struct reencrypt *re, const struct product *product, const struct group *group)
{
    if (group->end == PLAN_WAIT)
        return group->members[0]->reason == stuck;
    return product_module_died(product) && giveup_module(re->finished, re->journal);
}

/* Returns how many recipients got it. */
static size_t send_group(struct reencrypt *re, struct product *product, const struct group *group,
                         struct outcome *outcome)
{
    struct strlist recipients = {0};
    struct product_file file;
    struct outcome own;
    size_t taken = 0;

    outcome_done(&own);
    if (group->end == PLAN_WAIT)
        outcome_temporary(&own, "4.7.5", "%s", group->members[0]->detail);
    if (group->end == PLAN_SEND && product_make(product, group, &file, &own)) {
        struct handoff handoff = {.target = CONFIG_TARGET_INTERNAL,
                                  .fd = file.fd,
                                  .start = file.start,
                                  .sender = re->finished->envelope.sender,
                                  .recipients = &recipients,
                                  .headers_only = true,
                                  .how = "reencrypted"};

        group_recipients(group, &recipients);
        taken = handoff_run(re->finished, re->journal, &handoff, outcome);
    }
    group_trace(group, CONFIG_TARGET_INTERNAL, own.kind == OUTCOME_DONE);
    if (own.kind != OUTCOME_DONE && stays(re, product, group))
        leave(re, group, &own);
    else if (own.kind != OUTCOME_DONE)
        outcome_temporary(outcome, own.dsn, "%s", own.text);
    strlist_free(&recipients);
    return taken;
}

static void explain_group_anew(const struct reencrypt *re, const struct group *group)
{
    explain_treatment(group, "incoming", CONFIG_TARGET_INTERNAL, re->explain);
    explain_note(re->explain, "it came encrypted, and is encrypted anew (DELIVER=reencrypt)");
    for (size_t i = 0; i < group->count; i++) {
        const struct plan_recipient *member = group->members[i];

        if (member->hidden)
            explain_note(re->explain, "%s: named in no To or Cc", member->address);
        select_explain(re->plan.select, member->want_encrypt, re->profile, re->explain);
        for (size_t k = 0; select_get(re->plan.select, member->want_encrypt, re->profile)->chosen == NULL &&
                           k < re->finished->config->gateway_key.count;
             k++)
            select_explain(re->plan.select, re->gateway[k], re->profile, re->explain);
    }
    for (size_t i = 0; i < re->plan.also_count; i++)
        select_explain(re->plan.select, re->plan.also[i], re->profile, re->explain);
}

static size_t run_groups(struct reencrypt *re, struct outcome *outcome)
{
    struct product *product = product_new(&re->plan, re->journal);
    struct group_list groups;
    size_t taken = 0;

    group_make(&re->plan, &groups);
    for (size_t i = 0; i < groups.count; i++)
        if (re->explain != NULL)
            explain_group_anew(re, &groups.items[i]);
        else
            taken += send_group(re, product, &groups.items[i], outcome);
    group_free(&groups);
    product_free(product);
    return taken;
}

static size_t run_claimed(struct reencrypt *re, const struct strlist *claimed, struct outcome *outcome)
{
    size_t taken;

    re->plan.message = re->finished;
    choose_header(re);
    look_up(re, claimed);
    for (size_t i = 0; i < re->plan.count; i++)
        decide(re, &re->plan.recipients[i]);
    if (re->explain == NULL)
        select_log(re->plan.select, re->finished);
    taken = run_groups(re, outcome);
    free(re->left_out);
    free(re->gateway);
    plan_free(&re->plan);
    return taken;
}

size_t reencrypt_run(struct message *finished, struct journal *journal, const struct strlist *recipients,
                     struct buf *explain, struct reencrypt_left *left_r, struct outcome *outcome)
{
    struct reencrypt_left left = {0};
    struct reencrypt re = {.finished = finished, .journal = journal, .explain = explain, .left = &left};
    struct strlist claimed = {0};
    size_t taken = 0;

    handoff_claim(journal, recipients, &claimed, NULL, outcome);
    if (claimed.count > 0)
        taken = run_claimed(&re, &claimed, outcome);
    strlist_free(&claimed);
    if (left_r != NULL) {
        *left_r = left;
        return taken;
    }
    if (left.recipients.count > 0)
        outcome_temporary(outcome, left.outcome.dsn, "%s", left.outcome.text);
    reencrypt_left_free(&left);
    return taken;
}
