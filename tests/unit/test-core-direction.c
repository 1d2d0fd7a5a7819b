#include "core/direction.h"

#include <string.h>

#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

#define BODY "Subject: x\n\nx\n"

START_TEST(the_table)
{
    static const struct {
        const char *client, *sender, *recipient;
        enum direction direction;
    } rows[] = {
        {"192.0.2.99", "a@x.example", "u@behoerde.de", DIRECTION_INTERNAL}, /* scanner */
        {"192.0.2.99", "a@x.example", "b@y.example", DIRECTION_OUTGOING},
        {"10.9.9.9", "a@x.example", "b@y.example", DIRECTION_OUTGOING}, /* scanner and internal */
        {"10.1.2.3", "u@behoerde.de", "v@behoerde.de", DIRECTION_INTERNAL},
        {"10.1.2.3", "u@behoerde.de", "v@sub.intern.example", DIRECTION_INTERNAL},
        {"10.1.2.3", "u@behoerde.de", "v@intern.example", DIRECTION_INTERNAL},
        {"10.1.2.3", "u@behoerde.de", "v@sub.behoerde.de", DIRECTION_OUTGOING}, /* exactly behoerde.de */
        {"10.1.2.3", "u@behoerde.de", "b@behoerde.de.evil.example", DIRECTION_OUTGOING},
        {"10.1.2.3", "", "b@y.example", DIRECTION_OUTGOING},
        {"IPv6:2001:db8:1::5", "u@behoerde.de", "b@y.example", DIRECTION_OUTGOING},
        {"ipv6:2001:0db8:0001:0:0:0:0:5", "u@behoerde.de", "b@y.example", DIRECTION_OUTGOING},
        {"2001:db8:2::5", "u@behoerde.de", "b@y.example", DIRECTION_REFUSED},
        {"::ffff:10.1.2.3", "u@behoerde.de", "b@y.example",
         DIRECTION_OUTGOING}, /* an IPv4 address all the same */
        {"127.0.0.1", "", "b@y.example", DIRECTION_NOTICE},
        {"IPv6:0:0:0:0:0:0:0:1", "", "u@behoerde.de", DIRECTION_NOTICE},
        {"127.0.0.1", "u@behoerde.de", "b@y.example",
         DIRECTION_REFUSED}, /* loopback is not internal by itself */
        {"198.51.100.1", "a@x.example", "u@behoerde.de", DIRECTION_INCOMING},
        {"198.51.100.1", "a@x.example", "U@BEHOERDE.DE", DIRECTION_INCOMING},
        {"198.51.100.1", "", "u@behoerde.de", DIRECTION_INCOMING},
        {"198.51.100.1", "u@behoerde.de", "b@y.example", DIRECTION_REFUSED},
        {"198.51.100.1", "", "b@y.example", DIRECTION_REFUSED},
    };
    struct core core;
    core_set_up(&core, "", NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct direction_client client;
        core_message(&core, BODY, strlen(BODY), rows[i].client, rows[i].sender);
        ck_assert_msg(direction_client_find(&core.message, &client, &core.outcome), "row %zu", i);
        enum direction got = direction_of(&core.config, &client, rows[i].sender, rows[i].recipient);
        ck_assert_msg(got == rows[i].direction, "row %zu: %s", i, direction_name(got));
    }
    core_tear_down(&core);
}
END_TEST

