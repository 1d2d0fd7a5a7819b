#include "incoming/harvest.h"

#include <string.h>

#include "util/log.h"

static void write_store(const struct message *message, const struct layer_signer *signer, struct buf *body)
{
    struct xml_writer w;

    xml_begin(&w, body);
    xml_open(&w, "store");
    xml_put(&w, "area", message->config->harvest == CONFIG_HARVEST_PUBLIC ? "public" : "review");
    if (signer->capabilities.len > 0)
        xml_put(&w, "signing-time", signer->signing_time);
    xml_add_base64(&w, "certificate", signer->certificate->data, signer->certificate->len);
    if (signer->capabilities.len > 0)
        xml_add_base64(&w, "capabilities", signer->capabilities.data, signer->capabilities.len);
    xml_close(&w);
}

static void store(struct message *message, const struct layer_signer *signer)
{
    struct buf body = {0};
    bool settled = false;

    write_store(message, signer, &body);
    for (size_t i = 0; i < message->key_modules && !settled; i++) {
        struct call_answer answer = {0};

        call_ask(message->keys[i], "store", &body, NULL, 0, &answer);
        settled = answer.status == ANSWER_OK || answer.status == ANSWER_NONE;
        log_event(settled ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "harvest", "module",
                  call_module_name(message->keys[i]), "fingerprint", signer->fingerprint, "status",
                  answer_status_name(answer.status), "reason", answer.reason, (char *)NULL);
        call_answer_free(&answer);
    }
    buf_free(&body);
}

void harvest_layer(struct message *message, const struct layer *layer)
{
    if (message->config->harvest == CONFIG_HARVEST_NO)
        return;
    for (size_t i = 0; i < layer->signer_count; i++) {
        const struct layer_signer *signer = &layer->signers[i];

        if (signer->certificate != NULL && signer->verdict.verdict != NULL &&
            strcmp(signer->verdict.verdict, "valid") == 0)
            store(message, signer);
    }
}
