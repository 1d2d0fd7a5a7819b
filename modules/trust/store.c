#include "modules/trust/store.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "modules/areas/areas.h"
#include "modules/areas/fields.h"
#include "modules/areas/stamp.h"
#include "modules/trust/certificate.h"
#include "util/fdio.h"
#include "util/mem.h"

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
    bool failed;
    char error[512];
};

static void ca_list_clear(struct ca_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        X509_free(list->items[i]->certificate);
        free(list->items[i]);
    }
    free(list->items);
    memset(list, 0, sizeof(*list));
}

static void crl_list_clear(struct crl_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        crl_free(list->items[i]);
    free(list->items);
    memset(list, 0, sizeof(*list));
}

static void forget_shelves(struct store *store)
{
    for (size_t i = 0; i < store->shelf_count; i++) {
        X509_NAME_free(store->shelves[i].name);
        ca_list_clear(&store->shelves[i].cas);
        crl_list_clear(&store->shelves[i].crls);
    }
    free(store->shelves);
    store->shelves = NULL;
    store->shelf_count = 0;
}

static void ca_list_add(struct ca_list *list, struct ca *ca)
{
    struct ca **slot = mem_push(&list->items, &list->count, sizeof(struct ca *));

    *slot = ca;
}

static void crl_list_add(struct crl_list *list, struct crl *crl)
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

static struct ca *ca_new(X509 *take, bool ours)
{
    struct ca *ca = mem_alloc(sizeof(*ca));

    ca->certificate = take;
    certificate_fingerprint(take, ca->fingerprint);
    ca->ours = ours;
    ca->anchor = ours && store_self_signed(take);
    return ca;
}

static bool make_index_directory(const char *index, char *error_r, size_t size)
{
    const char *slash = strrchr(index, '/');
    char *directory = slash == NULL ? NULL : mem_strndup(index, (size_t)(slash - index));
    bool made = directory == NULL || directory[0] == '\0' || fdio_make_dirs(directory, 0750) == 0;

    if (!made)
        snprintf(error_r, size, "%s: %s", directory, strerror(errno));
    free(directory);
    return made;
}

struct store *store_open(const struct settings *settings, char *error_r, size_t size)
{
    struct areas_settings areas = {.index_file = settings->index,
                                   .rescan_seconds = (unsigned int)settings->rescan};
    struct store *store;

    areas.directories[AREA_CA] = settings->ca;
    areas.directories[AREA_TRUSTED] = settings->trusted;
    areas.directories[AREA_UNTRUSTED] = settings->untrusted;
    if (!make_index_directory(settings->index, error_r, size))
        return NULL;
    store = mem_alloc(sizeof(*store));
    store->settings = settings;
    store->areas = areas_open(&areas, error_r, size);
    if (store->areas != NULL)
        return store;
    free(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    forget_shelves(store);
    ca_list_clear(&store->extras);
    crl_list_clear(&store->crls);
    areas_close(store->areas);
    free(store);
}

/* True when a directory is not what it was, or changed so lately that its stamp proves nothing yet. */
static bool directory_changed(const char *directory, struct areas_stamp *stamp)
{
    struct areas_stamp now = {0};
    struct stat st;
    bool changed;

    if (stat(directory, &st) == 0)
        areas_stamp_from_stat(&now, &st);
    changed = !areas_stamp_equal(&now, stamp->text) || areas_stamp_racy(&now, areas_stamp_now());
    *stamp = now;
    return changed;
}

/* The cache ends with a change of a directory, and as often as files overwritten in place are looked for. */
static void refresh_cache(struct store *store)
{
    bool changed = directory_changed(store->settings->ca, &store->stamps[0]);

    changed = directory_changed(store->settings->trusted, &store->stamps[1]) || changed;
    changed = directory_changed(store->settings->untrusted, &store->stamps[2]) || changed;
    if (!changed && store->shelf_count <= STORE_NAMES_MAX &&
        time(NULL) - store->begun < (time_t)store->settings->rescan)
        return;
    forget_shelves(store);
    store->begun = time(NULL);
}

bool store_begin(struct store *store)
{
    ca_list_clear(&store->extras);
    crl_list_clear(&store->crls);
    refresh_cache(store);
    store->failed = areas_refresh(store->areas, store->error, sizeof(store->error)) != 0;
    return !store->failed;
}

bool store_add_extra(struct store *store, X509 *take)
{
    if (store->extras.count >= STORE_EXTRAS_MAX) {
        X509_free(take);
        return false;
    }
    ca_list_add(&store->extras, ca_new(take, false));
    return true;
}

bool store_add_crl(struct store *store, struct crl *take)
{
    if (store->crls.count >= STORE_CRLS_MAX) {
        crl_free(take);
        return false;
    }
    crl_list_add(&store->crls, take);
    return true;
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
        X509_up_ref(list.items[i].certificate);
        ca_list_add(&shelf->cas, ca_new(list.items[i].certificate, true));
    }
    areas_list_free(&list);
}

static void read_crls(struct store *store, struct shelf *shelf)
{
    STACK_OF(X509_CRL) *crls = NULL;

    shelf->crls_read = true;
    if (areas_find_crls(store->areas, AREA_CA, shelf->name, &crls, store->error, sizeof(store->error)) != 0) {
        store->failed = true;
        shelf->crls_read = false;
        return;
    }
    while (sk_X509_CRL_num(crls) > 0)
        crl_list_add(&shelf->crls, crl_new(sk_X509_CRL_shift(crls)));
    sk_X509_CRL_free(crls);
}

void store_find(struct store *store, const X509_NAME *subject, struct ca_list *list_r)
{
    struct shelf *shelf = shelf_of(store, subject);

    if (!shelf->cas_read)
        read_cas(store, shelf);
    memset(list_r, 0, sizeof(*list_r));
    for (size_t i = 0; i < shelf->cas.count; i++)
        ca_list_add(list_r, shelf->cas.items[i]);
    for (size_t i = 0; i < store->extras.count; i++)
        if (X509_NAME_cmp(X509_get_subject_name(store->extras.items[i]->certificate), subject) == 0)
            ca_list_add(list_r, store->extras.items[i]);
}

void store_find_crls(struct store *store, const X509_NAME *issuer, struct crl_list *list_r)
{
    struct shelf *shelf = shelf_of(store, issuer);

    if (!shelf->crls_read)
        read_crls(store, shelf);
    memset(list_r, 0, sizeof(*list_r));
    for (size_t i = 0; i < shelf->crls.count; i++)
        crl_list_add(list_r, shelf->crls.items[i]);
    for (size_t i = 0; i < store->crls.count; i++)
        if (X509_NAME_cmp(crl_issuer(store->crls.items[i]), issuer) == 0)
            crl_list_add(list_r, store->crls.items[i]);
}

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
    leaf = ca_new(certificate, false);
    leaf->ours = lies_in(store, AREA_CA, leaf->fingerprint);
    leaf->anchor = leaf->ours && store_self_signed(certificate);
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

const char *store_error(const struct store *store)
{
    return store->failed ? store->error : NULL;
}
