/* Subjects: a trigger that is removed is not there afterwards, in whichever way it was written; tags of the
   gateway stand there once, and nobody else's do. The first octet chooses the status. */
#include <string.h>

#include "incoming/subjecttag.h"
#include "mail/utf8.h"
#include "outgoing/trigger.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_message.h"

/* The message again, with the Subject fields as they leave. */
static void check_triggers(const struct message *message)
{
    const struct header *header = &message->mime.root->header;
    struct message after;
    struct trigger trigger;
    struct buf out = {0};

    trigger_find(message, &trigger);
    for (size_t i = 0; i < header->count; i++)
        if (header_field_is(header, i, "Subject"))
            trigger_strip(message->config, header, i, &out);
    buf_add_text(&out, "\n");
    fuzz_message(&after, out.data, out.len, "a@x.example");
    trigger_find(&after, &trigger);
    FUZZ_HOLDS(!trigger.sign && !trigger.encrypt);
    FUZZ_HOLDS(header_count(&after.mime.root->header, "Subject") ==
               header_count(&message->mime.root->header, "Subject"));
    message_free(&after);
    buf_free(&out);
}

static void check_tags(const struct message *message, unsigned char choice)
{
    const struct status status = {
        .encryption = (enum status_encryption)(choice % (STATUS_ENCRYPTION_UNSUPPORTED + 1)),
        .signature = (enum status_signature)(choice / 16 % (STATUS_SIGNATURE_UNSUPPORTED + 1))};
    static const struct status none = {0};
    const char *language = (choice & 8) != 0 ? "de" : "en";
    char *value = header_value_of(&message->mime.root->header, "Subject"), *decoded, *tagged, *tags, *again;
    const char *rest;

    if (value == NULL)
        return;
    decoded = header_decode(value);
    tagged = subjecttag_apply(decoded, &status, language);
    tags = subjecttag_apply("", &status, language);
    FUZZ_HOLDS(tagged != NULL || tags == NULL);
    rest = tagged != NULL ? tagged : decoded;
    FUZZ_HOLDS(utf8_valid(rest, strlen(rest)));
    FUZZ_HOLDS(tags == NULL || strncmp(rest, tags, strlen(tags)) == 0);
    rest += tags != NULL ? strlen(tags) : 0;
    again = subjecttag_apply(rest, &none, language);
    FUZZ_HOLDS(again == NULL);
    free(tagged);
    free(tags);
    free(decoded);
    free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message;
    struct buf section = {0};

    if (size == 0)
        return 0;
    buf_add_text(&section, "Subject: ");
    buf_add(&section, data + 1, size - 1);
    fuzz_message(&message, section.data, section.len, "a@x.example");
    check_triggers(&message);
    check_tags(&message, data[0]);
    message_free(&message);
    buf_free(&section);
    return 0;
}
