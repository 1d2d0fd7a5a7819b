/* IP addresses and CIDR networks, compared as addresses, not text. An IPv4-mapped IPv6 address equals the
 * IPv4 one. */
#ifndef JULIA_NETWORK_H
#define JULIA_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct network_address {
    int family;               /* AF_INET or AF_INET6 */
    unsigned char octets[16]; /* 4 used for AF_INET */
};

struct network {
    struct network_address address;
    unsigned int bits; /* prefix length */
};

struct network_list {
    struct network *items;
    size_t count;
};

/* Takes 192.0.2.1, 2001:db8::1, [2001:db8::1], and the MTAs' IPv6:2001:db8::1 (any letter case, full or short
   form). A zone (%eth0) is cut off. */
bool network_address_parse(const char *text, struct network_address *address_r);
/* The usual short form, without brackets. */
#define NETWORK_ADDRESS_TEXT 46 /* INET6_ADDRSTRLEN */
void network_address_text(const struct network_address *address, char text[NETWORK_ADDRESS_TEXT]);
bool network_address_is_loopback(const struct network_address *address);
/* ADDRESS or ADDRESS/BITS; host bits set beyond the prefix are an error. error_r (static text) says what is
 * wrong. */
bool network_parse(const char *text, struct network *network_r, const char **error_r);
bool network_contains(const struct network *network, const struct network_address *address);
bool network_list_contains(const struct network_list *list, const struct network_address *address);
void network_list_free(struct network_list *list);

#endif
