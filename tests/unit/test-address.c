#include "unit.h"

#include "mail/address.h"
#include "mail_input.h"
#include "util/buf.h"

static const struct {
    const char *address;
    const char *normal; /* NULL: not valid */
} normals[] = {
    {"user@example.com", "user@example.com"},
    {"User@EXAMPLE.com", "user@example.com"},
    {"USER@example.com.", "user@example.com"},
    {"\"user\"@example.com", "user@example.com"},
    {"\"us\\er\"@example.com", "user@example.com"},
    {"\"a b\"@example.com", "\"a b\"@example.com"},
    {"\"a@b\"@example.com", "\"a@b\"@example.com"},
    {"\"a\\\"b\"@example.com", "\"a\\\"b\"@example.com"},
    {"\"-x\"@example.com", "\"-x\"@example.com"},
    {"-x@example.com", NULL},
    {"-x", NULL},
    {"b\303\274ro@b\303\234cher.example", "b\303\274ro@xn--bcher-kva.example"},
    {"x@XN--BCHER-KVA.example", "x@xn--bcher-kva.example"},
    {"x@M\303\274nchen.DE", "x@xn--mnchen-3ya.de"},
    {"x@\344\276\213\345\255\220\343\200\202\346\265\213\350\257\225", "x@xn--fsqu00a.xn--0zwm56d"},
    {"x@\357\274\245x.example", "x@ex.example"}, /* fullwidth E */
    {"\303\204\303\226@x.example", "\303\244\303\266@x.example"},
    {"x@[192.0.2.1]", "x@[192.0.2.1]"},
    {"x@[IPv6:2001:DB8::1]", "x@[ipv6:2001:db8::1]"},
    {"x@[192.0.2.1", NULL},
    {"a.b+c=d/e@x.example", "a.b+c=d/e@x.example"},
    {"a..b@docomo.example", "a..b@docomo.example"},
    {"", NULL},
    {"@x.example", NULL},
    {"x@", NULL},
    {"x@.example", NULL},
    {"x@a..example", NULL},
    {"x@y@z.example", NULL},
    {"a b@x.example", NULL},
    {"a\tb@x.example", NULL},
    {"a\nb@x.example", NULL},
    {"\"a\nb\"@x.example", NULL},
    {"\"a@x.example", NULL},
    {"\"a\\", NULL},
    {"\"\"@x.example", "\"\"@x.example"},
    {"a<b@x.example", NULL},
    {"a,b@x.example", NULL},
    {"x@exa mple", NULL},
    {"x@exa\\mple", NULL},
    {"x@exa/mple", NULL},
    {"x@\377.example", NULL},
    {"\300\257@x.example", NULL}, /* overlong */
    {"local", "local"},
    {"x@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
     "x@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"},
    {"x@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", NULL},
};

START_TEST(test_normalise)
{
    for (size_t i = 0; i < ROWS(normals); i++) {
        char *normal = address_normalise(normals[i].address);

        if (normals[i].normal == NULL)
            ck_assert_msg(normal == NULL, "row %zu: %s taken as %s", i, normals[i].address, normal);
        else
            ck_assert_msg(normal != NULL && strcmp(normal, normals[i].normal) == 0, "row %zu: %s became %s",
                          i, normals[i].address, normal == NULL ? "(invalid)" : normal);
        free(normal);
    }
}
END_TEST

START_TEST(test_valid)
{
    char *longest = malloc(ADDRESS_MAX + 2);

    ck_assert(!address_valid("local", false));
    ck_assert(address_valid("local", true));
    memset(longest, 'a', ADDRESS_MAX + 1);
    strcpy(longest + ADDRESS_MAX - 9, "@x.example");
    ck_assert(!address_valid(longest, false));
    ck_assert(address_valid(longest + 1, false));
    free(longest);
}
END_TEST

static const struct {
    const char *domain, *pattern;
    bool match;
} domains[] = {
    {"x.example", "x.example", true},
    {"X.Example", "x.example", true},
    {"a.x.example", "x.example", false},
    {"a.x.example", ".x.example", true},
    {"x.example", ".x.example", true},
    {"ax.example", ".x.example", false},
    {"x.example.evil.example", "x.example", false},
    {"anything", ".", true},
    {"b\303\274cher.example", "xn--bcher-kva.example", true},
    {"a.xn--bcher-kva.example", ".B\303\234CHER.example", true},
    {"", "x.example", false},
    {"x.example", "", false},
};

START_TEST(test_domains)
{
    struct strlist list = {0};

    for (size_t i = 0; i < ROWS(domains); i++)
        ck_assert_msg(address_domain_matches(domains[i].domain, domains[i].pattern) == domains[i].match,
                      "row %zu", i);
    ck_assert_str_eq(address_domain("\"a@b\"@c.example"), "c.example");
    ck_assert_str_eq(address_domain("local"), "");
    strlist_add(&list, "y.example");
    strlist_add(&list, ".x.example");
    ck_assert(address_in_domains("u@a.X.example", &list));
    ck_assert(!address_in_domains("u@a.y.example", &list));
    ck_assert(!address_in_domains("local", &list));
    strlist_free(&list);
    ck_assert(address_equal("\"A\"@B\303\234CHER.example", "a@xn--bcher-kva.example"));
    ck_assert(!address_equal("not valid", "not valid"));
}
END_TEST

