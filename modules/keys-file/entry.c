#include "modules/keys-file/entry.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "modules/areas/fields.h"
#include "modules/keys-file/learnt.h"
#include "modules/keys-file/private_key.h"
#include "util/mem.h"

static int rank(enum area area)
{
    switch (area) {
    case AREA_UNTRUSTED:
        return 4;
    case AREA_TRUSTED:
        return 3;
    case AREA_PRIVATE:
        return 2;
    case AREA_PUBLIC:
        return 1;
    case AREA_CA:
    case AREA_COUNT:
        break;
    }
    return 0;
}

static struct entry *entry_for(struct entry_list *entries, const char *fingerprint)
{
    for (size_t i = 0; i < entries->count; i++)
        if (strcmp(entries->items[i].certificate->fingerprint, fingerprint) == 0)
            return &entries->items[i];
    return NULL;
}

static void merge(struct entry *entry, const struct areas_certificate *item)
{
    if (entry->certificate == NULL || rank(item->area) > rank(entry->certificate->area))
        entry->certificate = item;
    if (item->area == AREA_PRIVATE && item->key_file != NULL)
        entry->key = item;
    if (item->capabilities.len > 0 && (entry->capabilities == NULL || item->area == AREA_PUBLIC))
        entry->capabilities = &item->capabilities;
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    bool x_trusted = x->certificate->area == AREA_TRUSTED, y_trusted = y->certificate->area == AREA_TRUSTED;

    if (x_trusted != y_trusted)
        return x_trusted ? -1 : 1;
    return ASN1_TIME_compare(X509_get0_notBefore(y->certificate->certificate),
                             X509_get0_notBefore(x->certificate->certificate));
}

void entry_list_make(const struct areas_list *list, bool keys_only, struct entry_list *entries)
{
    size_t kept = 0;

    memset(entries, 0, sizeof(*entries));
    for (size_t i = 0; i < list->count; i++) {
        struct entry *entry = entry_for(entries, list->items[i].fingerprint);

        if (entry == NULL)
            entry = mem_push(&entries->items, &entries->count, sizeof(*entry));
        merge(entry, &list->items[i]);
    }
    for (size_t i = 0; i < entries->count; i++)
        if (!keys_only || entries->items[i].key != NULL)
            entries->items[kept++] = entries->items[i];
    entries->count = kept;
    if (kept > 1)
        qsort(entries->items, kept, sizeof(*entries->items), compare);
}

void entry_list_add_learnt(const char *folder, const char *address, struct entry_list *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        if (learnt_find(folder, entries->items[i].certificate->fingerprint, address,
                        &entries->items[i].learnt))
            entries->items[i].capabilities = &entries->items[i].learnt;
}

bool entry_list_add_chains(struct areas *areas, struct entry_list *entries, char *error_r, size_t size)
{
    for (size_t i = 0; i < entries->count; i++)
        if (entries->items[i].key != NULL &&
            !chain_build(areas, entries->items[i].key, &entries->items[i].chain, error_r, size))
            return false;
    return true;
}

void entry_list_free(struct entry_list *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        chain_free(&entries->items[i].chain);
        buf_free(&entries->items[i].learnt);
    }
    free(entries->items);
    memset(entries, 0, sizeof(*entries));
}

static bool is_gateway(const struct settings *settings, const struct areas_certificate *certificate)
{
    for (size_t i = 0; i < settings->gateway.count; i++) {
        const char *word = settings->gateway.items[i];

        if (strcasecmp(word, certificate->fingerprint) == 0)
            return true;
        for (size_t n = 0; n < certificate->addresses.count; n++)
            if (address_equal(word, certificate->addresses.items[n]))
                return true;
    }
    return false;
}

static void write_certificate(struct xml_writer *w, const char *name, const X509 *certificate)
{
    struct buf der = {0};

    areas_fields_der(certificate, &der);
    xml_add_base64(w, name, der.data, der.len);
    buf_free(&der);
}

static void write_attributes(const struct module *module, const struct entry *entry, struct xml_writer *w)
{
    char reference[PRIVATE_KEY_REFERENCE_MAX];

    xml_put(w, "fingerprint", entry->certificate->fingerprint);
    xml_put(w, "area", area_name(entry->certificate->area));
    if (entry->key != NULL) {
        private_key_reference(entry->key->fingerprint, reference);
        xml_put(w, "key", reference);
        xml_put(w, "scope", is_gateway(&module->settings, entry->key) ? "gateway" : "personal");
    }
    xml_put(w, "source", entry->certificate->file);
}

void entry_write(const struct module *module, const struct entry *entry, struct xml_writer *w)
{
    xml_open(w, "entry");
    write_attributes(module, entry, w);
    for (size_t i = 0; i < entry->certificate->addresses.count; i++) {
        xml_open(w, "address");
        xml_text(w, entry->certificate->addresses.items[i]);
        xml_close(w);
    }
    write_certificate(w, "certificate", entry->certificate->certificate);
    for (size_t i = 0; i < entry->chain.count; i++)
        write_certificate(w, "issuer-certificate", entry->chain.items[i]);
    if (entry->capabilities != NULL)
        xml_add_base64(w, "capabilities", entry->capabilities->data, entry->capabilities->len);
    xml_close(w);
}
