#include "core/signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "util/log.h"
#include "util/mem.h"

/* The key of a map line: an address, or @domain for all of that domain. */
static bool map_key_matches(const char *key, const char *address)
{
    if (key[0] == '@')
        return key[1] != '\0' && key[1] != '.' && address_domain_matches(address_domain(address), key + 1);
    return address_equal(key, address);
}

static bool map_line_allows(char *line, const char *login, const char *address)
{
    static const char *const separators = " \t\r\n,";
    char *state = NULL;
    const char *word = strtok_r(line, separators, &state);
    if (word == NULL || word[0] == '#' || !map_key_matches(word, address))
        return false;
    while ((word = strtok_r(NULL, separators, &state)) != NULL)
        if (strcasecmp(word, login) == 0)
            return true;
    return false;
}

bool signer_login_may(const char *map, const char *login, const char *address)
{
    char *line = NULL;
    size_t size = 0;
    bool allowed = false;
    FILE *file = fopen(map, "re");
    if (file == NULL) {
        log_event(LOG_LEVEL_WARNING, "sender-login", "file", map, "text", "cannot be read", (char *)NULL);
        return false;
    }
    while (!allowed && getline(&line, &size, file) >= 0)
        allowed = map_line_allows(line, login, address);
    free(line);
    fclose(file);
    return allowed;
}

static bool login_allows(const struct message *message, const char *address)
{
    const char *auth = message->envelope.auth;
    if (auth == NULL)
        return false;
    if (message->config->sender_login != NULL)
        return signer_login_may(message->config->sender_login, auth, address);
    return address_equal(auth, address);
}

/* An item of SIGN_AS, checked by config_check.c: "NETWORK ADDRESS-OR-DOMAIN". */
static bool sign_as_allows(const char *item, const struct network_address *client, const char *address)
{
    struct strlist words = {0};
    struct network network;
    const char *error;
    strlist_split(&words, item);
    bool allowed = words.count == 2 && network_parse(words.items[0], &network, &error) &&
                   network_contains(&network, client) &&
                   (strchr(words.items[1], '@') != NULL
                        ? address_equal(words.items[1], address)
                        : address_domain_matches(address_domain(address), words.items[1]));
    strlist_free(&words);
    return allowed;
}

static bool host_allows(const struct message *message, const struct direction_client *client,
                        const char *address)
{
    const struct strlist *sign_as = &message->config->sign_as;
    for (size_t i = 0; !client->local && i < sign_as->count; i++)
        if (sign_as_allows(sign_as->items[i], &client->address, address))
            return true;
    return false;
}

static void decide_own(const struct message *message, const struct direction_client *client,
                       struct signer *signer)
{
    const char *sender = message->envelope.sender;
    if (message->header_from.count != 1 || header_count(&message->mime.root->header, "From") != 1) {
        signer->own_how = "header From does not have exactly one address";
        return;
    }
    signer->own = mem_strdup(message->header_from.items[0]);
    signer->own_allowed = true;
    if (!message->config->signer_check)
        signer->own_how = "SIGNER_CHECK=no";
    else if (sender != NULL && address_equal(sender, signer->own))
        signer->own_how = "header From equals the envelope sender";
    else if (login_allows(message, signer->own))
        signer->own_how = "header From belongs to the authenticated user";
    else if (host_allows(message, client, signer->own))
        signer->own_how = "SIGN_AS allows this client";
    else {
        signer->own_allowed = false;
        signer->own_how =
            "header From is neither the envelope sender nor the authenticated user's (SIGNER_CHECK)";
    }
}

static void decide_order(const struct message *message, struct signer *signer)
{
    const struct strlist *from = &message->header_from;
    signer->order_allowed = from->count > 0;
    signer->order_how = "there is no address in header From";
    for (size_t i = 0; i < from->count; i++)
        if (!address_in_domains(from->items[i], &message->config->internal_domains)) {
            signer->order_allowed = false;
            signer->order_how = "header From is not in INTERNAL_DOMAINS";
        }
}

void signer_decide(const struct message *message, const struct direction_client *client,
                   struct signer *signer_r)
{
    memset(signer_r, 0, sizeof(*signer_r));
    decide_own(message, client, signer_r);
    decide_order(message, signer_r);
}

void signer_free(struct signer *signer)
{
    free(signer->own);
    signer->own = NULL;
}
