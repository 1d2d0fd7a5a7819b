#include "util/network.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/unit.h"

START_TEST(addresses)
{
    static const struct {
        const char *text;
        const char *shown; /* NULL: refused */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"[192.0.2.1]", "192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:DB8::1]", "2001:db8::1"},
        {"IPv6:2001:db8::1", "2001:db8::1"},
        {"ipv6:2001:db8:0:0:0:0:0:1", "2001:db8::1"},
        {"[IPv6:2001:db8::1]", "2001:db8::1"},
        {"IPv6:0:0:0:0:0:0:0:1", "::1"},
        {"IPv6:::1", "::1"},
        {"fe80::1%eth0", "fe80::1"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"IPv6:::ffff:192.0.2.7", "192.0.2.7"},
        {"", NULL},
        {"[]", NULL},
        {"IPv6:", NULL},
        {"IPv6:192.0.2.1", NULL},
        {"192.0.2.1%eth0", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.01.5", NULL},
        {"2001:db8::1::2", NULL},
        {"[2001:db8::1", NULL},
        {"unknown", NULL},
        {"192.0.2.1 ", NULL},
        {"2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", NULL},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct network_address address;
        char shown[INET6_ADDRSTRLEN] = "";
        bool right = network_address_parse(rows[i].text, &address);

        ck_assert_msg(right == (rows[i].shown != NULL), "row %zu %s", i, rows[i].text);
        if (!right)
            continue;
        inet_ntop(address.family, address.octets, shown, sizeof(shown));
        ck_assert_msg(strcmp(shown, rows[i].shown) == 0, "row %zu %s: %s", i, rows[i].text, shown);
    }
}
END_TEST

START_TEST(loopback)
{
    static const struct {
        const char *text;
        bool loopback;
    } rows[] = {{"127.0.0.1", true},
                {"127.8.9.1", true},
                {"IPv6:::1", true},
                {"::ffff:127.0.0.1", true},
                {"IPv6:0:0:0:0:0:0:0:1", true},
                {"128.0.0.1", false},
                {"::2", false},
                {"7f00::1", false}};

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct network_address address;

        ck_assert(network_address_parse(rows[i].text, &address));
        ck_assert_msg(network_address_is_loopback(&address) == rows[i].loopback, "row %zu", i);
    }
}
END_TEST

START_TEST(containment)
{
    static const struct {
        const char *network, *address;
        bool contains;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"192.0.2.0/25", "192.0.2.127", true},
        {"192.0.2.0/25", "192.0.2.128", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"[2001:db8::]/33", "2001:db8:8000::1", false},
        {"[2001:db8::1]", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"::ffff:10.0.0.0/104", "10.1.2.3", true},
        {"::ffff:10.0.0.1", "10.0.0.1", true},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct network network;
        struct network_address address;
        const char *error;

        ck_assert_msg(network_parse(rows[i].network, &network, &error), "row %zu: %s", i, error);
        ck_assert(network_address_parse(rows[i].address, &address));
        ck_assert_msg(network_contains(&network, &address) == rows[i].contains, "row %zu", i);
    }
}
END_TEST

START_TEST(faults)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"10.0.0.1/8", "has host bits set beyond the prefix length"},
        {"10.0.0.0/33", "has a prefix length beyond the address"},
        {"10.0.0.0/", "has a prefix length that is not a number"},
        {"10.0.0.0/8x", "has a prefix length that is not a number"},
        {"10.0.0.0/-8", "has a prefix length that is not a number"},
        {"10.0.0.0/0008", "has a prefix length that is not a number"},
        {"2001:db8::/129", "has a prefix length beyond the address"},
        {"::ffff:0:0/90", "is an IPv4-mapped network wider than /96, write IPv4 and IPv6 networks apart"},
        {"example.org", "is not an IP address"},
        {"", "is not an IP address"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct network network;
        const char *error;

        ck_assert_msg(!network_parse(rows[i].text, &network, &error), "row %zu", i);
        ck_assert_msg(strcmp(error, rows[i].error) == 0, "row %zu: %s", i, error);
    }
}
END_TEST

UNIT_MAIN("network", addresses, loopback, containment, faults)
