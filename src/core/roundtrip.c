#include "core/roundtrip.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "delivery/hold.h"
#include "incoming/layer.h"
#include "incoming/status.h"
#include "mail/address.h"
#include "util/mem.h"

bool roundtrip_scanner(const struct config *config, const struct direction_client *client)
{
    return !client->local && network_list_contains(&config->scanner_clients, &client->address);
}

/* Mail that was decrypted here and still is in clear: nobody inside gets that with this configuration. */
static bool opened(const struct message *message)
{
    char *value = header_value_of(&message->mime.root->header, "X-JULIA-Encryption");
    bool clear =
        value != NULL && (strcasecmp(value, status_encryption_word(STATUS_DECRYPTED)) == 0 ||
                          strcasecmp(value, status_encryption_word(STATUS_NOT_INTEGRITY_PROTECTED)) == 0);
    struct layer_look look;

    free(value);
    if (clear && layer_look(&look, message->fd, &message->mime) == 0) {
        clear = layer_look_label(&look) != LAYER_ENCRYPTED;
        layer_look_free(&look);
    }
    return clear;
}

/* Only where a form other than the copy's is wanted does its loss change what is delivered. Mail with an
   outside sender comes to the scanner through here or not at all; that of a mailbox that forwards still has
   what was found when it was delivered. */
static bool stripped(const struct message *message)
{
    const struct config *config = message->config;
    const char *sender = message->envelope.sender;

    if (config->mode != CONFIG_MODE_GATEWAY || config->deliver == CONFIG_DELIVER_PLAIN ||
        config->engine != CONFIG_ENGINE_WORK)
        return false;
    if (opened(message))
        return true;
    return sender[0] != '\0' && !address_in_domains(sender, &config->internal_domains) &&
           header_count(&message->mime.root->header, "X-JULIA-Encryption") == 0;
}

/* Whichever MODE: it may have been another one when the copy left. */
enum roundtrip roundtrip_of(const struct message *message, const struct direction_client *client)
{
    if (!roundtrip_scanner(message->config, client))
        return ROUNDTRIP_NO;
    if (header_count(&message->mime.root->header, ROUNDTRIP_HOLD) > 0)
        return ROUNDTRIP_RETURN;
    return stripped(message) ? ROUNDTRIP_STRIPPED : ROUNDTRIP_NO;
}

char *roundtrip_word(const char *text, size_t len)
{
    char *word = mem_strndup(text, len);

    for (char *p = word; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return word;
}

/* The word in field `index`. */
static char *word_in(const struct header *header, size_t index)
{
    char *value = header_value(header, index), *word = roundtrip_word(value, strlen(value));

    free(value);
    return word;
}

char *roundtrip_hold(const struct header *header)
{
    char *hold = NULL;
    long index;

    for (size_t from = 0; (index = header_next(header, ROUNDTRIP_HOLD, from)) >= 0;
         from = (size_t)index + 1) {
        char *word = word_in(header, (size_t)index);
        bool same = hold == NULL || strcmp(hold, word) == 0;

        free(hold);
        hold = word;
        if (!same) {
            free(hold);
            return NULL;
        }
    }
    return hold;
}

bool roundtrip_forged(const struct message *message, const struct direction_client *client)
{
    const struct header *header = &message->mime.root->header;
    bool forged = false;

    if (message->config->mode != CONFIG_MODE_GATEWAY || roundtrip_scanner(message->config, client))
        return false;
    for (size_t i = 0; !forged && i < header->count; i++)
        if (header_field_is(header, i, ROUNDTRIP_HOLD)) {
            char *word = word_in(header, i);

            forged = hold_id_valid(word);
            free(word);
        }
    return forged;
}
