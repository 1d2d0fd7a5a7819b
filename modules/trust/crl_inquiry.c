#include "modules/trust/crl_inquiry.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "modules/trust/certificate.h"
#include "modules/trust/crl_signer.h"
#include "modules/trust/strength.h"
#include "util/mem.h"

/* One CRL that may speak: signed by somebody who may, and in scope for `reasons` (none: only what it lists is
 * believed). */
struct voice {
    struct crl *crl;
    unsigned int reasons;
    bool proves; /* fully understood and well signed: may prove that a certificate is good */
};

struct inquiry {
    const struct terms *terms;
    const struct path *path;
    size_t index;
    X509 *certificate;
    bool may_delegate;
    unsigned int delegated; /* searches done */
    STACK_OF(DIST_POINT) * points;
    struct crl_list crls;
    struct voice *voices;
    size_t voice_count;
};

/* ---- gathering ---- */

static void read_points(struct inquiry *inquiry)
{
    inquiry->points = X509_get_ext_d2i(inquiry->certificate, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(inquiry->points); i++) {
        DIST_POINT *point = sk_DIST_POINT_value(inquiry->points, i);
        const X509_NAME *base = X509_get_issuer_name(inquiry->certificate);
        for (int k = 0; k < sk_GENERAL_NAME_num(point->CRLissuer); k++)
            if (sk_GENERAL_NAME_value(point->CRLissuer, k)->type == GEN_DIRNAME)
                base = sk_GENERAL_NAME_value(point->CRLissuer, k)->d.directoryName;
        if (point->distpoint != NULL)
            DIST_POINT_set_dpname(point->distpoint,
                                  base); /* a failure leaves no name, which matches nothing */
    }
}

static void add_crls_of(struct inquiry *inquiry, const X509_NAME *issuer)
{
    struct crl_list found;

    store_find_crls(inquiry->terms->store, issuer, &found);
    for (size_t i = 0; i < found.count; i++) {
        struct crl **slot;
        bool known = false;
        for (size_t k = 0; k < inquiry->crls.count; k++)
            known = known || inquiry->crls.items[k] == found.items[i];
        if (known)
            continue;
        slot = mem_push(&inquiry->crls.items, &inquiry->crls.count, sizeof(struct crl *));
        *slot = found.items[i];
    }
    free(found.items);
}

static void gather_crls(struct inquiry *inquiry)
{
    add_crls_of(inquiry, X509_get_issuer_name(inquiry->certificate));
    for (int i = 0; i < sk_DIST_POINT_num(inquiry->points); i++) {
        const GENERAL_NAMES *names = sk_DIST_POINT_value(inquiry->points, i)->CRLissuer;
        for (int k = 0; k < sk_GENERAL_NAME_num(names); k++)
            if (sk_GENERAL_NAME_value(names, k)->type == GEN_DIRNAME)
                add_crls_of(inquiry, sk_GENERAL_NAME_value(names, k)->d.directoryName);
    }
}

static unsigned int reasons_of(const struct inquiry *inquiry, const struct crl *crl)
{
    unsigned int reasons = crl_reasons(crl, NULL, inquiry->certificate);

    for (int i = 0; i < sk_DIST_POINT_num(inquiry->points); i++)
        reasons |= crl_reasons(crl, sk_DIST_POINT_value(inquiry->points, i), inquiry->certificate);
    return reasons;
}

/* What the issuer itself has signed is heard out of scope too; of others only what the certificate refers to.
 */
static void hear(struct inquiry *inquiry, struct crl *crl)
{
    unsigned int reasons = reasons_of(inquiry, crl);
    bool may_delegate = inquiry->may_delegate && reasons != 0 && inquiry->delegated < INQUIRY_DELEGATED_MAX;
    enum crl_signer signer;
    struct voice *voice;

    if (crl->damaged)
        return;
    signer = crl_signer_find(inquiry->terms, inquiry->path, inquiry->index, crl, may_delegate);
    if (may_delegate && signer != CRL_SIGNER_ON_PATH)
        inquiry->delegated++;
    if (signer == CRL_SIGNER_NONE)
        return;
    voice = mem_push(&inquiry->voices, &inquiry->voice_count, sizeof(*voice));
    voice->crl = crl;
    voice->reasons = reasons;
    voice->proves =
        !crl->unknown && (inquiry->terms->accept_weak || strength_of_crl(inquiry->terms->settings, crl));
}

/* Ours first: those that came along, which anybody can make, must not use up the searches. */
static void hear_all(struct inquiry *inquiry)
{
    for (int ours = 1; ours >= 0; ours--)
        for (size_t i = 0; i < inquiry->crls.count; i++)
            if (inquiry->crls.items[i]->ours == (ours == 1))
                hear(inquiry, inquiry->crls.items[i]);
}

/* ---- weighing ---- */

static bool is_fresh(const struct terms *terms, const struct crl *crl)
{
    if (crl->this_update > terms->at)
        return false;
    if (crl->next_update != 0)
        return terms->at <= crl->next_update;
    return (uint64_t)(terms->at - crl->this_update) <= terms->settings->crl_max_age;
}

