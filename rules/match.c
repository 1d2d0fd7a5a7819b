#include <stdlib.h>
#include <string.h>

#include "rules/rule.h"
#include "util/mem.h"

/* What one message's sender looks like to the FROM patterns. */
struct sender {
    struct pattern_subject envelope, *authors;
    size_t author_count;
};

static void add_author(struct sender *sender, const char *address)
{
    struct pattern_subject *subject;
    if (!address || !*address)
        return;
    subject = mem_push(&sender->authors, &sender->author_count, sizeof *subject);
    pattern_subject_init(subject, address);
}

/* A second author must not lead around a rule about the first. */
static void sender_init(struct sender *sender, const struct ruleset_facts *facts)
{
    memset(sender, 0, sizeof *sender);
    pattern_subject_init(&sender->envelope, facts->sender ? facts->sender : "");
    if (!facts->authors)
        add_author(sender, facts->header_from);
    for (size_t i = 0; facts->authors && i < facts->authors->count; i++)
        add_author(sender, facts->authors->items[i]);
}

static void sender_free(struct sender *sender)
{
    pattern_subject_free(&sender->envelope);
    for (size_t i = 0; i < sender->author_count; i++)
        pattern_subject_free(&sender->authors[i]);
    free(sender->authors);
}

static bool sender_matches(const struct sender *sender, const struct pattern *from)
{
    bool matches = pattern_matches(from, &sender->envelope);
    for (size_t i = 0; !matches && i < sender->author_count; i++)
        matches = pattern_matches(from, &sender->authors[i]);
    return matches;
}

/* Is a line about this message, whoever gets it? */
enum concern { CONCERN_UNKNOWN, CONCERN_YES, CONCERN_NO };

struct ruleset_message {
    const struct ruleset *ruleset;
    const struct ruleset_facts *facts;
    struct sender sender;
    enum concern *concerns; /* one for each line */
};

static bool conditions_hold(const struct rule *rule, const struct ruleset_facts *facts)
{
    for (size_t i = 0; i < rule->condition_count; i++)
        if (!condition_holds(&rule->conditions[i], facts))
            return false;
    return true;
}

static bool rule_concerns(struct ruleset_message *message, size_t index)
{
    const struct rule *rule = &message->ruleset->rules[index];
    if (message->concerns[index] == CONCERN_UNKNOWN)
        message->concerns[index] =
            sender_matches(&message->sender, &rule->from) && conditions_hold(rule, message->facts)
                ? CONCERN_YES
                : CONCERN_NO;
    return message->concerns[index] == CONCERN_YES;
}

/* All actions of matching lines in their order. */
struct matched {
    const struct action **actions;
    size_t count;
    bool has[ACTION_REJECT + 1]; /* by kind */
};

static void matched_collect(struct matched *matched, const struct rule *rule, bool null_sender)
{
    for (size_t i = 0; i < rule->action_count; i++) {
        const struct action **slot = mem_push(&matched->actions, &matched->count, sizeof *slot);
        *slot = &rule->actions[i];
        enum action_kind kind = rule->actions[i].kind;
        matched->has[null_sender && kind == ACTION_FS ? ACTION_SIP : kind] = true;
    }
}

/* FS and SIP in the order of the file: the last one decides about the key. SIP does not count under NS, and
   for the null sender FS is no more than SIP. */
static void decide_signature(const struct matched *matched, bool null_sender,
                             struct ruleset_treatment *treatment, const char **profile)
{
    const char *named = NULL, *key = NULL, *fallback = NULL;
    for (size_t i = 0; i < matched->count; i++) {
        const struct action *action = matched->actions[i];
        bool forced = action->kind == ACTION_FS && !null_sender;
        if (!action_signs(action->kind) || (!forced && treatment->no_sign))
            continue;
        treatment->sign = forced || treatment->sign == RULESET_FORCE ? RULESET_FORCE : RULESET_POSSIBLE;
        key = action->address;
        fallback = key ? NULL : named;
        if (key)
            named = key;
        if (action->profile)
            *profile = action->profile;
    }
    treatment->sign_as = mem_strdup(key);
    treatment->sign_fallback = mem_strdup(fallback);
}

/* Where an FE matches, EIP lines do not count; under NE they do not either. */
static void decide_encryption(const struct matched *matched, struct ruleset_treatment *treatment,
                              const char **profile)
{
    enum action_kind deciding = matched->has[ACTION_FE] ? ACTION_FE : ACTION_EIP;
    const char *certificate = NULL;
    if (!matched->has[deciding] || (deciding == ACTION_EIP && treatment->no_encrypt))
        return;
    treatment->encrypt = deciding == ACTION_FE ? RULESET_FORCE : RULESET_POSSIBLE;
    for (size_t i = 0; i < matched->count; i++) {
        const struct action *action = matched->actions[i];
        if (action->kind == deciding && action->address)
            certificate = action->address;
        if (action->kind == deciding && action->profile)
            *profile = action->profile;
    }
    treatment->encrypt_to = mem_strdup(certificate);
}

static void decide(const struct matched *matched, const struct ruleset_facts *facts, bool null_sender,
                   struct ruleset_treatment *treatment)
{
    const char *profile = NULL, *reject = NULL;
    treatment->no_sign = matched->has[ACTION_NS];
    treatment->no_encrypt = matched->has[ACTION_NE];
    decide_signature(matched, null_sender, treatment, &profile);
    decide_encryption(matched, treatment, &profile); /* last: its profile outranks the signature's */
    treatment->profile = mem_strdup(profile);
    for (size_t i = 0; i < matched->count; i++)
        if (matched->actions[i]->text)
            reject = matched->actions[i]->text;
    treatment->reject = mem_strdup(reject);
    bool header_from = facts->header_from && *facts->header_from;
    treatment->sign_own =
        header_from || !null_sender ? mem_strdup(header_from ? facts->header_from : facts->sender) : NULL;
}

struct ruleset_message *ruleset_message_new(const struct ruleset *ruleset, const struct ruleset_facts *facts)
{
    struct ruleset_message *message = mem_alloc(sizeof *message);
    message->ruleset = ruleset;
    message->facts = facts;
    message->concerns = mem_array(ruleset->count, sizeof *message->concerns);
    sender_init(&message->sender, facts);
    return message;
}

void ruleset_message_free(struct ruleset_message *message)
{
    if (!message)
        return;
    sender_free(&message->sender);
    free(message->concerns);
    free(message);
}

void ruleset_message_match(struct ruleset_message *message, const char *recipient,
                           struct ruleset_treatment *treatment_r)
{
    bool null_sender = message->sender.envelope.null_sender;
    struct matched matched = {0};
    struct pattern_subject to;
    memset(treatment_r, 0, sizeof *treatment_r);
    pattern_subject_init(&to, recipient);
    for (size_t i = 0; i < message->ruleset->count; i++) {
        const struct rule *rule = &message->ruleset->rules[i];
        if (!pattern_matches(&rule->to, &to) || !rule_concerns(message, i))
            continue;
        unsigned int *line = mem_push(&treatment_r->lines, &treatment_r->line_count, sizeof *line);
        *line = rule->line;
        matched_collect(&matched, rule, null_sender);
    }
    decide(&matched, message->facts, null_sender, treatment_r);
    free(matched.actions);
    pattern_subject_free(&to);
}

void ruleset_match(const struct ruleset *ruleset, const struct ruleset_facts *facts, const char *recipient,
                   struct ruleset_treatment *treatment_r)
{
    struct ruleset_message *message = ruleset_message_new(ruleset, facts);
    ruleset_message_match(message, recipient, treatment_r);
    ruleset_message_free(message);
}
