#include "incoming/demand.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/form.h"
#include "mail/address.h"
#include "util/mem.h"

/* RFC 5321 4.5.1, RFC 3834 2: who answers for the mail system of a domain. */
static bool is_mail_system(const char *address)
{
    static const char *const names[] = {"postmaster", "mailer-daemon"};
    size_t len = strlen(address) - strlen(address_domain(address));

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (len == strlen(names[i]) + 1 && strncasecmp(address, names[i], len - 1) == 0)
            return true;
    return false;
}

static unsigned int labels(const char *domain)
{
    char *ascii = address_domain_ascii(domain);
    unsigned int count = 1;

    for (const char *p = ascii; p != NULL && *p != '\0'; p++)
        count += *p == '.';
    free(ascii);
    return count;
}

/* How near a pattern is to an address; 0: it does not match. */
static unsigned int nearness(const char *pattern, const char *address)
{
    if (strchr(pattern, '@') != NULL)
        return address_equal(pattern, address) ? UINT_MAX : 0;
    if (is_mail_system(address) || !address_domain_matches(address_domain(address), pattern))
        return 0;
    return pattern[0] == '.' ? labels(pattern + 1) : UINT_MAX - 1;
}

struct demand demand_on(const struct config *config, const char *address)
{
    struct demand demand = {0};
    unsigned int nearest = 0;

    for (size_t i = 0; i < config->incoming_profile.count; i++) {
        const char *item = config->incoming_profile.items[i];
        struct strlist words = {0};
        unsigned int near;

        strlist_split(&words, item); /* checked by config_check.c */
        near = words.count == 2 ? nearness(words.items[0], address) : 0;
        if (near > nearest) {
            nearest = near;
            demand = (struct demand){config_profile_find(config, words.items[1]), item};
        }
        strlist_free(&words);
    }
    return demand;
}

struct demand demand_on_message(const struct message *message)
{
    const char *sender = message->envelope.sender;
    struct demand demand = {0};

    if (message->config->incoming_profile.count == 0 || sender == NULL || sender[0] == '\0')
        return demand;
    for (size_t i = 0; demand.profile == NULL && i < message->header_from.count; i++)
        demand = demand_on(message->config, message->header_from.items[i]);
    return demand.profile != NULL ? demand : demand_on(message->config, sender);
}

/* Does a report to the envelope sender stay with the one who is shown as author, because one entry stands for
 * both? Nobody else could read it, then. */
static bool sender_is_his(const struct message *message, const char *shown)
{
    const char *of_sender = demand_on(message->config, message->envelope.sender).entry;

    return of_sender != NULL && shown != NULL && demand_on(message->config, shown).entry == of_sender;
}

static void add_layer(const struct config_profile *profile, const struct layer *layer, struct strlist *faults)
{
    if (layer->kind == LAYER_ENCRYPTED && layer->keytrans != NULL &&
        !form_keytrans_fits(profile, layer->keytrans))
        strlist_add_take(faults, form_keytrans_text(layer->keytrans));
    if (layer->kind == LAYER_ENCRYPTED && layer->cipher != NULL && !form_cipher_fits(profile, layer->cipher))
        strlist_add_take(faults, form_cipher_text(layer->cipher));
    for (size_t i = 0; i < layer->signer_count; i++) {
        const struct layer_signer *signer = &layer->signers[i];
        const struct form_signature found = {signer->scheme, signer->mgf1, signer->salt};

        if (!form_signature_fits(profile, &found))
            strlist_add_take(faults, form_signature_text(&found));
    }
}

/* RFC 3463: 5.7.6 is a cryptographic algorithm that is not supported. */
static void refuse(struct demand_verdict *verdict, char *found)
{
    verdict->end = DEMAND_REFUSED;
    verdict->dsn = "5.7.6";
    verdict->reason = "form";
    verdict->found = found;
}

static void doubt(struct demand_verdict *verdict, char *found)
{
    verdict->end = DEMAND_DOUBTED;
    verdict->found = found;
}

/* Everything was opened: what is inside. */
static void judge_inside(struct demand_verdict *verdict, const struct unwrap *unwrap,
                         const struct unwrap_node *inner, const struct status *status, const char *shown)
{
    struct strlist faults = {0};
    bool proven = status->signature == STATUS_VALID && sender_is_his(unwrap->message, shown);

    for (const struct unwrap_node *node = inner; node != NULL; node = node->outer)
        add_layer(verdict->demand.profile, &node->layer, &faults);
    if (unwrap_signed(inner) == NULL)
        doubt(verdict, mem_strdup("not signed"));
    else if (faults.count == 0)
        verdict->end = DEMAND_MET;
    else if (proven)
        refuse(verdict, strlist_join(&faults, "; "));
    else
        doubt(verdict, strlist_join(&faults, "; "));
    strlist_free(&faults);
}

void demand_judge(struct demand_verdict *verdict_r, const struct demand *message_demand,
                  const struct unwrap *unwrap, const struct unwrap_strand *strand,
                  const struct status *status, const char *shown)
{
    const struct unwrap_node *inner = unwrap_undisputed(strand->inner);
    const char *sender = unwrap->message->envelope.sender;

    *verdict_r = (struct demand_verdict){.demand = *message_demand};
    if (verdict_r->demand.profile == NULL && sender != NULL && sender[0] != '\0' && shown != NULL)
        verdict_r->demand = demand_on(unwrap->message->config, shown);
    if (verdict_r->demand.profile == NULL)
        return;
    if (strand->stop == UNWRAP_FORM) {
        refuse(verdict_r, mem_strdup(unwrap->wrong));
    } else if (unwrap_reason(strand) != UNWRAP_CLEAN) {
        doubt(verdict_r, mem_strdup("not readable"));
    } else if (unwrap_encrypted(inner) == NULL) {
        refuse(verdict_r, mem_strdup("not encrypted"));
        verdict_r->dsn = "5.7.1";
        verdict_r->reason = "form-clear";
    } else {
        judge_inside(verdict_r, unwrap, inner, status, shown);
    }
}

void demand_verdict_free(struct demand_verdict *verdict)
{
    free(verdict->found);
    verdict->found = NULL;
}
