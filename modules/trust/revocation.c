#include "modules/trust/revocation.h"

#include <stdlib.h>

#include "modules/trust/certificate.h"
#include "modules/trust/crl_inquiry.h"

static void add_revoked(const struct path *path, size_t index, const struct inquiry_result *result,
                        struct faults *faults)
{
    const X509 *certificate = path->items[index]->certificate;
    const char *reason = crl_reason_name(result->entry.reason);
    char *subject = certificate_subject(certificate), day[ISO_TIME_SIZE];

    certificate_day(result->entry.when, day);
    faults_add(faults, VERDICT_REVOKED, FAULT_OF_CERTIFICATE, certificate, "%s%s%srevoked on %s%s%s%s",
               index == 0 ? "" : "issuer ", index == 0 ? "" : subject, index == 0 ? "" : " ", day,
               reason == NULL ? "" : " (", reason == NULL ? "" : reason, reason == NULL ? "" : ")");
    free(subject);
}

static void add_crl_evidence(const struct path *path, size_t index, const struct inquiry_result *result,
                             struct evidence_list *evidence)
{
    char *subject = certificate_subject(path->items[index]->certificate);
    char *issuer = certificate_name(crl_issuer(result->crl)), day[ISO_TIME_SIZE] = "never";

    if (result->crl->next_update != 0)
        certificate_day(result->crl->next_update, day);
    evidence_add(evidence, EVIDENCE_CRL, result->crl->this_update, "%s: %s by the CRL of %s (next update %s)",
                 subject, result->status == INQUIRY_REVOKED ? "listed" : "not listed", issuer, day);
    free(subject);
    free(issuer);
}

static void add_unknown(const struct terms *terms, const struct path *path, size_t index,
                        const struct inquiry_result *result, struct faults *faults,
                        struct evidence_list *evidence)
{
    const X509 *certificate = path->items[index]->certificate;
    char *subject = certificate_subject(certificate);

    evidence_add(evidence, EVIDENCE_NONE, 0, "%s: %s", subject, result->why);
    if (terms->revocation == REVOCATION_REQUIRE)
        faults_add(faults, VERDICT_STATUS_UNKNOWN, FAULT_OF_PATH, certificate, "%s%s%s%s",
                   index == 0 ? "" : "issuer ", index == 0 ? "" : subject, index == 0 ? "" : ": ",
                   result->why);
    free(subject);
}

bool revocation_check(const struct terms *terms, const struct path *path, struct faults *faults,
                      struct evidence_list *evidence)
{
    bool leaf_revoked = false;

    if (terms->revocation == REVOCATION_OFF)
        return false;
    for (size_t i = 0; i + 1 < path->count; i++) {
        struct inquiry_result result = {0};
        crl_inquire(terms, path, i, true, &result);
        if (result.status == INQUIRY_REVOKED)
            add_revoked(path, i, &result, faults);
        if (result.status == INQUIRY_UNKNOWN)
            add_unknown(terms, path, i, &result, faults, evidence);
        else
            add_crl_evidence(path, i, &result, evidence);
        leaf_revoked = leaf_revoked || (i == 0 && result.status == INQUIRY_REVOKED);
        free(result.why);
    }
    return leaf_revoked;
}

bool revocation_clears_crl_issuer(const struct terms *terms, const struct path *path)
{
    bool clear = true;

    for (size_t i = 0; i + 1 < path->count && clear; i++) {
        struct inquiry_result result = {0};
        crl_inquire(terms, path, i, false, &result);
        clear = result.status == INQUIRY_GOOD ||
                (result.status == INQUIRY_UNKNOWN && terms->revocation != REVOCATION_REQUIRE);
        free(result.why);
    }
    return clear;
}
