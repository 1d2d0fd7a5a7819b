#include "tests/fuzz/fuzz_message.h"

#include "tests/fuzz/fuzz.h"
#include "util/mem.h"

const struct config *fuzz_config(void)
{
    static char authserv_id[] = "gw.example", hostname[] = "gw.example", spool[] = "/tmp";
    static char sign[] = "[sign]", encrypt[] = "[encrypt]", admin[] = "admin@x.example";
    static char exact[] = "x.example", below[] = ".in.example";
    static char *domains[] = {exact, below, NULL};
    static const struct config config = {
        .authserv_id = authserv_id,
        .myhostname = hostname,
        .admin = admin,
        .spool = spool,
        .spool_memory = 1u << 20,
        .max_depth = 20,
        .max_parts = 50,
        .policy = CONFIG_POLICY_BOTH,
        .trigger_sign = sign,
        .trigger_encrypt = encrypt,
        .internal_domains = {domains, 2},
        .engine = CONFIG_ENGINE_WORK,
        .mode = CONFIG_MODE_GATEWAY,
    };

    return &config;
}

void fuzz_message(struct message *message, const void *data, size_t len, const char *sender)
{
    struct outcome outcome;

    *message = (struct message){.config = fuzz_config(), .fd = -1};
    message->envelope.client = mem_strdup("");
    message->envelope.sender = mem_strdup(sender);
    strlist_add(&message->envelope.recipients, "inside@x.example");
    outcome_done(&outcome);
    message_replace(message, fuzz_file(data, len), &outcome);
    FUZZ_HOLDS(outcome.kind == OUTCOME_DONE);
}
