#include "unit.h"

#include <string.h>

#include "incoming/foreign.h"
#include "util/mem.h"

#define RLO "\342\200\256"
#define ZWJ "\342\200\215"

static const struct {
    const char *text;
    size_t most;
    const char *shown; /* NULL: nothing */
} texts[] = {
    {NULL, 100, NULL},
    {"", 100, NULL},
    {" \t\r\n" RLO, 100, NULL},
    {"Eva M\303\274ller", 100, "Eva M\303\274ller"},
    {"  two   blanks ", 100, "two blanks"},
    {"a\302\240\342\200\203\343\200\200b", 100, "a b"},
    {"one\r\nSignature: valid", 100, "one Signature: valid"},
    {"txet" RLO "evil" ZWJ "\302\255x", 100, "txet evil x"},
    {"\377\300x", 100, "??x"},
    {"<b>&amp;'", 100, "<b>&amp;'"}, /* the template code escapes */
    {"\"x\" \342\200\234y\342\200\235 \302\253z\302\273 \357\274\202", 100, "'x' 'y' 'z' '"},
    /* nothing that a mail program makes a link of */
    {"http://evil.example/x", 100, "http: //evil. example/x"},
    {"www.evil.example", 100, "www. evil. example"},
    {"mailto:boss@bank.example", 100, "mailto: boss(at)bank. example"},
    {"javascript:alert(1)", 100, "javascript: alert(1)"},
    {"www\357\274\216evil\343\200\202example", 100, "www. evil. example"},
    {"a\357\274\240b", 100, "a(at)b"},
    {"http\357\274\232\357\274\217\357\274\217x", 100, "http: //x"},
    {"Dr. Eva, Version 1.3, 12:30", 100, "Dr. Eva, Version 1.3, 12:30"},
    /* marks over letters stay few */
    {"e\314\201\314\201\314\201\314\201x", 100, "e\314\201\314\201x"},
    {"12345", 5, "12345"},
    {"123456", 5, "12345..."},
    {"\303\244\303\244\303\244", 2, "\303\244\303\244..."},
};

START_TEST(test_text)
{
    for (size_t i = 0; i < ROWS(texts); i++) {
        char *shown = foreign_text(texts[i].text, texts[i].most);

        ck_assert_msg((shown == NULL) == (texts[i].shown == NULL) &&
                          (shown == NULL || strcmp(shown, texts[i].shown) == 0),
                      "row %zu: %s", i, shown);
        free(shown);
    }
}
END_TEST

static const struct {
    const char *address, *shown;
} addresses[] = {
    {NULL, NULL},
    {"Eva.M-1+x_y@partner-1.com", "Eva.M-1+x_y@partner-1.com"},
    {"eva@m\303\274ller.example", "eva@m\303\274ller.example [xn--mller-kva.example]"},
    {"eva@b\320\260nk.example", "eva@b\320\260nk.example [xn--bnk-6cd.example]"},
    /* a mail program would make something else of these */
    {"\"boss@bank.example x\"@evil.example", "'boss(at)bank. example x'(at)evil. example"},
    {"www.bank.example/x@evil.example", "www. bank. example/x(at)evil. example"},
    {"www.bank@evil.example", "www. bank(at)evil. example"},
    {"\320\260lice@bank.example", "\320\260lice(at)bank. example"},
    {"eva@bank.example\357\274\217.evil.example", "eva(at)bank. example/. evil. example"},
    {"eva", "eva"},
    {"a@b@c", "a(at)b(at)c"},
};

START_TEST(test_address)
{
    for (size_t i = 0; i < ROWS(addresses); i++) {
        char *shown = foreign_address(addresses[i].address);

        ck_assert_msg((shown == NULL) == (addresses[i].shown == NULL) &&
                          (shown == NULL || strcmp(shown, addresses[i].shown) == 0),
                      "row %zu: %s", i, shown);
        free(shown);
    }
}
END_TEST

static const struct {
    const char *name, *shown;
} names[] = {
    {NULL, NULL},
    {"", NULL},
    {"CN=Eva,O=Partner", "Eva"},
    {"emailAddress=x@y,CN=Eva", "Eva"},
    {"OU=x+cn=Eva,O=Partner", "Eva"},
    {"O=Partner,C=DE", "O=Partner,C=DE"},
    {"CN=M\\C3\\BCller\\, Eva \\\"Boss\\\"\\0D\\0A\\00x,O=y", "M\303\274ller, Eva 'Boss' x"},
    {"O=x\\,CN=Boss,C=DE", "O=x\\,CN=Boss,C=DE"}, /* an escaped comma ends nothing */
    {"O=x\\\\,CN=Eva", "Eva"},
    {"XCN=no,CN=yes", "yes"},
    {"CN=,O=y", "CN=,O=y"},
    {"CN=x\\", "x\\"},
    {"CN=x\\a", "xa"},
    {"CN=Eva@x.example", "Eva@x.example"}, /* proven */
    {"CN=boss@x.example", "boss(at)x. example"},
};

START_TEST(test_name)
{
    struct strlist proven = {0};

    strlist_add(&proven, "eva@x.example");
    for (size_t i = 0; i < ROWS(names); i++) {
        char *shown = foreign_name(names[i].name, &proven);

        ck_assert_msg((shown == NULL) == (names[i].shown == NULL) &&
                          (shown == NULL || strcmp(shown, names[i].shown) == 0),
                      "row %zu: %s", i, shown);
        free(shown);
    }
    strlist_free(&proven);
}
END_TEST

/* However long a name is, what is shown is short, and it does not take long. */
START_TEST(test_long)
{
    char *text = mem_alloc((64u << 10) + 4), *shown;

    memcpy(text, "CN=", 3);
    memset(text + 3, 'x', 64u << 10);
    text[(64u << 10) + 3] = '\0';
    shown = foreign_name(text, NULL);
    ck_assert_uint_eq(strlen(shown), FOREIGN_NAME + 3);
    free(shown);
    memset(text, ',', (64u << 10) + 3);
    shown = foreign_name(text, NULL);
    ck_assert_uint_le(strlen(shown), FOREIGN_NAME + 3);
    free(shown);
    free(text);
}
END_TEST

UNIT_MAIN("incoming-foreign", test_text, test_address, test_name, test_long)
