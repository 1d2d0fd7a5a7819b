/* An incoming message through all of its layers (fuzz_modules.c), and what becomes of it for each recipient
   and in each form. Whatever it is made of: the gateway's word on encryption and signature stands there once,
   in every reading, and is its own; what is to be looked at by a virus scanner is no CMS object any more. The
   first octet chooses the options. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "incoming/alike.h"
#include "incoming/deliver.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_message.h"

/* How often a line begins so, for readers who take CR, or LF, or both for line ends. */
static size_t count_lines(const struct buf *out, size_t end, const char *with)
{
    size_t count = 0, len = strlen(with);

    for (size_t at = 0; at + len <= end; at++)
        if ((at == 0 || out->data[at - 1] == '\n' || out->data[at - 1] == '\r') &&
            strncasecmp(out->data + at, with, len) == 0)
            count++;
    return count;
}

static void check_word(const struct header *header, const char *name, const char *word)
{
    char *value = header_value_of(header, name);

    FUZZ_HOLDS(value != NULL && strcmp(value, word) == 0);
    free(value);
}

/* Can anything be taken out of it? Not if it is one by its label only, or damaged. */
static bool opens(const struct layer_look *look, struct message *message)
{
    struct layer_request request = {.look = look, .limit = message->config->max_size};
    struct outcome outcome;
    struct layer layer;
    bool opened;

    if (look->kind == LAYER_NONE || look->detached || !look->readable)
        return false;
    outcome_done(&outcome);
    request.out = message_output(message, message->size, &outcome);
    opened = layer_open(message, &request, &layer, &outcome) == LAYER_OPENED;
    layer_free(&layer);
    close(request.out);
    return opened;
}

/* But for a type that is no ASCII, which is re-encoded as application/octet-stream. */
static void check_to_look_at(const struct deliver *deliver, struct message *message, const struct mime *out)
{
    struct layer_look look;
    struct mime inside;

    FUZZ_HOLDS(unwrap_parse(message, deliver->node, &inside) == 0);
    FUZZ_HOLDS(layer_look(&look, deliver->fd, out) == 0);
    if (out->fault == MIME_OK && strcmp(out->root->type.value, inside.root->type.value) == 0)
        FUZZ_HOLDS(!opens(&look, message));
    layer_look_free(&look);
    mime_free(&inside);
}

static void check_out(const struct deliver *deliver, struct message *message, enum deliver_form form)
{
    struct buf out = {0};
    struct mime mime;

    fuzz_slurp(deliver->fd, &out);
    FUZZ_HOLDS(mime_parse(&mime, deliver->fd, 0, out.len, NULL) == 0);
    check_word(&mime.root->header, "X-JULIA-Encryption", status_encryption_word(deliver->status.encryption));
    check_word(&mime.root->header, "X-JULIA-Signature", status_signature_word(deliver->status.signature));
    FUZZ_HOLDS(count_lines(&out, mime.root->body, "X-JULIA-Encryption") == 1);
    FUZZ_HOLDS(count_lines(&out, mime.root->body, "X-JULIA-Signature") == 1);
    FUZZ_HOLDS(count_lines(&out, mime.root->body, "X-JULIA-Signer:") <= 1);
    if (form == DELIVER_TO_LOOK_AT && message->config->mode == CONFIG_MODE_GATEWAY &&
        deliver->strand->stop == UNWRAP_CLEAN && deliver->node->outer != NULL)
        check_to_look_at(deliver, message, &mime);
    if (deliver->status.signature != STATUS_SIGNATURE_NONE && unwrap_reason(deliver->strand) == UNWRAP_CLEAN)
        FUZZ_HOLDS(unwrap_signed(unwrap_undisputed(deliver->strand->inner)) != NULL);
    if (deliver->status.signature == STATUS_VALID)
        FUZZ_HOLDS(strcasecmp(protected_from(&deliver->protected), "a@y.example") == 0 ||
                   deliver->sender != NULL);
    (void)alike(message, deliver->node);
    mime_free(&mime);
    buf_free(&out);
}

static void deliver_all(struct unwrap *unwrap)
{
    for (size_t i = 0; i < unwrap->strand_count; i++)
        for (int form = DELIVER_OPENED; form <= DELIVER_TO_LOOK_AT; form++) {
            struct deliver deliver;
            struct outcome outcome;

            outcome_done(&outcome);
            FUZZ_HOLDS(deliver_judge(&deliver, unwrap->message, &unwrap->strands[i], (enum deliver_form)form,
                                     &outcome));
            FUZZ_HOLDS(deliver_write(&deliver, unwrap->message, &outcome));
            check_out(&deliver, unwrap->message, (enum deliver_form)form);
            deliver_free(&deliver);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char english[] = "en", nowhere[] = "/nonexistent";
    struct config config = *fuzz_config();
    struct message message;
    struct unwrap unwrap;
    struct outcome outcome;

    if (size == 0)
        return 0;
    fuzz_message(&message, data + 1, size - 1, "a@y.example");
    strlist_add(&message.envelope.recipients, "other@x.example");
    config.subject_tags = (data[0] & 1) != 0;
    config.report = (data[0] & 2) != 0;
    config.strip_signatures = (data[0] & 4) != 0;
    config.deliver = (data[0] & 8) != 0 ? CONFIG_DELIVER_REENCRYPT : CONFIG_DELIVER_PLAIN;
    config.mode = (data[0] & 16) != 0 ? CONFIG_MODE_GATEWAY : CONFIG_MODE_MAILOFFICE;
    if (config.mode == CONFIG_MODE_GATEWAY)
        config.deliver = CONFIG_DELIVER_ORIGINAL;
    config.max_size = 1u << 20;
    config.language = english;
    config.templates = nowhere;
    message.config = &config;
    outcome_done(&outcome);
    FUZZ_HOLDS(unwrap_run(&unwrap, &message, &message.envelope.recipients, NULL, &outcome));
    deliver_all(&unwrap);
    unwrap_free(&unwrap);
    message_free(&message);
    return 0;
}
