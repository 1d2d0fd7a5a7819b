#include "modules/trust/crl_signer.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "modules/trust/certificate.h"
#include "modules/trust/path_check.h"
#include "modules/trust/revocation.h"

static bool has_name(const struct ca *ca, const X509_NAME *name)
{
    return X509_NAME_cmp(X509_get_subject_name(ca->certificate), name) == 0;
}

/* Without keyUsage a CA may sign CRLs; anybody else needs to be told so. */
static bool may_sign_crls(X509 *certificate)
{
    if (!certificate_is_ca(certificate) && (X509_get_extension_flags(certificate) & EXFLAG_KUSAGE) == 0)
        return false;
    return (X509_get_key_usage(certificate) & KU_CRL_SIGN) != 0;
}

static bool signed_on_path(const struct path *path, size_t index, struct crl *crl)
{
    for (size_t i = index + 1; i < path->count; i++) {
        const struct ca *ca = path->items[i];
        /* An anchor without extensions (version 1) may do everything. */
        bool may = may_sign_crls(ca->certificate) || (ca->anchor && X509_get_ext_count(ca->certificate) == 0);
        if (has_name(ca, crl_issuer(crl)) && may && crl_verify(crl, ca->certificate, ca->fingerprint))
            return true;
    }
    return false;
}

/* A delegate has a valid path of its own, to the same anchor, and is not revoked itself. */
struct delegate {
    const struct terms *terms;
    const char *anchor;
    bool found;
};

static bool judge_delegate(void *context, const struct path *path)
{
    struct delegate *delegate = context;
    struct faults faults = {0};

    if (path->end != PATH_ANCHORED || path->count < 2 ||
        strcmp(path->items[path->count - 1]->fingerprint, delegate->anchor) != 0)
        return false;
    for (size_t i = 0; i < path->count; i++)
        if (store_is_distrusted(delegate->terms->store, path->items[i], true))
            return false;
    delegate->found = path_check(delegate->terms, path, &faults) && faults.count == 0 &&
                      revocation_clears_crl_issuer(delegate->terms, path);
    faults_free(&faults);
    return delegate->found;
}

/* A CA with two keys: its second certificate has the same issuer as the first, or comes from the CA itself.
   Anybody else of that name is another CA. Issuers of indirect CRLs are named by the certificate. */
static bool may_speak_for(const struct ca *ca, const struct ca *issuer)
{
    const X509_NAME *name = X509_get_subject_name(issuer->certificate);
    const X509_NAME *by = X509_get_issuer_name(ca->certificate);

    if (!has_name(ca, name))
        return true;
    return X509_NAME_cmp(by, name) == 0 || X509_NAME_cmp(by, X509_get_issuer_name(issuer->certificate)) == 0;
}

static bool signed_by_delegate(const struct terms *terms, const struct path *path, size_t index,
                               struct crl *crl)
{
    struct delegate delegate = {.terms = terms, .anchor = path->items[path->count - 1]->fingerprint};
    struct ca_list list;
    unsigned int tried = 0, keys = 0;

    store_find(terms->store, crl_issuer(crl), &list);
    for (size_t i = 0; i < list.count && !delegate.found && tried < CRL_DELEGATES_MAX; i++) {
        struct ca *ca = list.items[i];
        if (!may_sign_crls(ca->certificate) || !may_speak_for(ca, path->items[index + 1]) ||
            !path_may_verify(ca) || ++keys > CRL_KEYS_MAX ||
            !crl_verify(crl, ca->certificate, ca->fingerprint))
            continue;
        tried++;
        path_search(terms, ca, judge_delegate, &delegate);
    }
    free(list.items);
    return delegate.found;
}

enum crl_signer crl_signer_find(const struct terms *terms, const struct path *path, size_t index,
                                struct crl *crl, bool may_delegate)
{
    if (signed_on_path(path, index, crl))
        return CRL_SIGNER_ON_PATH;
    if (may_delegate && path->end == PATH_ANCHORED && signed_by_delegate(terms, path, index, crl))
        return CRL_SIGNER_DELEGATED;
    return CRL_SIGNER_NONE;
}
