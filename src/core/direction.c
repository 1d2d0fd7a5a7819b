#include "core/direction.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "util/mem.h"

#define OWN_NOTICE "(localhost)" /* a client's comment always has its address */

/* The address in the last [...] of `text`: whatever stands before it may come from the client. */
static bool bracketed_address(const char *text, size_t len, struct network_address *address_r)
{
    const char *close = memrchr(text, ']', len);
    const char *open = close != NULL ? memrchr(text, '[', (size_t)(close - text)) : NULL;
    if (open == NULL)
        return false;
    char *inside = mem_strndup(open + 1, (size_t)(close - open - 1));
    bool ok = network_address_parse(inside, address_r);
    free(inside);
    return ok;
}

/* Sendmail's $_: "user@host [address]", "[address]", "user@localhost" for mail submitted here, or "localhost"
   for a notice that it writes itself. */
static bool client_from_peer(const struct config *config, const char *peer, struct direction_client *client_r)
{
    if (strchr(peer, '[') != NULL)
        return bracketed_address(peer, strlen(peer), &client_r->address);
    const char *at = strrchr(peer, '@');
    client_r->local =
        at != NULL ? strcasecmp(at + 1, "localhost") == 0 || strcasecmp(at + 1, config->myhostname) == 0
                   : strcasecmp(peer, "localhost") == 0;
    return client_r->local;
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* Behind a comment that begins at `p`; NULL when it never ends. */
static const char *skip_comment(const char *p)
{
    int depth = 0;
    for (; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '(')
            depth++;
        else if (*p == ')' && --depth == 0)
            return p + 1;
    }
    return NULL;
}

static bool word_is(const char *p, const char *word)
{
    size_t len = strlen(word);
    return strncasecmp(p, word, len) == 0 && (p[len] == ' ' || p[len] == '\t');
}

/* Comments, then "by MYHOSTNAME". */
static bool written_here(const struct config *config, const char *p)
{
    while (p != NULL && *(p = skip_blanks(p)) == '(')
        p = skip_comment(p);
    if (p == NULL || !word_is(p, "by"))
        return false;
    p = skip_blanks(p + 2);
    size_t len = strcspn(p, " \t;(");
    return len == strlen(config->myhostname) && strncasecmp(p, config->myhostname, len) == 0;
}

/* "from HELO (NAME [ADDRESS]) (...) by HOST ...": the forms Postfix and Sendmail write. HELO is the client's
   own word and must be one word; the first comment is the MTA's. "by HOST ..." and "(from user@localhost) by
   HOST ..." were submitted here, "from localhost (localhost) by HOST ..." is a notice of Sendmail's own. */
static bool client_from_received(const struct config *config, const char *value,
                                 struct direction_client *client_r)
{
    if (!word_is(value, "from")) {
        client_r->local = written_here(config, value);
        return client_r->local;
    }
    const char *helo = skip_blanks(value + 4);
    const char *p = skip_blanks(helo + strcspn(helo, " \t("));
    const char *end = p > helo && *p == '(' ? skip_comment(p) : NULL;
    if (end == NULL || !written_here(config, end))
        return false;
    client_r->local = end - p == sizeof(OWN_NOTICE) - 1 && memcmp(p, OWN_NOTICE, sizeof(OWN_NOTICE) - 1) == 0;
    return client_r->local || bracketed_address(p, (size_t)(end - p), &client_r->address);
}

bool direction_client_find(const struct message *message, struct direction_client *client_r,
                           struct outcome *outcome)
{
    const struct config *config = message->config;
    const struct message_envelope *envelope = &message->envelope;
    memset(client_r, 0, sizeof(*client_r));
    if (envelope->client != NULL && envelope->client[0] != '\0') {
        if (network_address_parse(envelope->client, &client_r->address))
            return true;
        outcome_temporary(outcome, "4.3.5", "-client %s is not an address", envelope->client);
        return false;
    }
    if (envelope->peer != NULL) {
        if (client_from_peer(config, envelope->peer, client_r))
            return true;
    } else if (message->mime.root != NULL) {
        char *received = header_value_of(&message->mime.root->header, "Received");
        bool found = received != NULL && client_from_received(config, received, client_r);
        free(received);
        if (found)
            return true;
    }
    memset(client_r, 0, sizeof(*client_r));
    outcome_temporary(
        outcome, "4.3.5",
        "the client is unknown: -client is empty and %s; is MYHOSTNAME (%s) what the MTA calls itself?",
        envelope->peer != NULL ? "-peer names no address" : "no Received field of this host is on top",
        config->myhostname);
    return false;
}

bool direction_was_scanned(const struct config *config, const struct header *header)
{
    bool found = false;
    for (size_t i = 0; !found && i < header->count; i++) {
        struct direction_client client = {0};
        char *value = header_field_is(header, i, "Received") ? header_value(header, i) : NULL;
        found = value != NULL && client_from_received(config, value, &client) && !client.local &&
                network_list_contains(&config->scanner_clients, &client.address);
        free(value);
    }
    return found;
}

bool direction_recipient_internal(const struct config *config, const char *recipient)
{
    /* A bare local part is an address of this host. */
    return address_domain(recipient)[0] == '\0' || address_in_domains(recipient, &config->internal_domains);
}

enum direction direction_of(const struct config *config, const struct direction_client *client,
                            const char *sender, const char *recipient)
{
    bool inside = direction_recipient_internal(config, recipient);
    bool scanner = !client->local && network_list_contains(&config->scanner_clients, &client->address);
    bool internal = !client->local && network_list_contains(&config->internal_clients, &client->address);
    if (scanner || internal)
        return inside ? DIRECTION_INTERNAL : DIRECTION_OUTGOING;
    if ((client->local || network_address_is_loopback(&client->address)) &&
        (sender == NULL || sender[0] == '\0'))
        return DIRECTION_NOTICE;
    if (client->local && config->local_submission == CONFIG_LOCAL_REFUSE)
        return DIRECTION_REFUSED;
    if (client->local)
        return inside ? DIRECTION_INTERNAL : DIRECTION_OUTGOING;
    return inside ? DIRECTION_INCOMING : DIRECTION_REFUSED;
}

const char *direction_name(enum direction direction)
{
    static const char *const names[] = {"outgoing", "notice",         "internal", "incoming", "refused",
                                        "return",   "fields-missing", "astray",   "refusal"};
    return names[direction];
}

size_t direction_hops(const struct message *message)
{
    return message->mime.root != NULL ? header_count(&message->mime.root->header, "Received") : 0;
}
