/* In which areas a certificate lies. */
#include <openssl/err.h>
#include <stdlib.h>

#include "modules/areas/fields.h"
#include "modules/trust/certificate.h"
#include "modules/trust/store_private.h"

static bool lies_in(struct store *store, enum area area, const char *fingerprint)
{
    struct areas_list list = {0};
    bool found;

    if (areas_find_fingerprint(store->areas, 1u << area, fingerprint, &list, store->error,
                               sizeof(store->error)) != 0)
        store->failed = true;
    found = list.count > 0;
    areas_list_free(&list);
    return found;
}

bool store_is_trusted(struct store *store, const char *fingerprint)
{
    return lies_in(store, AREA_TRUSTED, fingerprint);
}

struct ca *store_leaf(struct store *store, X509 *certificate)
{
    struct ca *leaf;

    X509_up_ref(certificate);
    store->foreign_left += STORE_FOREIGN_MORE;
    leaf = store_ca_new(certificate);
    if (lies_in(store, AREA_CA, leaf->fingerprint))
        store_ca_own(store, leaf);
    return leaf;
}

void store_leaf_free(struct ca *leaf)
{
    if (leaf == NULL)
        return;
    X509_free(leaf->certificate);
    free(leaf);
}

static bool distrusted_by_serial(struct store *store, const X509 *certificate)
{
    struct areas_list list = {0};
    struct buf issuer = {0}, serial = {0};
    bool found;

    certificate_issuer_der(certificate, &issuer);
    areas_fields_certificate_serial(certificate, &serial);
    if (areas_find_serial(store->areas, 1u << AREA_UNTRUSTED, &issuer, &serial, &list, store->error,
                          sizeof(store->error)) != 0)
        store->failed = true;
    found = list.count > 0;
    areas_list_free(&list);
    buf_free(&issuer);
    buf_free(&serial);
    return found;
}

static bool distrusted_by_key(struct store *store, X509 *certificate)
{
    struct areas_list list = {0};
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    bool found = false;

    if (areas_find_subject(store->areas, 1u << AREA_UNTRUSTED, X509_get_subject_name(certificate), &list,
                           store->error, sizeof(store->error)) != 0)
        store->failed = true;
    for (size_t i = 0; i < list.count && key != NULL; i++) {
        const EVP_PKEY *other = X509_get0_pubkey(list.items[i].certificate);
        if (other != NULL && EVP_PKEY_eq(key, other) == 1)
            found = true;
    }
    ERR_clear_error();
    areas_list_free(&list);
    return found;
}

bool store_is_distrusted(struct store *store, struct ca *ca, bool is_ca)
{
    bool distrusted;

    if (ca->distrust != DISTRUST_NOT_ASKED)
        return ca->distrust == DISTRUST_YES;
    distrusted = lies_in(store, AREA_UNTRUSTED, ca->fingerprint) ||
                 distrusted_by_serial(store, ca->certificate) ||
                 (is_ca && distrusted_by_key(store, ca->certificate));
    if (!store->failed)
        ca->distrust = distrusted ? DISTRUST_YES : DISTRUST_NO;
    return distrusted;
}