START_TEST(empty_client)
{
    static const struct {
        const char *peer, *received;
        const char *found; /* an address, "local", or NULL: undecidable */
    } rows[] = {
        {"localhost [127.0.0.1]", NULL, "127.0.0.1"},
        {"[IPv6:2001:db8:1::7]", NULL, "2001:db8:1::7"},
        {"x[10.1.1.1]@evil.example [198.51.100.1] (may be forged)", NULL, "198.51.100.1"},
        {"root@localhost", NULL, "local"},
        {"root@gw.behoerde.de", NULL, "local"},
        {"root@evil.example", NULL, NULL},
        {"localhost", NULL, "local"},
        {"localhost.evil.example", NULL, NULL},
        {"", NULL, NULL},
        {NULL, NULL, NULL},
        {NULL, "from h.example (h.example [10.1.2.3])\n\tby gw.behoerde.de (Postfix) with ESMTP id X; date",
         "10.1.2.3"},
        {NULL, "from h (h [IPv6:2001:db8:1::9])\n by GW.behoerde.de (8.17.1/8.17.1) id X", "2001:db8:1::9"},
        {NULL,
         "from h (h [10.1.2.3]) (using TLSv1.3 (x)) (Authenticated sender: u) by gw.behoerde.de (Postfix)",
         "10.1.2.3"},
        {NULL, "by gw.behoerde.de (Postfix, from userid 0) id X; date", "local"},
        {NULL, "(from root@localhost) by gw.behoerde.de (8.17.1/Submit) id X", "local"},
        {NULL, "from localhost (localhost) by gw.behoerde.de (8.17.1/8.17.1) id X", "local"},
        {NULL,
         "from x ([10.1.2.3])\n\t(authenticated bits=0)\n\tby gw.behoerde.de (8.17.1/8.17.1) with ESMTPSA id "
         "X",
         "10.1.2.3"},
        {NULL,
         "from x (n.example [10.1.2.3] (may be forged))\n\tby gw.behoerde.de (8.17.1/8.17.1) with SMTP id X",
         "10.1.2.3"},
        {NULL, "from x (u@n.example [10.1.2.3])\n\tby gw.behoerde.de (8.17.1/8.17.1) with SMTP id X",
         "10.1.2.3"},
        /* another host's word */
        {NULL, "from localhost (localhost) by evil.example (8.17.1/8.17.1) id X", NULL},
        {NULL, "from localhost (localhost [198.51.100.1]) by gw.behoerde.de (8.17.1) id X", "198.51.100.1"},
        {NULL, "from x (localhost) (evil [198.51.100.1]) by evil.example", NULL},
        {NULL, "from h.example (h.example [10.1.2.3]) by evil.example (Postfix)", NULL},
        {NULL, "from h.example (h.example [10.1.2.3]) by gw.behoerde.de.evil.example (Postfix)", NULL},
        {NULL, "by evil.example (Postfix, from userid 0)", NULL},
        /* a HELO that looks like the rest */
        {NULL, "from ([10.1.1.1]) by gw.behoerde.de (x) (evil [198.51.100.1]) by gw.behoerde.de", NULL},
        {NULL, "from [10.1.1.1] ([198.51.100.1]) by gw.behoerde.de (Postfix)", "198.51.100.1"},
        {NULL, "from a by gw.behoerde.de (evil [198.51.100.1]) by gw.behoerde.de", NULL},
        {NULL, "from h (h [10.1.2.3) by gw.behoerde.de", NULL},
        {NULL, "from h (h [10.1.2.3] by gw.behoerde.de", NULL},
    };
    struct core core;
    core_set_up(&core, "", NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct direction_client client;
        struct network_address wanted;
        char *text = mem_printf("%s%s%sReceived: from z ([10.3.3.3]) by gw.behoerde.de\n" BODY,
                                rows[i].received != NULL ? "Received: " : "X: ",
                                rows[i].received != NULL ? rows[i].received : "y", "\n");
        if (rows[i].received == NULL)
            *strstr(text, "Received: from z") = 'X';
        core_message(&core, text, strlen(text), "", "a@x.example");
        core.message.envelope.peer =
            rows[i].peer != NULL && rows[i].peer[0] != '\0' ? mem_strdup(rows[i].peer) : NULL;
        bool found = direction_client_find(&core.message, &client, &core.outcome);
        ck_assert_msg(found == (rows[i].found != NULL), "row %zu: %s", i, core.outcome.text);
        ck_assert_msg(found || core.outcome.kind == OUTCOME_TEMPORARY, "row %zu", i);
        if (found && strcmp(rows[i].found, "local") == 0) {
            ck_assert_msg(client.local, "row %zu", i);
        } else if (found) {
            ck_assert(network_address_parse(rows[i].found, &wanted));
            ck_assert_msg(!client.local && client.address.family == wanted.family &&
                              memcmp(client.address.octets, wanted.octets, 4) == 0,
                          "row %zu", i);
        }
        free(text);
    }
    core_tear_down(&core);
}
END_TEST

START_TEST(local_submission)
{
    static const struct direction_client local = {.local = true};
    struct core core;
    core_set_up(&core, "", NULL);
    ck_assert_int_eq(direction_of(&core.config, &local, "u@behoerde.de", "b@y.example"), DIRECTION_OUTGOING);
    ck_assert_int_eq(direction_of(&core.config, &local, "u@behoerde.de", "v@behoerde.de"),
                     DIRECTION_INTERNAL);
    ck_assert_int_eq(direction_of(&core.config, &local, "", "b@y.example"), DIRECTION_NOTICE);
    ck_assert_int_eq(direction_of(&core.config, &local, "u@behoerde.de", "root"),
                     DIRECTION_INTERNAL); /* root@gw... */
    core_tear_down(&core);
    core_set_up(&core, "LOCAL_SUBMISSION = refuse\n", NULL);
    ck_assert_int_eq(direction_of(&core.config, &local, "u@behoerde.de", "b@y.example"), DIRECTION_REFUSED);
    ck_assert_int_eq(direction_of(&core.config, &local, "", "b@y.example"), DIRECTION_NOTICE);
    core_tear_down(&core);
}
END_TEST

UNIT_MAIN("core-direction", the_table, empty_client, local_submission)
