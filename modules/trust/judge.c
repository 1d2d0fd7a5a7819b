#include "modules/trust/judge.h"

#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "modules/areas/fields.h"
#include "modules/trust/certificate.h"
#include "modules/trust/path_check.h"
#include "modules/trust/revocation.h"
#include "modules/trust/strength.h"
#include "modules/trust/use.h"
#include "util/mem.h"

/* What was found on one path. */
struct finding {
    bool anchored;
    struct path path;
    struct faults faults;
    struct evidence_list evidence;
};

struct trial {
    const struct terms *terms;
    enum use use;
    bool trusted;        /* that very certificate lies in area trusted */
    bool could_not_tell; /* OpenSSL failed for lack of memory or the like */
    struct finding best;
    bool any;
};

static enum verdict worst_of(const struct trial *trial, const struct finding *finding)
{
    const struct fault *worst = faults_worst(&finding->faults, trial->trusted);

    return worst == NULL ? VERDICT_VALID : worst->verdict;
}

static void finding_free(struct finding *finding)
{
    faults_free(&finding->faults);
    evidence_free(&finding->evidence);
}

/* An untrusted CA distrusts what it has issued. */
static void check_distrust(const struct terms *terms, const struct path *path, struct faults *faults)
{
    for (size_t i = 0; i < path->count; i++) {
        char *subject;
        if (!store_is_distrusted(terms->store, path->items[i], i > 0))
            continue;
        subject = certificate_subject(path->items[i]->certificate);
        faults_add(faults, VERDICT_DISTRUSTED, FAULT_OF_CERTIFICATE, path->items[i]->certificate,
                   "%s%s lies in area untrusted", i == 0 ? "" : "issuer ", subject);
        free(subject);
    }
}

static void examine(struct trial *trial, const struct path *path, struct finding *finding,
                    bool *leaf_revoked_r)
{
    finding->anchored = path->end == PATH_ANCHORED;
    finding->path = *path;
    if (!finding->anchored)
        path_explain_end(trial->terms, path, &finding->faults);
    else if (!path_check(trial->terms, path, &finding->faults))
        trial->could_not_tell = true;
    check_distrust(trial->terms, path, &finding->faults);
    use_check(trial->use, path, &finding->faults);
    if (!trial->terms->accept_weak)
        strength_check(trial->terms->settings, path, &finding->faults);
    /* What nobody vouches for is refused anyway, and its CRLs are whatever a sender likes to have checked. */
    if (finding->anchored || trial->trusted)
        *leaf_revoked_r = revocation_check(trial->terms, path, &finding->faults, &finding->evidence);
}

/* A path to an anchor beats one without; then the less serious fault. */
static bool is_better(const struct trial *trial, const struct finding *finding)
{
    if (!trial->any)
        return true;
    if (finding->anchored != trial->best.anchored)
        return finding->anchored;
    return worst_of(trial, finding) < worst_of(trial, &trial->best);
}

/* Ends the search with the first path that has no fault, and as soon as the certificate itself is known to be
   revoked, whichever path told so. */
static bool try_path(void *context, const struct path *path)
{
    struct trial *trial = context;
    struct finding finding = {0};
    bool leaf_revoked = false;

    examine(trial, path, &finding, &leaf_revoked);
    if (leaf_revoked || is_better(trial, &finding)) {
        finding_free(&trial->best);
        trial->best = finding;
        trial->any = true;
    } else {
        finding_free(&finding);
    }
    return leaf_revoked || trial->could_not_tell || worst_of(trial, &trial->best) == VERDICT_VALID;
}

static void check_address(X509 *certificate, const char *address, const struct strlist *addresses,
                          struct faults *faults)
{
    char *wanted = address_normalise(address);

    if (wanted == NULL || !strlist_has(addresses, wanted))
        faults_add(faults, VERDICT_WRONG_ADDRESS, FAULT_OF_CERTIFICATE, certificate,
                   "%s is not in the certificate%s%s", address,
                   addresses->count == 0 ? ", which has no address" : " of ",
                   addresses->count == 0 ? "" : addresses->items[0]);
    free(wanted);
}

/* The word of the most serious fault; the others stand in the evidence. */
static void pronounce(const struct trial *trial, struct judgement *judgement)
{
    const struct fault *worst = faults_worst(&trial->best.faults, trial->trusted);

    for (size_t i = 0; i < trial->best.faults.count; i++) {
        const struct fault *fault = &trial->best.faults.items[i];
        bool overruled = trial->trusted && fault->kind == FAULT_OF_PATH;
        if (fault != worst)
            evidence_add(&judgement->evidence, EVIDENCE_NONE, 0, "%s: %s",
                         overruled ? "overruled by area trusted" : "also", fault->reason);
    }
    if (worst == NULL)
        return;
    judgement->verdict = worst->verdict;
    judgement->reason = mem_strdup(worst->reason);
    memcpy(judgement->deciding, worst->deciding, FINGERPRINT_SIZE);
}

static void copy_path(const struct path *path, struct judgement *judgement)
{
    judgement->path = mem_array(path->count, sizeof(X509 *));
    for (size_t i = 0; i < path->count; i++) {
        X509_up_ref(path->items[i]->certificate);
        judgement->path[judgement->path_count++] = path->items[i]->certificate;
    }
}

static void note_area(const struct trial *trial, struct ca *leaf, struct judgement *judgement)
{
    if (store_is_distrusted(trial->terms->store, leaf, false))
        judgement->area = "untrusted";
    else if (trial->trusted)
        judgement->area = "trusted";
    else if (leaf->ours)
        judgement->area = "ca";
    if (judgement->area != NULL)
        evidence_add(&judgement->evidence, EVIDENCE_AREA, 0, "the certificate lies in area %s",
                     judgement->area);
}

static void conclude(struct trial *trial, struct ca *leaf, const char *address, struct judgement *judgement)
{
    areas_fields_addresses(leaf->certificate, &judgement->addresses);
    if (address != NULL)
        check_address(leaf->certificate, address, &judgement->addresses, &trial->best.faults);
    judgement->evidence = trial->best.evidence;
    memset(&trial->best.evidence, 0, sizeof(trial->best.evidence));
    note_area(trial, leaf, judgement);
    pronounce(trial, judgement);
    copy_path(&trial->best.path, judgement);
}

bool judge(const struct terms *terms, X509 *certificate, enum use use, const char *address,
           struct judgement *judgement_r)
{
    struct trial trial = {.terms = terms, .use = use};
    struct ca *leaf = store_leaf(terms->store, certificate);
    bool judged;

    memset(judgement_r, 0, sizeof(*judgement_r));
    trial.trusted = store_is_trusted(terms->store, leaf->fingerprint);
    path_search(terms, leaf, try_path, &trial);
    if (trial.any)
        conclude(&trial, leaf, address, judgement_r);
    judged = trial.any && !trial.could_not_tell && store_error(terms->store) == NULL &&
             !deadline_passed(terms->until);
    if (!judged)
        judgement_free(judgement_r);
    finding_free(&trial.best);
    store_leaf_free(leaf);
    return judged;
}

void judgement_free(struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->path_count; i++)
        X509_free(judgement->path[i]);
    free(judgement->path);
    free(judgement->reason);
    evidence_free(&judgement->evidence);
    strlist_free(&judgement->addresses);
    memset(judgement, 0, sizeof(*judgement));
}
