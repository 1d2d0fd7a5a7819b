#include "modules/keys-file/grant.h"

#include <stdlib.h>
#include <string.h>

#include "modules/keys-file/private_key.h"
#include "util/log.h"
#include "util/mem.h"

struct allowance {
    char *key;
    bool sign; /* else open */
    uint64_t left;
};

struct connection {
    bool granted;
    struct allowance *items;
    size_t count;
};

void *grant_connection_open(void *module, uid_t peer_uid)
{
    (void)module;
    (void)peer_uid;
    return mem_alloc(sizeof(struct connection));
}

void grant_connection_close(void *module, void *context)
{
    struct connection *connection = context;

    (void)module;
    for (size_t i = 0; i < connection->count; i++)
        free(connection->items[i].key);
    free(connection->items);
    free(connection);
}

bool grant_connection_waits(void *module, const void *context)
{
    const struct connection *connection = context;

    (void)module;
    for (size_t i = 0; i < connection->count; i++)
        if (connection->items[i].left > 0)
            return true;
    return false;
}

static bool is(const char *operation, const char *name)
{
    return strcmp(operation, name) == 0;
}

static bool refuse(struct serve_answer *answer, const char *reason, const char *text)
{
    serve_fail(answer, ANSWER_PERMANENT, reason, "%s", text);
    return false;
}

bool grant_admit(const char *operation, unsigned int number, const struct serve_request *request,
                 struct serve_answer *answer, void *module)
{
    const struct connection *connection = request->connection;
    bool uses_key = is(operation, "sign") || is(operation, "open");

    if (is(operation, "grant") && number != 0)
        return refuse(answer, "grant-not-first",
                      "a grant is accepted only as the first request of a connection");
    if (connection->granted && !uses_key)
        return refuse(answer, "not-granted", "this connection has a grant and serves nothing else");
    if (!connection->granted && uses_key)
        return refuse(answer, "no-grant",
                      "private keys are used only on a connection that begins with a grant");
    if ((is(operation, "grant") || is(operation, "store")) && !module_is_core(module, request->peer_uid))
        return refuse(answer, "not-allowed",
                      "only the user of julia's core may do this: set CORE_USER in keys-file.conf");
    return true;
}

static void add_allowance(struct connection *connection, const struct xml_node *node)
{
    struct allowance *item = mem_push(&connection->items, &connection->count, sizeof(*item));

    item->key = mem_strdup(xml_attribute(node, "key"));
    item->sign = is(xml_attribute(node, "operation"), "sign");
    xml_attribute_number(node, "count", UINT64_MAX, &item->left);
}

void grant_run(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    struct connection *connection = request->connection;
    const struct xml_node *node;

    connection->granted = true; /* also if it fails: there is only one try */
    for (node = xml_child(request->body, "allow"); node != NULL; node = xml_next(node, "allow"))
        if (!private_key_exists(module, xml_attribute(node, "key"), answer))
            return;
    for (node = xml_child(request->body, "allow"); node != NULL; node = xml_next(node, "allow"))
        add_allowance(connection, node);
}

bool grant_use(const struct serve_request *request, const char *operation, const char *key,
               struct serve_answer *answer)
{
    struct connection *connection = request->connection;
    bool sign = is(operation, "sign"), named = false;

    for (size_t i = 0; i < connection->count; i++) {
        struct allowance *item = &connection->items[i];

        if (item->sign != sign || strcmp(item->key, key) != 0)
            continue;
        named = true;
        if (item->left > 0) {
            item->left--;
            return true;
        }
    }
    log_event(LOG_LEVEL_WARNING, "not-granted", "key", key, "operation", operation, "reason",
              named ? "used-up" : "not-named", (char *)NULL);
    return refuse(answer, named ? "grant-used-up" : "not-granted",
                  named ? "the grant allowed no more uses of this key"
                        : "the grant does not name this key and operation");
}
