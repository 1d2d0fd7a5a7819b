#include "modules/keys-file/chain.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

static bool issued(X509 *issuer, X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    bool ok = X509_check_issued(issuer, certificate) == X509_V_OK && key != NULL &&
              X509_verify(certificate, key) == 1;

    ERR_clear_error();
    return ok;
}

static bool self_signed(X509 *certificate)
{
    return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0 &&
           issued(certificate, certificate);
}

static bool in_reach(const struct areas_certificate *candidate, const struct areas_certificate *leaf)
{
    return candidate->area == AREA_CA ||
           (candidate->area == leaf->area && strcmp(candidate->file, leaf->file) == 0);
}

/* Of several issuers (renewed, cross-signed) the one that is valid for longest. */
static X509 *best_issuer(const struct areas_list *list, const struct areas_certificate *leaf,
                         X509 *certificate)
{
    X509 *best = NULL;

    for (size_t i = 0; i < list->count; i++) {
        X509 *candidate = list->items[i].certificate;

        if (in_reach(&list->items[i], leaf) && issued(candidate, certificate) &&
            (best == NULL || ASN1_TIME_compare(X509_get0_notAfter(candidate), X509_get0_notAfter(best)) > 0))
            best = candidate;
    }
    return best;
}

static bool has(const struct chain *chain, const X509 *certificate)
{
    for (size_t i = 0; i < chain->count; i++)
        if (X509_cmp(chain->items[i], certificate) == 0)
            return true;
    return false;
}

bool chain_build(struct areas *areas, const struct areas_certificate *leaf, struct chain *chain,
                 char *error_r, size_t size)
{
    X509 *current = leaf->certificate;
    struct areas_list list;

    memset(chain, 0, sizeof(*chain));
    while (chain->count < CHAIN_MAX && !self_signed(current)) {
        X509 *issuer;

        if (areas_find_subject(areas, 1u << AREA_CA | 1u << leaf->area, X509_get_issuer_name(current), &list,
                               error_r, size) != 0) {
            chain_free(chain);
            return false;
        }
        issuer = best_issuer(&list, leaf, current);
        if (issuer == NULL || self_signed(issuer) || has(chain, issuer) || X509_up_ref(issuer) != 1)
            current = NULL;
        else
            chain->items[chain->count++] = current = issuer;
        areas_list_free(&list);
        if (current == NULL)
            break;
    }
    return true;
}

void chain_free(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        X509_free(chain->items[i]);
    chain->count = 0;
}
