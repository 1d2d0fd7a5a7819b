#include "outgoing/signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "util/log.h"
#include "util/mem.h"

/* What the map says so far. As with Postfix, lines about the address itself leave no room for those about its
 * domain. */
struct map_search {
    const char *login, *address;
    bool address_known, address_allowed, domain_allowed;
};

/* One logical line: an address, or @domain for all of that domain, and the logins. */
static void map_line(struct map_search *search, char *line)
{
    static const char *const separators = " \t\r\n,";
    char *state = NULL;
    const char *key = strtok_r(line, separators, &state), *word;
    bool exact = key != NULL && address_equal(key, search->address), allowed = false;
    if (key == NULL || (!exact && (key[0] != '@' || key[1] == '\0' || key[1] == '.' ||
                                   !address_domain_matches(address_domain(search->address), key + 1))))
        return;
    while ((word = strtok_r(NULL, separators, &state)) != NULL)
        allowed = allowed || strcasecmp(word, search->login) == 0;
    search->address_known = search->address_known || exact;
    search->address_allowed = search->address_allowed || (exact && allowed);
    search->domain_allowed = search->domain_allowed || (!exact && allowed);
}

/* Lines that begin with a blank continue the one before (postconf(5)): taken for lines of their own, a login
   that looks like an address would become an address. Empty lines and comments stand for nothing. */
static void map_read(struct map_search *search, FILE *file)
{
    struct buf logical = {0};
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) >= 0) {
        const char *first = line + strspn(line, " \t\r\n");
        if (*first == '\0' || *first == '#')
            continue;
        if (first == line) {
            if (logical.len > 0)
                map_line(search, logical.data);
            buf_clear(&logical);
        }
        buf_add_text(&logical, line);
    }
    if (logical.len > 0)
        map_line(search, logical.data);
    buf_free(&logical);
    free(line);
}

bool signer_login_may(const char *map, const char *login, const char *address)
{
    struct map_search search = {.login = login, .address = address};
    FILE *file = fopen(map, "re");
    if (file == NULL) {
        log_event(LOG_LEVEL_WARNING, "sender-login", "file", map, "text", "cannot be read", (char *)NULL);
        return false;
    }
    map_read(&search, file);
    fclose(file);
    return search.address_known ? search.address_allowed : search.domain_allowed;
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

bool signer_from_clear(const struct header *header)
{
    bool clear = !header_hides(header, "From");
    long index;
    for (size_t from = 0; clear && (index = header_next(header, "From", from)) >= 0;
         from = (size_t)index + 1) {
        struct strlist addresses = {0};
        char *value = header_value(header, (size_t)index);
        address_list_parse(value, strlen(value), &addresses, &clear);
        strlist_free(&addresses);
        free(value);
    }
    return clear;
}

static const char unclear[] = "header From can be read in more than one way";

static void decide_own(const struct message *message, const struct direction_client *client,
                       struct signer *signer)
{
    const char *sender = message->envelope.sender;
    if (message->header_from.count != 1 || header_count(&message->mime.root->header, "From") != 1) {
        signer->own_how = "header From does not have exactly one address";
        return;
    }
    if (!signer_from_clear(&message->mime.root->header)) {
        signer->own_how = unclear;
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
    if (signer->order_allowed && !signer_from_clear(&message->mime.root->header)) {
        signer->order_allowed = false;
        signer->order_how = unclear;
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
