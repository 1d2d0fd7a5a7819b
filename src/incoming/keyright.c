#include "incoming/keyright.h"

#include "mail/address.h"

static bool owns(const struct ask_entry *entry, const char *recipient)
{
    for (size_t i = 0; i < entry->addresses.count; i++)
        if (address_equal(entry->addresses.items[i], recipient))
            return true;
    return false;
}

static bool is_gateway(const struct config *config, const struct ask_entry *entry)
{
    if (entry->gateway)
        return true;
    for (size_t i = 0; i < config->gateway_key.count; i++)
        if (owns(entry, config->gateway_key.items[i]))
            return true;
    return false;
}

static bool same_domain(const struct ask_entry *entry, const char *recipient)
{
    const char *domain = address_domain(recipient);

    for (size_t i = 0; *domain != '\0' && i < entry->addresses.count; i++) {
        const char *own = address_domain(entry->addresses.items[i]);

        if (*own != '\0' && address_domain_matches(domain, own))
            return true;
    }
    return false;
}

bool keyright_allows(const struct config *config, const struct ask_entry *entry, const char *recipient)
{
    if (entry->key == NULL)
        return false;
    if (owns(entry, recipient))
        return true;
    if (!is_gateway(config, entry))
        return false;
    return entry->addresses.count == 0 || same_domain(entry, recipient);
}