static bool is_newer(const struct crl *a, const struct crl *b)
{
    if (a->this_update != b->this_update)
        return a->this_update > b->this_update;
    return a->number != NULL && b->number != NULL && ASN1_INTEGER_cmp(a->number, b->number) > 0;
}

/* A newer complete CRL of the same scope has the last word; deltas give way to newer deltas as well. */
static bool is_superseded(const struct inquiry *inquiry, const struct crl *crl)
{
    for (size_t i = 0; i < inquiry->voice_count; i++) {
        const struct voice *other = &inquiry->voices[i];
        if (other->crl != crl && other->proves && other->crl->this_update <= inquiry->terms->at &&
            (other->crl->base == NULL || crl->base != NULL) && crl_same_scope(other->crl, crl) &&
            is_newer(other->crl, crl))
            return true;
    }
    return false;
}

/* A delta CRL releases the certificate from the hold that the complete one put on it. */
static bool is_released(const struct inquiry *inquiry, const struct crl *complete,
                        const struct crl_entry *entry)
{
    struct crl_entry ignored;

    for (size_t i = 0; i < inquiry->voice_count && entry->reason == CRL_REASON_HOLD; i++) {
        const struct voice *voice = &inquiry->voices[i];
        if (voice->proves && crl_is_delta_to(voice->crl, complete) && is_fresh(inquiry->terms, voice->crl) &&
            !is_superseded(inquiry, voice->crl) &&
            crl_look_up(voice->crl, inquiry->certificate, &ignored) == CRL_REMOVED)
            return true;
    }
    return false;
}

static bool revokes(const struct inquiry *inquiry, const struct voice *voice, struct crl_entry *entry_r)
{
    if (crl_look_up(voice->crl, inquiry->certificate, entry_r) != CRL_LISTED)
        return false;
    if (voice->crl->base == NULL && is_released(inquiry, voice->crl, entry_r))
        return false;
    return true;
}

static void weigh(const struct inquiry *inquiry, struct inquiry_result *result)
{
    unsigned int cleared = 0;
    const struct crl *clears = NULL;

    for (size_t i = 0; i < inquiry->voice_count; i++) {
        const struct voice *voice = &inquiry->voices[i];
        if (is_superseded(inquiry, voice->crl))
            continue;
        if (revokes(inquiry, voice, &result->entry)) {
            result->status = INQUIRY_REVOKED;
            result->crl = voice->crl;
            return;
        }
        if (voice->proves && voice->reasons != 0 && voice->crl->base == NULL &&
            is_fresh(inquiry->terms, voice->crl)) {
            cleared |= voice->reasons;
            if (clears == NULL || is_newer(voice->crl, clears))
                clears = voice->crl;
        }
    }
    if (cleared == CRL_ALL_REASONS) {
        result->status = INQUIRY_GOOD;
        result->crl = clears;
    }
}

/* ---- explaining ---- */

static char *explain_voice(const struct inquiry *inquiry, const char *issuer)
{
    const struct voice *best = NULL;
    char day[ISO_TIME_SIZE];

    for (size_t i = 0; i < inquiry->voice_count; i++)
        if (inquiry->voices[i].reasons != 0 && inquiry->voices[i].crl->base == NULL &&
            (best == NULL || is_newer(inquiry->voices[i].crl, best->crl)))
            best = &inquiry->voices[i];
    if (best == NULL || is_fresh(inquiry->terms, best->crl))
        return mem_printf("no CRL of %s that covers it%s", issuer,
                          best != NULL && !best->proves ? " and can be relied on" : "");
    if (best->crl->this_update > inquiry->terms->at) {
        certificate_day(best->crl->this_update, day);
        return mem_printf("the CRL of %s is not valid before %s", issuer, day);
    }
    if (best->crl->next_update == 0) {
        certificate_day(best->crl->this_update, day);
        return mem_printf("the CRL of %s is of %s, has no next update, and is too old (CRL_MAX_AGE)", issuer,
                          day);
    }
    certificate_day(best->crl->next_update, day);
    return mem_printf("the CRL of %s expired on %s", issuer, day);
}

static char *explain(const struct inquiry *inquiry)
{
    char *issuer = certificate_name(X509_get_issuer_name(inquiry->certificate)), *why;

    if (inquiry->crls.count == 0)
        why = mem_printf("no CRL of %s", issuer);
    else if (inquiry->voice_count == 0)
        why = mem_printf("no CRL of %s with a good signature", issuer);
    else
        why = explain_voice(inquiry, issuer);
    free(issuer);
    return why;
}

void crl_inquire(const struct terms *terms, const struct path *path, size_t index, bool may_delegate,
                 struct inquiry_result *result)
{
    struct inquiry inquiry = {.terms = terms, .path = path, .index = index, .may_delegate = may_delegate};

    inquiry.certificate = path->items[index]->certificate;
    read_points(&inquiry);
    gather_crls(&inquiry);
    hear_all(&inquiry);
    weigh(&inquiry, result);
    if (result->status == INQUIRY_UNKNOWN)
        result->why = explain(&inquiry);
    sk_DIST_POINT_pop_free(inquiry.points, DIST_POINT_free);
    free(inquiry.crls.items);
    free(inquiry.voices);
    ERR_clear_error();
}
