/* Notices: a refusal of the virus scanner names only recipients inside and ids of holds; who may be answered,
   and where mail came from, can be told of any header. */
#include <string.h>

#include "core/refusal.h"
#include "delivery/hold.h"
#include "delivery/report_private.h"
#include "mail/address.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_message.h"

static void check_refusal(const struct message *message)
{
    static const struct direction_client here = {.local = true};
    struct refusal refusal;
    struct outcome outcome;

    outcome_done(&outcome);
    if (refusal_read(&refusal, message, &here, &outcome)) {
        FUZZ_HOLDS(refusal.hold == NULL || hold_id_valid(refusal.hold));
        FUZZ_HOLDS(refusal.words == NULL || strlen(refusal.words) <= 300);
        for (size_t i = 0; i < refusal.recipients.count; i++)
            FUZZ_HOLDS(address_valid(refusal.recipients.items[i], true) &&
                       direction_recipient_internal(message->config, refusal.recipients.items[i]));
        refusal_free(&refusal);
    }
    FUZZ_HOLDS(outcome.kind == OUTCOME_DONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct direction_client client;
    struct message message;
    struct outcome outcome;
    char *subject;

    fuzz_message(&message, data, size, "");
    check_refusal(&message);
    outcome_done(&outcome);
    FUZZ_HOLDS(direction_client_find(&message, &client, &outcome) == (outcome.kind == OUTCOME_DONE));
    (void)direction_was_scanned(message.config, &message.mime.root->header);
    FUZZ_HOLDS(report_unanswerable(&message) != NULL); /* the null sender */
    subject = report_subject(&message);
    FUZZ_HOLDS(strlen(subject) <= 200);
    free(subject);
    message_free(&message);
    return 0;
}
