/* Look-ups in the key modules and grants. */
#include "core/ask.h"

#include <stdlib.h>
#include <string.h>

#include "util/base64.h"
#include "util/mem.h"
#include "util/sha256.h"

#define QUERIES_PER_FIND     250 /* answers with a few certificates for each stay below FRAME_MAX */
#define IDENTIFIERS_PER_FIND 500 /* of one query: a long list must not need more memory in each module */

static void put_identifier(struct xml_writer *w, const struct cms_recipient *identifier)
{
    struct buf issuer = {0};
    xml_open(w, "identifier");
    if (identifier->issuer.len > 0) {
        base64_encode_buf(&issuer, identifier->issuer.data, identifier->issuer.len);
        xml_put(w, "issuer", buf_text(&issuer));
        xml_put_hex(w, "serial", identifier->serial.data, identifier->serial.len);
    } else {
        xml_put_hex(w, "ski", buf_text(&identifier->ski), identifier->ski.len);
    }
    xml_close(w);
    buf_free(&issuer);
}

static void write_find(struct buf *body, const struct ask_query *queries, size_t count)
{
    struct xml_writer w;
    xml_begin(&w, body);
    xml_open(&w, "find");
    for (size_t i = 0; i < count; i++) {
        xml_open(&w, "query");
        xml_put_number(&w, "n", i);
        xml_put(&w, "use", queries[i].use);
        xml_put(&w, "address", queries[i].address);
        for (size_t k = 0; queries[i].address == NULL && k < queries[i].identifier_count; k++)
            put_identifier(&w, &queries[i].identifiers[k]);
        xml_close(&w);
    }
    xml_close(&w);
}

static void read_entry_children(const struct xml_node *node, struct ask_entry *entry)
{
    const struct xml_node *child;
    for (child = xml_child(node, "address"); child != NULL; child = xml_next(child, "address"))
        strlist_add(&entry->addresses, child->text);
    for (child = xml_child(node, "issuer-certificate"); child != NULL;
         child = xml_next(child, "issuer-certificate")) {
        struct buf *one = mem_push(&entry->chain, &entry->chain_count, sizeof(struct buf));
        if (!xml_base64(child, one)) {
            buf_free(one);
            entry->chain_count--;
        }
    }
    child = xml_child(node, "capabilities");
    if (child != NULL && !xml_base64(child, &entry->capabilities))
        buf_clear(&entry->capabilities);
}

/* false: there is no certificate in it. The fingerprint is our own, not the module's word. */
static bool read_entry(const struct xml_node *node, struct call_module *module, struct ask_entry *entry)
{
    const struct xml_node *certificate = xml_child(node, "certificate");
    memset(entry, 0, sizeof(*entry));
    if (certificate == NULL || !xml_base64(certificate, &entry->certificate) || entry->certificate.len == 0) {
        ask_entry_free(entry);
        return false;
    }
    char hex[SHA256_HEX_LEN + 1];
    sha256_hex(entry->certificate.data, entry->certificate.len, hex);
    const char *scope = xml_attribute(node, "scope");
    entry->fingerprint = mem_strdup(hex);
    entry->area = mem_strdup(xml_attribute(node, "area"));
    entry->key = mem_strdup(xml_attribute(node, "key"));
    entry->source = mem_strdup(xml_attribute(node, "source"));
    entry->gateway = scope != NULL && strcmp(scope, "gateway") == 0;
    entry->module = module;
    read_entry_children(node, entry);
    return true;
}

/* Listed once; the one with a key wins, an area that says something about trust wins over public. */
static void add_entry(struct ask_query *query, struct ask_entry *entry)
{
    for (size_t i = 0; i < query->entry_count; i++) {
        struct ask_entry *known = &query->entries[i];
        if (strcmp(known->fingerprint, entry->fingerprint) != 0)
            continue;
        if (known->key == NULL && entry->key != NULL) {
            ask_entry_free(known);
            *known = *entry;
        } else {
            ask_entry_free(entry);
        }
        return;
    }
    struct ask_entry *added = mem_push(&query->entries, &query->entry_count, sizeof(*entry));
    *added = *entry;
}

static void set_uncertain(struct ask_query *query, const struct call_module *module, const char *reason,
                          const char *text)
{
    query->uncertain = true;
    if (query->uncertain_text == NULL)
        query->uncertain_text =
            mem_printf("%s: %s%s%s", call_module_name(module), reason != NULL ? reason : "temporary",
                       text != NULL && text[0] != '\0' ? ": " : "", text != NULL ? text : "");
}

