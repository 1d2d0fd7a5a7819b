#include "modules/trust/path.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "modules/trust/certificate.h"

struct search {
    const struct terms *terms;
    path_visit *visit;
    void *context;
    struct path path;
    unsigned int ends, signatures;
    bool done;
};

static void show(struct search *search, enum path_end end)
{
    if (search->done)
        return;
    search->path.end = end;
    search->done = search->visit(search->context, &search->path) || ++search->ends >= PATH_ENDS_MAX;
}

static bool gave_up(const struct search *search)
{
    return search->signatures >= PATH_SIGNATURES_MAX || deadline_passed(search->terms->until);
}

/* The same certificate again, or another one of the same CA (name and key), leads in a circle. */
static bool is_on_path(const struct path *path, const struct ca *ca)
{
    const X509_NAME *name = X509_get_subject_name(ca->certificate);
    const EVP_PKEY *key = X509_get0_pubkey(ca->certificate);

    for (size_t i = 0; i < path->count; i++) {
        const X509 *other = path->items[i]->certificate;
        if (strcmp(path->items[i]->fingerprint, ca->fingerprint) == 0)
            return true;
        if (i > 0 && !ca->anchor && key != NULL && X509_get0_pubkey(other) != NULL &&
            X509_NAME_cmp(X509_get_subject_name(other), name) == 0 &&
            EVP_PKEY_eq(X509_get0_pubkey(other), key) == 1)
            return true;
    }
    return false;
}

static bool valid_at(const struct ca *ca, time_t at)
{
    time_t from, until;

    return certificate_time(X509_get0_notBefore(ca->certificate), &from) &&
           certificate_time(X509_get0_notAfter(ca->certificate), &until) && from <= at && at <= until;
}

/* Anchors first, then ours, then what is valid, then the rest: the first path is most often the right one. */
static int preference(const struct ca *ca, time_t at)
{
    return (ca->anchor ? 4 : 0) + (ca->ours ? 1 : 0) + (valid_at(ca, at) ? 2 : 0);
}

static void sort_candidates(struct ca_list *list, time_t at)
{
    for (size_t i = 1; i < list->count; i++) {
        struct ca *ca = list->items[i];
        size_t k = i;
        for (; k > 0 && preference(list->items[k - 1], at) < preference(ca, at); k--)
            list->items[k] = list->items[k - 1];
        list->items[k] = ca;
    }
}

/* A copy from the request of what also lies in the area adds nothing. */
static bool is_repeated(const struct ca_list *list, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(list->items[i]->fingerprint, list->items[at]->fingerprint) == 0)
            return true;
    return false;
}

/* OpenSSL bounds the exponent for long moduli only. */
static bool is_short_exponent(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    bool is_short = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
                    BN_num_bits(exponent) <= PATH_EXPONENT_BITS_MAX;

    BN_free(exponent);
    return is_short;
}

bool path_may_verify(const struct ca *ca)
{
    const EVP_PKEY *key = X509_get0_pubkey(ca->certificate);
    unsigned int bits = certificate_bits(ca->certificate);

    if (ca->ours || key == NULL)
        return true;
    if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
        return bits <= PATH_RSA_BITS_MAX && is_short_exponent(key);
    return bits <= PATH_OTHER_BITS_MAX;
}

/* What a candidate is worth as issuer of the last certificate on the path. */
enum issue { ISSUE_NONE, ISSUE_BAD_SIGNATURE, ISSUE_MAY_NOT, ISSUE_GOOD };

/* `good`: what the candidate is worth if it signed that certificate. */
static enum issue check_signature(struct search *search, X509 *certificate, const struct ca *candidate,
                                  enum issue good)
{
    EVP_PKEY *key = X509_get0_pubkey(candidate->certificate);
    bool is_good;

    if (!path_may_verify(candidate) || (!candidate->ours && !store_take_foreign(search->terms->store)))
        return ISSUE_NONE;
    search->signatures++;
    is_good = key != NULL && X509_verify(certificate, key) == 1;
    ERR_clear_error();
    return is_good ? good : ISSUE_BAD_SIGNATURE;
}

static enum issue check_issue(struct search *search, const struct ca *candidate)
{
    X509 *certificate = search->path.items[search->path.count - 1]->certificate;
    int fault = X509_check_issued(candidate->certificate, certificate);

    ERR_clear_error();
    switch (fault) {
    case X509_V_OK:
        return check_signature(search, certificate, candidate, ISSUE_GOOD);
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        return check_signature(search, certificate, candidate, ISSUE_MAY_NOT);
    case X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH:
        return ISSUE_BAD_SIGNATURE;
    default:
        return ISSUE_NONE;
    }
}

static bool too_long(const struct search *search, const struct ca *next)
{
    size_t between = search->path.count - (next->anchor ? 1 : 0);

    return between > search->terms->settings->max_depth || search->path.count + 1 > PATH_LENGTH_MAX;
}

static void extend(struct search *search);

static void follow(struct search *search, struct ca *candidate)
{
    struct path *path = &search->path;

    if (too_long(search, candidate)) {
        show(search, PATH_TOO_LONG);
        return;
    }
    path->items[path->count++] = candidate;
    extend(search);
    path->count--;
}

/* Shows the end that a candidate brings which signed, but must not have. */
static void show_may_not(struct search *search, struct ca *candidate)
{
    struct path *path = &search->path;

    if (path->count < PATH_LENGTH_MAX) {
        path->items[path->count++] = candidate;
        show(search, PATH_ISSUER_MAY_NOT);
        path->count--;
    }
}

static void try_candidates(struct search *search, const struct ca_list *list)
{
    bool followed = false, bad_signature = false;

    for (size_t i = 0; i < list->count && !search->done; i++) {
        struct ca *candidate = list->items[i];
        if (is_repeated(list, i) || is_on_path(&search->path, candidate))
            continue;
        if (gave_up(search)) {
            show(search, PATH_GAVE_UP);
            search->done = true;
            return;
        }
        switch (check_issue(search, candidate)) {
        case ISSUE_GOOD:
            followed = true;
            follow(search, candidate);
            break;
        case ISSUE_MAY_NOT:
            followed = true;
            show_may_not(search, candidate);
            break;
        case ISSUE_BAD_SIGNATURE:
            bad_signature = true;
            break;
        case ISSUE_NONE:
            break;
        }
    }
    if (followed)
        return;
    if (bad_signature)
        show(search, PATH_BAD_SIGNATURE);
    else
        show(search, list->count > 0 ? PATH_UNFIT_ISSUER : PATH_NO_ISSUER);
}

static void extend(struct search *search)
{
    struct ca *last = search->path.items[search->path.count - 1];
    struct ca_list list;

    if (last->anchor) {
        show(search, PATH_ANCHORED);
        return;
    }
    if (store_self_signed(last->certificate)) {
        show(search, PATH_FOREIGN_ROOT);
        return;
    }
    store_find(search->terms->store, X509_get_issuer_name(last->certificate), &list);
    sort_candidates(&list, search->terms->at);
    try_candidates(search, &list);
    free(list.items);
}

void path_search(const struct terms *terms, struct ca *leaf, path_visit *visit, void *context)
{
    struct search search = {.terms = terms, .visit = visit, .context = context};

    search.path.items[0] = leaf;
    search.path.count = 1;
    extend(&search);
}
