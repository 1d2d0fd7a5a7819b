/* What is kept of area ca between requests: by name, parsed. */
#include <stdlib.h>
#include <string.h>

#include "modules/trust/store_private.h"
#include "util/mem.h"

void store_forget_shelves(struct store *store)
{
    for (size_t i = 0; i < store->shelf_count; i++) {
        X509_NAME_free(store->shelves[i].name);
        store_ca_list_clear(&store->shelves[i].cas);
        store_crl_list_clear(&store->shelves[i].crls);
    }
    free(store->shelves);
    store->shelves = NULL;
    store->shelf_count = 0;
}

static struct shelf *shelf_of(struct store *store, const X509_NAME *name)
{
    struct shelf *shelf;

    for (size_t i = 0; i < store->shelf_count; i++)
        if (X509_NAME_cmp(store->shelves[i].name, name) == 0)
            return &store->shelves[i];
    shelf = mem_push(&store->shelves, &store->shelf_count, sizeof(*shelf));
    shelf->name = X509_NAME_dup(name);
    return shelf;
}

static void read_cas(struct store *store, struct shelf *shelf)
{
    struct areas_list list = {0};

    shelf->cas_read = true;
    if (areas_find_subject(store->areas, 1u << AREA_CA, shelf->name, &list, store->error,
                           sizeof(store->error)) != 0) {
        store->failed = true;
        shelf->cas_read = false;
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        struct ca *ca = store_ca_new(list.items[i].certificate);
        X509_up_ref(ca->certificate);
        store_ca_own(store, ca);
        store_ca_list_add(&shelf->cas, ca);
    }
    areas_list_free(&list);
}

static void read_crls(struct store *store, struct shelf *shelf)
{
    struct areas_crl_list list;

    shelf->crls_read = true;
    if (areas_find_crls(store->areas, AREA_CA, shelf->name, &list, store->error, sizeof(store->error)) != 0) {
        store->failed = true;
        shelf->crls_read = false;
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        struct crl *crl = crl_new(list.items[i]);
        crl->ours = true;
        store_crl_list_add(&shelf->crls, crl);
        list.items[i] = NULL;
    }
    areas_crl_list_free(&list);
}

void store_find(struct store *store, const X509_NAME *subject, struct ca_list *list_r)
{
    struct shelf *shelf = shelf_of(store, subject);

    if (!shelf->cas_read)
        read_cas(store, shelf);
    memset(list_r, 0, sizeof(*list_r));
    for (size_t i = 0; i < shelf->cas.count; i++)
        store_ca_list_add(list_r, shelf->cas.items[i]);
    for (size_t i = 0; i < store->extras.count; i++)
        if (X509_NAME_cmp(X509_get_subject_name(store->extras.items[i]->certificate), subject) == 0)
            store_ca_list_add(list_r, store->extras.items[i]);
}

void store_find_crls(struct store *store, const X509_NAME *issuer, struct crl_list *list_r)
{
    struct shelf *shelf = shelf_of(store, issuer);

    if (!shelf->crls_read)
        read_crls(store, shelf);
    memset(list_r, 0, sizeof(*list_r));
    for (size_t i = 0; i < shelf->crls.count; i++)
        store_crl_list_add(list_r, shelf->crls.items[i]);
    for (size_t i = 0; i < store->crls.count; i++)
        if (X509_NAME_cmp(crl_issuer(store->crls.items[i]), issuer) == 0)
            store_crl_list_add(list_r, store->crls.items[i]);
}
