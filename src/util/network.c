#include "util/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define NETWORK_TEXT_MAX 64 /* "[IPv6:" + INET6_ADDRSTRLEN + "]" fits */
#define MAPPED_PREFIX    96 /* ::ffff:0:0/96 (RFC 4291 section 2.5.5.2) */

static bool is_mapped(const unsigned char *octets)
{
    static const unsigned char prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return memcmp(octets, prefix, sizeof(prefix)) == 0;
}

/* Takes one address without brackets, prefix or zone. `mapped_r` tells that it was an IPv4-mapped IPv6
 * address. */
static bool parse_bare(const char *text, struct network_address *address_r, bool *mapped_r)
{
    *address_r = (struct network_address){0};
    *mapped_r = false;
    if (inet_pton(AF_INET, text, address_r->octets) == 1) {
        address_r->family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, text, address_r->octets) != 1)
        return false;
    address_r->family = AF_INET6;
    if (is_mapped(address_r->octets)) {
        memmove(address_r->octets, address_r->octets + 12, 4);
        memset(address_r->octets + 4, 0, 12);
        address_r->family = AF_INET;
        *mapped_r = true;
    }
    return true;
}

static bool parse_address(const char *text, size_t len, struct network_address *address_r, bool *mapped_r)
{
    char bare[NETWORK_TEXT_MAX];
    bool must_be_6 = false;
    const char *zone;

    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len > 5 && strncasecmp(text, "IPv6:", 5) == 0) {
        must_be_6 = true;
        text += 5;
        len -= 5;
    }
    zone = memchr(text, '%', len);
    if (zone != NULL)
        len = (size_t)(zone - text);
    if (len >= sizeof(bare) || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(bare, text, len);
    bare[len] = '\0';
    return parse_bare(bare, address_r, mapped_r) &&
           (address_r->family == AF_INET6 || ((!must_be_6 || *mapped_r) && zone == NULL));
}

bool network_address_parse(const char *text, struct network_address *address_r)
{
    bool mapped;

    return parse_address(text, strlen(text), address_r, &mapped);
}

void network_address_text(const struct network_address *address, char text[NETWORK_ADDRESS_TEXT])
{
    if (inet_ntop(address->family, address->octets, text, NETWORK_ADDRESS_TEXT) == NULL)
        text[0] = '\0';
}

bool network_address_is_loopback(const struct network_address *address)
{
    static const unsigned char loopback6[16] = {[15] = 1};

    if (address->family == AF_INET)
        return address->octets[0] == 127;
    return address->family == AF_INET6 && memcmp(address->octets, loopback6, sizeof(loopback6)) == 0;
}

static bool parse_bits(const char *text, unsigned int *bits_r)
{
    unsigned int bits = 0;

    if (*text == '\0' || strlen(text) > 3)
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        bits = bits * 10 + (unsigned int)(*text - '0');
    *bits_r = bits;
    return *text == '\0';
}

static bool host_bits_clear(const struct network *network)
{
    unsigned int total = network->address.family == AF_INET ? 32 : 128;

    for (unsigned int bit = network->bits; bit < total; bit++)
        if ((network->address.octets[bit / 8] & (0x80u >> (bit % 8))) != 0)
            return false;
    return true;
}

static const char *network_fault(const char *text, struct network *network)
{
    size_t len = strcspn(text, "/");
    bool mapped = false;
    unsigned int total;

    *network = (struct network){0};
    if (!parse_address(text, len, &network->address, &mapped))
        return "is not an IP address";
    total = network->address.family == AF_INET && !mapped ? 32 : 128;
    network->bits = total;
    if (text[len] == '/' && !parse_bits(text + len + 1, &network->bits))
        return "has a prefix length that is not a number";
    if (network->bits > total)
        return "has a prefix length beyond the address";
    if (mapped && network->bits < MAPPED_PREFIX)
        return "is an IPv4-mapped network wider than /96, write IPv4 and IPv6 networks apart";
    if (mapped)
        network->bits -= MAPPED_PREFIX;
    return host_bits_clear(network) ? NULL : "has host bits set beyond the prefix length";
}

bool network_parse(const char *text, struct network *network_r, const char **error_r)
{
    *error_r = network_fault(text, network_r);
    return *error_r == NULL;
}

bool network_contains(const struct network *network, const struct network_address *address)
{
    unsigned int whole = network->bits / 8, rest = network->bits % 8;
    unsigned char differ;

    if (network->address.family != address->family ||
        memcmp(network->address.octets, address->octets, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    differ = network->address.octets[whole] ^ address->octets[whole];
    return (differ >> (8 - rest)) == 0;
}

bool network_list_contains(const struct network_list *list, const struct network_address *address)
{
    for (size_t i = 0; i < list->count; i++)
        if (network_contains(&list->items[i], address))
            return true;
    return false;
}

void network_list_free(struct network_list *list)
{
    if (list == NULL)
        return;
    free(list->items);
    *list = (struct network_list){0};
}