static const struct {
    const char *value;
    const char *addresses; /* with ';' behind each */
    bool clean;
} lists[] = {
    {"a@x.example", "a@x.example;", true},
    {"Anna A <a@x.example>", "a@x.example;", true},
    {"\"A, B\" <a@x.example>, b@y.example", "a@x.example;b@y.example;", true},
    {"a @ x . example", "a@x.example;", true},
    {"a@x.example (Anna, (nested) b@y.example)", "a@x.example;", true},
    {"(c) a (c) @ (c) x.example", "a@x.example;", true},
    {"Group: a@x.example, B <b@y.example>; , c@z.example", "a@x.example;b@y.example;c@z.example;", true},
    {"undisclosed-recipients:;", "", true},
    {"", "", true},
    {" , ,", "", true},
    {"<@r.example,@s.example:a@x.example>", "a@x.example;", false},
    {"a@x.example <b@y.example>", "b@y.example;", false},
    {"\"a@x.example\" <b@y.example>", "b@y.example;", true},
    {"a@x.example b@y.example", "", false},
    {"Anna a@x.example", "", false},
    {"<a@x.example", "a@x.example;", false},
    {"<a@x.example> <b@y.example>", "b@y.example;", false},
    {"<a@x.example> trailing", "a@x.example;", false},
    {"<>", "", false},
    {"\"unclosed <a@x.example>", "", false},
    {"(unclosed a@x.example", "", false},
    {"\"a b\"@x.example", "\"a b\"@x.example;", true},
    {"=?utf-8?q?Anna?= <a@x.example>", "a@x.example;", true},
    {"=?utf-8?q?b=40y.example=00?=@x.example", "=?utf-8?q?b=40y.example=00?=@x.example;", false},
    {"a@x.example\r\n\t, b@y.example", "a@x.example;b@y.example;", true},
    {"Group: a@x.example", "a@x.example;", false},
    {"a@x.example;", "a@x.example;", false},
    {"local", "local;", true},
    {"\\", "", false},
};

START_TEST(test_list)
{
    for (size_t i = 0; i < ROWS(lists); i++) {
        size_t len = strlen(lists[i].value);
        char *value = input_exact(lists[i].value, len);
        struct strlist found = {0};
        struct buf text = {0};
        bool clean = false;

        address_list_parse(value, len, &found, &clean);
        for (size_t k = 0; k < found.count; k++)
            buf_printf(&text, "%s;", found.items[k]);
        ck_assert_msg(strcmp(buf_text(&text), lists[i].addresses) == 0, "row %zu: %s", i, buf_text(&text));
        ck_assert_msg(clean == lists[i].clean, "row %zu: clean %d", i, clean);
        buf_free(&text);
        strlist_free(&found);
        free(value);
    }
}
END_TEST

START_TEST(test_list_nul)
{
    struct strlist found = {0};
    bool clean = true;

    address_list_parse("a@x.example\0, b@y.example", 24, &found, &clean);
    ck_assert(!clean);
    ck_assert_uint_eq(found.count, 2);
    strlist_free(&found);
}
END_TEST

/* How others read these was found by giving them to ten parsers. */
static const struct {
    const char *value;
    bool plain;
} plains[] = {
    {"a@x.example", true},
    {" a@x.example ", true},
    {"<a@x.example>", true},
    {"< a@x.example >", true},
    {"Eva Example <a@x.example>", true},
    {"\"Example, Eva\" <a@x.example>", true},
    {"\"<b@y.example>, \\\"\" <a@x.example> (<b@y.example>, \")", true},
    {"Eva \"E.\" O'Neil-Example =?utf-8?q?x?= <a@x.example>", true},
    {"[EXT] Dr. Eva <a@x.example>", true},
    {"a@x.example (Eva)", true},
    {"(Eva) a@x.example", true},
    {"Eva (x) <a@x.example> (y)", true},
    {"<b@x.example>", false},
    {"a@x.example.y", false},
    {"<a@x.example.y>", false},
    {"<a @x.example>", false},
    {"<a@x. example>", false},
    {"<a@(b)x.example>", false},
    {"a @ x.example", false},
    {"a@x.example(b).y", true}, /* not what address_list_parse() finds there */
    {"<@r.example:a@x.example>", false},
    {"Eva: a@x.example;", false},
    {"Eva:a@x.example", false},
    {"<a@x.example>,", false},
    {"<a@x.example>;", false},
    {"<a@x.example> <a@x.example>", false},
    {"<<a@x.example>>", false},
    {"<a@x.example", false},
    {"b@y.example <a@x.example>", false},
    {"\"b\"@y.example <a@x.example>", false},
    {"Example, Eva <a@x.example>", false},
    {"Eva ) <a@x.example>", false},
    {"Eva (x <a@x.example>", false},
    {"Eva ((x)) <a@x.example>", false},
    {"Eva \"x <a@x.example>", false},
    {"Eva \\x <a@x.example>", false},
    {"E]va <a@x.example>", false},
    {"[Eva <a@x.example>", false},
    {"[[Eva]] <a@x.example>", false},
    {"Eva\v <a@x.example>", false},
    {"Eva\r <a@x.example>", false},
    {"Eva\177 <a@x.example>", false},
    {"", false},
};

START_TEST(test_plain)
{
    for (size_t i = 0; i < ROWS(plains); i++)
        ck_assert_msg(address_is_plain(plains[i].value, "a@x.example") == plains[i].plain, "row %zu: %s", i,
                      plains[i].value);
    ck_assert(address_is_plain("\"a b\"@x.example", "\"a b\"@x.example"));
    ck_assert(address_is_plain("Eva <\"a b\"@x.example>", "\"a b\"@x.example"));
}
END_TEST

UNIT_MAIN("address", test_normalise, test_valid, test_domains, test_list, test_list_nul, test_plain)
