/* Operation find: certificates by address and use, keys by the identifiers of RecipientInfos. */
#include <stdlib.h>
#include <string.h>

#include "modules/keys-file/entry.h"
#include "util/base64.h"
#include "util/log.h"
#include "util/mem.h"

/* One address with more certificates than this is a fault or an attack; the trusted and the newest count. */
#define FIND_ENTRIES_MAX 100
/* Answers end here, so that they fit into a frame; queries behind are answered "temporary". */
#define FIND_ANSWER_MAX (FRAME_MAX - FRAME_MAX / 8)

#define AREA(a) (1u << (a))

static const struct use {
    const char *name;
    unsigned int mask;
    bool keys_only, chain, capabilities;
} uses[] = {
    /* untrusted is asked too, so that a refusal can be explained */
    {"encrypt", AREA(AREA_PUBLIC) | AREA(AREA_TRUSTED) | AREA(AREA_UNTRUSTED) | AREA(AREA_PRIVATE), false,
     false, true},
    {"sign", AREA(AREA_TRUSTED) | AREA(AREA_UNTRUSTED) | AREA(AREA_PRIVATE), true, true, false},
    {"decrypt", AREA(AREA_TRUSTED) | AREA(AREA_UNTRUSTED) | AREA(AREA_PRIVATE), true, false, false},
    {"signer", MODULE_ALL_AREAS, false, false, false},
};

static const struct use *find_use(const char *name)
{
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
        if (strcmp(uses[i].name, name) == 0)
            return &uses[i];
    return NULL;
}

static void append(struct areas_list *all, struct areas_list *more)
{
    for (size_t i = 0; i < more->count; i++) {
        struct areas_certificate *slot = mem_push(&all->items, &all->count, sizeof(*slot));

        *slot = more->items[i];
    }
    free(more->items);
    memset(more, 0, sizeof(*more));
}

static int find_identifier(struct areas *areas, unsigned int mask, const struct xml_node *node,
                           struct areas_list *list, char *error_r, size_t size)
{
    const char *ski = xml_attribute(node, "ski"), *issuer = xml_attribute(node, "issuer");
    const char *serial = xml_attribute(node, "serial");
    struct buf first = {0}, second = {0};
    int result = 0;

    memset(list, 0, sizeof(*list));
    if (ski != NULL && hex_decode_buf(&first, ski))
        result = areas_find_ski(areas, mask, &first, list, error_r, size);
    else if (ski == NULL && base64_decode_buf(&first, issuer) && hex_decode_buf(&second, serial))
        result = areas_find_serial(areas, mask, &first, &second, list, error_r, size);
    buf_free(&first);
    buf_free(&second);
    return result;
}

static int find_query(struct areas *areas, const struct use *use, const struct xml_node *query,
                      struct areas_list *all, char *error_r, size_t size)
{
    const char *address = xml_attribute(query, "address");
    const struct xml_node *node = xml_child(query, "identifier");
    struct areas_list list;

    memset(all, 0, sizeof(*all));
    if (address != NULL)
        return areas_find_address(areas, use->mask, address, all, error_r, size);
    for (; node != NULL; node = xml_next(node, "identifier")) {
        if (find_identifier(areas, use->mask, node, &list, error_r, size) != 0) {
            areas_list_free(all);
            return -1;
        }
        append(all, &list);
    }
    return 0;
}

static void open_result(struct xml_writer *w, const struct xml_node *query, enum answer_status status,
                        const char *reason, const char *text)
{
    xml_open(w, "result");
    xml_put(w, "n", xml_attribute(query, "n"));
    xml_put(w, "status", answer_status_name(status));
    xml_put(w, "reason", reason);
    xml_put(w, "text", text);
}

static void write_entries(const struct module *module, const struct xml_node *query,
                          const struct entry_list *entries, struct xml_writer *w)
{
    open_result(w, query, entries->count > 0 ? ANSWER_OK : ANSWER_NONE, NULL, NULL);
    if (entries->count > FIND_ENTRIES_MAX)
        log_event(LOG_LEVEL_WARNING, "too-many-certificates", "address", xml_attribute(query, "address"),
                  "text", "only the trusted and newest are offered: remove some", (char *)NULL);
    for (size_t i = 0; i < entries->count && i < FIND_ENTRIES_MAX; i++)
        entry_write(module, &entries->items[i], w);
    xml_close(w);
}

static void write_uncertain(struct xml_writer *w, const struct xml_node *query, const char *reason,
                            const char *text)
{
    open_result(w, query, ANSWER_TEMPORARY, reason, text);
    xml_close(w);
}

static void answer_query(struct module *module, const struct xml_node *query, struct serve_answer *answer)
{
    const struct use *use = find_use(xml_attribute(query, "use"));
    char error[MODULE_ERROR_MAX] = "";
    struct areas_list list;
    struct entry_list entries;

    if (answer->body.len > FIND_ANSWER_MAX) {
        write_uncertain(&answer->writer, query, "answer-too-large", "too much was asked for at once");
        return;
    }
    if (find_query(module->areas, use, query, &list, error, sizeof(error)) != 0) {
        write_uncertain(&answer->writer, query, "store-unreadable", error);
        return;
    }
    entry_list_make(&list, use->keys_only, &entries);
    if (use->capabilities)
        entry_list_add_learnt(module->settings.capabilities, xml_attribute(query, "address"), &entries);
    /* What was not seen may be there: whoever cannot see must not say no. */
    if (entries.count == 0 &&
        areas_unseen(module->areas, use->mask, use->keys_only, error, sizeof(error)) != 0)
        write_uncertain(&answer->writer, query, "file-unreadable", error);
    else if (entries.count == 0 && use->keys_only && pass_phrase_refused(module->phrase))
        write_uncertain(&answer->writer, query, "pass-phrase-refused",
                        "PASS_PHRASE_FILE cannot be used; keys-file's log says why");
    else if (use->chain && !entry_list_add_chains(module->areas, &entries, error, sizeof(error)))
        write_uncertain(&answer->writer, query, "store-unreadable", error);
    else
        write_entries(module, query, &entries, &answer->writer);
    entry_list_free(&entries);
    areas_list_free(&list);
}

void find_run(const struct serve_request *request, struct serve_answer *answer, void *context)
{
    struct module *module = context;
    const struct xml_node *query;

    if (module_areas(module, answer) == NULL)
        return;
    xml_open(&answer->writer, "find");
    for (query = xml_child(request->body, "query"); query != NULL; query = xml_next(query, "query"))
        answer_query(module, query, answer);
    xml_close(&answer->writer);
}
