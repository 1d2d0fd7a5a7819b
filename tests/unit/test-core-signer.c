#include "outgoing/signer.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"
#include "util/fdio.h"
#include "util/mem.h"

struct row {
    const char *from, *sender, *auth, *client;
    bool own, order;
};

static void check(struct core *core, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct direction_client client;
        struct signer signer;
        char *text = mem_printf("%s\nSubject: x\n\nx\n", rows[i].from);
        core_message(core, text, strlen(text), rows[i].client, rows[i].sender);
        core->message.envelope.auth = mem_strdup(rows[i].auth);
        ck_assert(direction_client_find(&core->message, &client, &core->outcome));
        signer_decide(&core->message, &client, &signer);
        ck_assert_msg(signer.own_allowed == rows[i].own, "row %zu: %s", i, signer.own_how);
        ck_assert_msg(signer.order_allowed == rows[i].order, "row %zu: %s", i, signer.order_how);
        ck_assert_ptr_nonnull(signer.own_how);
        signer_free(&signer);
        free(text);
    }
}

START_TEST(envelope_and_header)
{
    static const struct row rows[] = {
        {"From: U <u@behoerde.de>", "u@behoerde.de", NULL, "10.0.0.1", true, true},
        {"From: U <U@Behoerde.DE>", "u@behoerde.de", NULL, "10.0.0.1", true, true},
        {"From: u@behoerde.de", "v@behoerde.de", NULL, "10.0.0.1", false, true},
        {"From: u@behoerde.de", "", NULL, "10.0.0.1", false, true},
        {"From: u@behoerde.de, v@behoerde.de", "u@behoerde.de", NULL, "10.0.0.1", false, true},
        {"From: u@behoerde.de\nFrom: u@behoerde.de", "u@behoerde.de", NULL, "10.0.0.1", false, true},
        {"From: u@behoerde.de, x@evil.example", "u@behoerde.de", NULL, "10.0.0.1", false, false},
        {"From: x@evil.example", "x@evil.example", NULL, "10.0.0.1", true, false},
        {"X: y", "u@behoerde.de", NULL, "10.0.0.1", false, false},
        {"From: \"u@behoerde.de\" <x@evil.example>", "u@behoerde.de", NULL, "10.0.0.1", false, false},
        {"From: u@behoerde.de <u@behoerde.de>", "u@behoerde.de", NULL, "10.0.0.1", true, true},
        {"From: v@behoerde.de <u@behoerde.de>", "u@behoerde.de", NULL, "10.0.0.1", false, false},
        {"From: u@behoerde.de\rFrom: v@behoerde.de", "u@behoerde.de", NULL, "10.0.0.1", false, false},
        {"X: y\rFrom: v@behoerde.de\nFrom: u@behoerde.de", "u@behoerde.de", NULL, "10.0.0.1", false, false},
        {"From: <v@behoerde.de> <u@behoerde.de>", "u@behoerde.de", NULL, "10.0.0.1", false, false},
        {"From: G: u@behoerde.de;", "u@behoerde.de", NULL, "10.0.0.1", true, true},
        {"From: u@behoerde.de", "v@behoerde.de", "u@behoerde.de", "10.0.0.1", true,
         true}, /* the login's own address */
        {"From: u@behoerde.de", "v@behoerde.de", "v@behoerde.de", "10.0.0.1", false, true},
    };
    struct core core;
    core_set_up(&core, "", NULL);
    check(&core, rows, ROWS(rows));
    core_tear_down(&core);
}
END_TEST

START_TEST(application_servers)
{
    static const struct row rows[] = {
        {"From: u@behoerde.de", "app@behoerde.de", NULL, "10.0.0.7", true, true},
        {"From: v@behoerde.de", "app@behoerde.de", NULL, "10.0.0.7", false, true},
        {"From: v@team.behoerde.de", "app@behoerde.de", NULL, "10.0.1.9", true, false},
        {"From: v@x.team.behoerde.de", "app@behoerde.de", NULL, "10.0.1.9", false, false},
        {"From: u@behoerde.de", "app@behoerde.de", NULL, "10.0.0.8", false, true},
        {"From: z@sub.shop.example", "app@behoerde.de", NULL, "IPv6:2001:db8:1::5", true, false},
    };
    struct core core;
    core_set_up(
        &core,
        "SIGN_AS = 10.0.0.7 u@behoerde.de; 10.0.1.0/24 team.behoerde.de;\n 2001:db8:1::/64 .shop.example;\n",
        NULL);
    check(&core, rows, ROWS(rows));
    core_tear_down(&core);
}
END_TEST

START_TEST(check_switched_off)
{
    static const struct row rows[] = {
        {"From: u@behoerde.de", "v@behoerde.de", NULL, "10.0.0.1", true, true},
        {"From: u@behoerde.de, v@behoerde.de", "u@behoerde.de", NULL, "10.0.0.1", false, true},
    };
    struct core core;
    core_set_up(&core, "SIGNER_CHECK = no\n", NULL);
    check(&core, rows, ROWS(rows));
    core_tear_down(&core);
}
END_TEST

START_TEST(login_map)
{
    static const char map[] = "# addresses and logins\n"
                              "u@behoerde.de       ute, boss\n"
                              "@team.behoerde.de   team\n"
                              "#v@behoerde.de ute\n"
                              "@ anyone\n"
                              "\n"
                              "shared@behoerde.de  alice@behoerde.de,\n"
                              "   # who else\n"
                              "\n"
                              "\tboss@behoerde.de mallory@behoerde.de\n"
                              "@own.behoerde.de    anna\n"
                              "boss@own.behoerde.de boss\n";
    static const struct {
        const char *login, *address;
        bool may;
    } rows[] = {
        {"ute", "u@behoerde.de", true},
        {"UTE", "U@behoerde.de", true},
        {"boss", "u@behoerde.de", true},
        {"ute", "v@behoerde.de", false},
        {"team", "x@team.behoerde.de", true},
        {"team", "x@sub.team.behoerde.de", false},
        {"ute,", "u@behoerde.de", false},
        {"anyone", "u@behoerde.de", false},
        {"u@behoerde.de", "u@behoerde.de", false},
        {"mallory@behoerde.de", "boss@behoerde.de",
         false}, /* no line of its own: it continues the one before */
        {"mallory@behoerde.de", "shared@behoerde.de", true},
        {"boss@behoerde.de", "shared@behoerde.de", true},
        {"anna", "x@own.behoerde.de", true},
        {"anna", "boss@own.behoerde.de", false}, /* the address itself has a line */
        {"boss", "boss@own.behoerde.de", true},
    };
    char path[] = "/tmp/test-core-map.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(fdio_write_all(fd, map, strlen(map)), 0);
    fdio_close(&fd);
    for (size_t i = 0; i < ROWS(rows); i++)
        ck_assert_msg(signer_login_may(path, rows[i].login, rows[i].address) == rows[i].may, "row %zu", i);
    remove(path);
    ck_assert(!signer_login_may(path, "ute", "u@behoerde.de"));
}
END_TEST

UNIT_MAIN("core-signer", envelope_and_header, application_servers, check_switched_off, login_map)
