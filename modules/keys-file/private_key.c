#include "modules/keys-file/private_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/areas/file.h"
#include "util/mem.h"

struct kept_key {
    char fingerprint[65];
    char *file;
    struct areas_stamp stamp;
    EVP_PKEY *key;
    uint64_t used;
};

struct private_keys {
    struct kept_key items[PRIVATE_KEYS_MAX];
    uint64_t clock;
};

struct private_keys *private_keys_new(void)
{
    return mem_alloc(sizeof(struct private_keys));
}

static void forget(struct kept_key *item)
{
    EVP_PKEY_free(item->key); /* OpenSSL overwrites private numbers */
    free(item->file);
    memset(item, 0, sizeof(*item));
}

void private_keys_free(struct private_keys *keys)
{
    if (keys == NULL)
        return;
    for (size_t i = 0; i < PRIVATE_KEYS_MAX; i++)
        forget(&keys->items[i]);
    free(keys);
}

void private_key_reference(const char *fingerprint, char reference_r[PRIVATE_KEY_REFERENCE_MAX])
{
    snprintf(reference_r, PRIVATE_KEY_REFERENCE_MAX, MODULE_NAME ":%s", fingerprint);
}

/* The fingerprint in a reference, NULL if it is none of this module's. */
static const char *fingerprint_in(const char *reference)
{
    const char *fingerprint = reference + strlen(MODULE_NAME ":");

    if (strncmp(reference, MODULE_NAME ":", strlen(MODULE_NAME ":")) != 0 || strlen(fingerprint) != 64 ||
        strspn(fingerprint, "0123456789abcdef") != 64)
        return NULL;
    return fingerprint;
}

/* Exactly one certificate with its key file, or nothing. */
static bool look_up(struct module *module, const char *reference, struct areas_list *list,
                    struct serve_answer *answer)
{
    const char *fingerprint = fingerprint_in(reference);
    struct areas *areas = module_areas(module, answer);
    char error[MODULE_ERROR_MAX] = "";

    memset(list, 0, sizeof(*list));
    if (areas == NULL)
        return false;
    if (fingerprint == NULL) {
        serve_fail(answer, ANSWER_PERMANENT, "unknown-key", "%.100s is no key reference of " MODULE_NAME,
                   reference);
        return false;
    }
    if (areas_find_fingerprint(areas, 1u << AREA_PRIVATE, fingerprint, list, error, sizeof(error)) != 0) {
        serve_fail(answer, ANSWER_TEMPORARY, "store-unreadable", "%s", error);
        return false;
    }
    if (list->count > 0 && list->items[0].key_file != NULL)
        return true;
    areas_list_free(list);
    serve_fail(answer, ANSWER_NONE, "unknown-key", "no private key for the certificate %s", fingerprint);
    return false;
}

bool private_key_exists(struct module *module, const char *reference, struct serve_answer *answer)
{
    struct areas_list list;
    bool found = look_up(module, reference, &list, answer);

    areas_list_free(&list);
    return found;
}

static struct kept_key *find_kept(struct private_keys *keys, const char *fingerprint)
{
    for (size_t i = 0; i < PRIVATE_KEYS_MAX; i++)
        if (keys->items[i].key != NULL && strcmp(keys->items[i].fingerprint, fingerprint) == 0)
            return &keys->items[i];
    return NULL;
}

static struct kept_key *oldest(struct private_keys *keys)
{
    struct kept_key *found = &keys->items[0];

    for (size_t i = 0; i < PRIVATE_KEYS_MAX; i++) {
        if (keys->items[i].key == NULL)
            return &keys->items[i];
        if (keys->items[i].used < found->used)
            found = &keys->items[i];
    }
    return found;
}

static bool current_stamp(const char *file, struct areas_stamp *stamp)
{
    struct stat st;

    if (stat(file, &st) != 0 || !areas_file_is_secret(&st))
        return false;
    areas_stamp_from_stat(stamp, &st);
    return true;
}

static EVP_PKEY *use_kept(struct private_keys *keys, const struct areas_certificate *item)
{
    struct kept_key *kept = find_kept(keys, item->fingerprint);
    struct areas_stamp stamp;

    if (kept == NULL)
        return NULL;
    if (strcmp(kept->file, item->key_file) != 0 || !current_stamp(item->key_file, &stamp) ||
        !areas_stamp_equal(&stamp, kept->stamp.text)) {
        forget(kept);
        return NULL;
    }
    kept->used = ++keys->clock;
    return EVP_PKEY_up_ref(kept->key) == 1 ? kept->key : NULL;
}

static void keep(struct private_keys *keys, const struct areas_certificate *item,
                 const struct areas_stamp *stamp, EVP_PKEY *key)
{
    struct kept_key *slot = oldest(keys);

    /* A file that young may change without a new stamp: better read it once more. */
    if (areas_stamp_racy(stamp, areas_stamp_now()) || EVP_PKEY_up_ref(key) != 1)
        return;
    forget(slot);
    snprintf(slot->fingerprint, sizeof(slot->fingerprint), "%s", item->fingerprint);
    slot->file = mem_strdup(item->key_file);
    slot->stamp = *stamp;
    slot->key = key;
    slot->used = ++keys->clock;
}

EVP_PKEY *private_key_get(struct module *module, const char *reference, struct serve_answer *answer)
{
    struct areas_list list;
    struct areas_stamp stamp = {0};
    char error[MODULE_ERROR_MAX] = "";
    bool stamped;
    EVP_PKEY *key;

    if (!look_up(module, reference, &list, answer))
        return NULL;
    key = use_kept(module->keys, &list.items[0]);
    if (key == NULL) {
        stamped = current_stamp(list.items[0].key_file, &stamp);
        key = areas_private_key(module->areas, &list.items[0], error, sizeof(error));
        if (key == NULL)
            serve_fail(answer, ANSWER_TEMPORARY, "key-unreadable", "%s", error);
        else if (stamped)
            keep(module->keys, &list.items[0], &stamp, key);
    }
    areas_list_free(&list);
    return key;
}
