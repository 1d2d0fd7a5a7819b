/* Answers of hostile modules, behind the check by the protocol's tables: what the core takes over of them is
   whole. The first octet chooses the question. */
#include <string.h>

#include "core/ask.h"
#include "incoming/layer.h"
#include "module/schema.h"
#include "tests/fuzz/fuzz.h"
#include "util/mem.h"

#define QUESTIONS 3

static const uint8_t *answer_data;
static size_t answer_len;

/* ---- in the place of the connection (module/call.c) ---- */

void call_ask(struct call_module *module, const char *operation, const struct buf *body, const int *fds,
              size_t fd_count, struct call_answer *answer_r)
{
    const struct schema_operation *known = schema_operations;
    char error[200];

    (void)module;
    (void)body;
    (void)fds;
    (void)fd_count;
    while (strcmp(known->name, operation) != 0)
        known++;
    memset(answer_r, 0, sizeof(*answer_r));
    answer_r->status = ANSWER_TEMPORARY;
    answer_r->root = xml_parse(answer_data, answer_len, error, sizeof(error));
    if (answer_r->root == NULL || answer_r->root->children == NULL ||
        !schema_check(known->answer, answer_r->root->children, error, sizeof(error)))
        return;
    answer_r->body = answer_r->root->children;
    answer_r->status = ANSWER_OK;
}

void call_answer_free(struct call_answer *answer)
{
    xml_free(answer->root);
    memset(answer, 0, sizeof(*answer));
}

const char *call_module_name(const struct call_module *module)
{
    (void)module;
    return "module";
}

struct call_grant *call_grant_open(struct call_module *module, const struct buf *body,
                                   struct call_answer *answer_r)
{
    (void)module;
    (void)body;
    (void)answer_r;
    return NULL;
}

/* ---- what the core makes of it ---- */

static void find(struct message *message)
{
    struct ask_query queries[QUESTIONS] = {{.use = "encrypt", .address = "a@x.example"},
                                           {.use = "sign", .address = "a@x.example"},
                                           {.use = "decrypt"}};
    struct call_module *modules[] = {NULL, NULL};

    message->keys = modules;
    message->key_modules = 2;
    ask_find(message, queries, QUESTIONS);
    for (size_t q = 0; q < QUESTIONS; q++) {
        for (size_t i = 0; i < queries[q].entry_count; i++) {
            const struct ask_entry *entry = &queries[q].entries[i];

            FUZZ_HOLDS(entry->certificate.len > 0 && strlen(entry->fingerprint) == SHA256_HEX_LEN);
            for (size_t k = 0; k < i; k++)
                FUZZ_HOLDS(strcmp(entry->fingerprint, queries[q].entries[k].fingerprint) != 0);
        }
        FUZZ_HOLDS(queries[q].uncertain == (queries[q].uncertain_text != NULL));
        ask_query_free(&queries[q]);
    }
}

static void validate(struct message *message)
{
    static char octet[] = "\x30";
    static const struct buf der = {octet, 1, 0};
    struct ask_check checks[QUESTIONS] = {
        {&der, "encrypt", "a@x.example", {0}}, {&der, "sign", NULL, {0}}, {&der, "any", NULL, {0}}};
    struct outcome outcome;
    bool done;

    outcome_done(&outcome);
    done = ask_validate(message, checks, QUESTIONS, NULL, 0, NULL, 0, &outcome);
    FUZZ_HOLDS(done == (outcome.kind == OUTCOME_DONE));
    for (size_t i = 0; i < QUESTIONS; i++) {
        FUZZ_HOLDS(!done || checks[i].verdict.verdict != NULL);
        ask_verdict_free(&checks[i].verdict);
    }
}

static void unwrap(enum layer_kind kind)
{
    static char name[] = "m:k", hex[] = "00";
    static const struct ask_entry entry = {.key = name, .fingerprint = hex};
    static const struct ask_entry *const keys[] = {&entry};
    const struct layer_look look = {.kind = kind, .readable = true};
    const struct layer_request request = {.look = &look, .keys = keys, .key_count = 1};
    struct call_answer answer;
    struct layer layer = {0};
    uint64_t length;

    call_ask(NULL, "unwrap", NULL, NULL, 0, &answer);
    if (answer.status == ANSWER_OK && layer_answer_read(answer.body, &request, &layer, &length)) {
        FUZZ_HOLDS(layer.kind == kind || layer.kind == LAYER_NONE);
        for (size_t i = 0; i < layer.signer_count; i++)
            FUZZ_HOLDS(layer.signers[i].certificate == NULL || layer.signers[i].fingerprint != NULL);
        FUZZ_HOLDS(layer.kind != LAYER_ENCRYPTED || layer.key_fingerprint != NULL);
    }
    layer_free(&layer);
    call_answer_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config config = {.max_depth = 20};
    struct message message = {.config = &config, .fd = -1};

    if (size == 0)
        return 0;
    answer_data = data + 1;
    answer_len = size - 1;
    switch (data[0] % 5) {
    case 0:
        find(&message);
        break;
    case 1:
        validate(&message);
        break;
    default:
        unwrap((enum layer_kind)(data[0] % 5 - 1)); /* signed, encrypted, compressed */
    }
    return 0;
}