static void read_result(const struct xml_node *result, struct call_module *module, struct ask_query *query)
{
    enum answer_status status = ANSWER_TEMPORARY;
    const char *word = xml_attribute(result, "status");
    if (word == NULL || !answer_status_parse(word, &status) ||
        (status != ANSWER_OK && status != ANSWER_NONE)) {
        set_uncertain(query, module, xml_attribute(result, "reason"), xml_attribute(result, "text"));
        return;
    }
    const struct xml_node *node;
    for (node = xml_child(result, "entry"); node != NULL; node = xml_next(node, "entry")) {
        struct ask_entry entry;
        if (read_entry(node, module, &entry))
            add_entry(query, &entry);
        else
            set_uncertain(query, module, "damaged", "an entry without a readable certificate");
    }
}

/* One module's answer to `count` queries; a query that it leaves out is uncertain. */
static void read_find(const struct call_answer *answer, struct call_module *module, struct ask_query *queries,
                      size_t count)
{
    bool *seen = mem_array(count, sizeof(bool));
    const struct xml_node *result = answer->body != NULL ? xml_child(answer->body, "result") : NULL;
    for (; result != NULL; result = xml_next(result, "result")) {
        uint64_t n;
        if (!xml_attribute_number(result, "n", count - 1, &n) || seen[n])
            continue;
        seen[n] = true;
        read_result(result, module, &queries[n]);
    }
    for (size_t i = 0; i < count; i++)
        if (!seen[i])
            set_uncertain(&queries[i], module, "damaged", "no answer to one query");
    free(seen);
}

/* False: the module did not answer as a whole. */
static bool find_batch(struct call_module *module, struct ask_query *queries, size_t count)
{
    struct buf body = {0};
    struct call_answer answer = {0};
    bool answered;
    write_find(&body, queries, count);
    call_ask(module, "find", &body, NULL, 0, &answer);
    answered = answer.status == ANSWER_OK || answer.status == ANSWER_NONE;
    if (answer.status == ANSWER_OK)
        read_find(&answer, module, queries, count);
    for (size_t i = 0; !answered && i < count; i++)
        set_uncertain(&queries[i], module, answer.reason, answer.text);
    call_answer_free(&answer);
    buf_free(&body);
    return answered;
}

/* A query with many identifiers, in parts; what is found is found by the whole query. */
static void find_in_parts(struct call_module *module, struct ask_query *query)
{
    const struct cms_recipient *identifiers = query->identifiers;
    size_t count = query->identifier_count, part = IDENTIFIERS_PER_FIND;
    bool answered = true;

    for (size_t i = 0; answered && i < count; i += part) {
        query->identifiers = identifiers + i;
        query->identifier_count = count - i < part ? count - i : part;
        answered = find_batch(module, query, 1);
    }
    query->identifiers = identifiers;
    query->identifier_count = count;
}

void ask_find(struct message *message, struct ask_query *queries, size_t count)
{
    for (size_t m = 0; m < message->key_modules; m++)
        for (size_t i = 0; i < count; i += QUERIES_PER_FIND) {
            size_t batch = count - i < QUERIES_PER_FIND ? count - i : QUERIES_PER_FIND;

            if (batch == 1 && queries[i].address == NULL)
                find_in_parts(message->keys[m], &queries[i]);
            else
                find_batch(message->keys[m], queries + i, batch);
        }
}

struct call_grant *ask_grant(struct call_module *module, const char *operation, const char *const *keys,
                             size_t key_count, unsigned int count, struct call_answer *answer_r)
{
    struct buf body = {0};
    struct xml_writer w;
    xml_begin(&w, &body);
    xml_open(&w, "grant");
    for (size_t i = 0; i < key_count; i++) {
        xml_open(&w, "allow");
        xml_put(&w, "key", keys[i]);
        xml_put(&w, "operation", operation);
        xml_put_number(&w, "count", count);
        xml_close(&w);
    }
    xml_close(&w);
    struct call_grant *grant = call_grant_open(module, &body, answer_r);
    buf_free(&body);
    return grant;
}

void ask_hello(struct call_module *module, struct call_answer *answer_r)
{
    struct buf body = {0};
    struct xml_writer w;
    xml_begin(&w, &body);
    xml_open(&w, "hello");
    xml_put(&w, "version", "1");
    xml_close(&w);
    call_ask(module, "hello", &body, NULL, 0, answer_r);
    buf_free(&body);
}
