#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "modules/trust/certificate.h"
#include "modules/trust/store_private.h"
#include "util/mem.h"

void store_ca_list_clear(struct ca_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        X509_free(list->items[i]->certificate);
        free(list->items[i]);
    }
    free(list->items);
    memset(list, 0, sizeof(*list));
}

void store_crl_list_clear(struct crl_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        crl_free(list->items[i]);
    free(list->items);
    memset(list, 0, sizeof(*list));
}

void store_ca_list_add(struct ca_list *list, struct ca *ca)
{
    struct ca **slot = mem_push(&list->items, &list->count, sizeof(struct ca *));

    *slot = ca;
}

void store_crl_list_add(struct crl_list *list, struct crl *crl)
{
    struct crl **slot = mem_push(&list->items, &list->count, sizeof(struct crl *));

    *slot = crl;
}

bool store_self_signed(X509 *certificate)
{
    bool self_signed = X509_self_signed(certificate, 1) == 1;

    ERR_clear_error();
    return self_signed;
}

struct ca *store_ca_new(X509 *take)
{
    struct ca *ca = mem_alloc(sizeof(*ca));

    ca->certificate = take;
    certificate_fingerprint(take, ca->fingerprint);
    return ca;
}

void store_ca_own(const struct store *store, struct ca *ca)
{
    ca->ours = true;
    ca->anchor = (store->settings->partial_chain && certificate_is_ca(ca->certificate)) ||
                 store_self_signed(ca->certificate);
}
