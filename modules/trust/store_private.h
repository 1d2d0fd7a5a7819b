/* Shared by the files that make the store: store.c (a request), store_lists.c, store_shelf.c (what is kept of
   area ca), store_areas.c (who lies where). */
#ifndef JULIA_TRUST_STORE_PRIVATE_H
#define JULIA_TRUST_STORE_PRIVATE_H

#include <time.h>

#include "modules/areas/areas.h"
#include "modules/areas/stamp.h"
#include "modules/trust/store.h"

/* One name of area ca and what stands under it. */
struct shelf {
    X509_NAME *name;
    struct ca_list cas;
    struct crl_list crls;
    bool cas_read, crls_read;
};

struct store {
    const struct settings *settings;
    struct areas *areas;
    struct areas_stamp stamps[3]; /* of the directories, when the cache was begun */
    time_t begun;
    struct shelf *shelves;
    size_t shelf_count;
    struct ca_list extras;
    struct crl_list crls;
    unsigned int foreign_left; /* store_take_foreign() */
    bool failed;
    char error[512];
};

struct ca *store_ca_new(X509 *take);
/* It lies in area ca. */
void store_ca_own(const struct store *store, struct ca *ca);
void store_ca_list_add(struct ca_list *list, struct ca *ca);
void store_ca_list_clear(struct ca_list *list); /* and frees what stands in it */
void store_crl_list_add(struct crl_list *list, struct crl *crl);
void store_crl_list_clear(struct crl_list *list);

void store_forget_shelves(struct store *store);

#endif
