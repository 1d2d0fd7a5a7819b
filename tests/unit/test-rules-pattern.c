/* Who is meant by a pattern. */
#include <string.h>

#include "rules/idn.h"
#include "rules/pattern.h"
#include "unit.h"

static const struct {
    const char *pattern, *address;
    bool match;
} MATCHES[] = {
    {".", "a@x.de", true},
    {".", "", true},
    {".", "not an address", true},
    {"<>", "", true},
    {"<>", "a@x.de", false},
    {"x.de", "", false},
    {"a@x.de", "a@x.de", true},
    {"A@X.DE", "a@x.de", true},
    {"a@x.de", "A@X.de", true},
    {"\"a\"@x.de", "a@x.de", true},
    {"a@x.de", "aa@x.de", false},
    {"a@x.de", "a@x.de.evil.example", false},
    {"\"john doe\"@x.de", "\"John Doe\"@x.de", true},
    {"partner-1.com", "a@partner-1.com", true},
    {"partner-1.com", "a@PARTNER-1.COM", true},
    {"partner-1.com", "a@partner-1.com.", true},
    {"partner-1.com", "a@partner-1.com.evil.example", false},
    {"partner-1.com", "a@partner-1xcom", false},
    {"partner-1.com", "a@sub.partner-1.com", false},
    {"partner-1.com", "a@notpartner-1.com", false},
    {"partner-1.com", "partner-1.com@evil.example", false},
    {"partner-1.com", "\"a@partner-1.com\"@evil.example", false},
    {"partner-1.com", "partner-1.com", false},
    {".partner-1.com", "a@partner-1.com", true},
    {".partner-1.com", "a@x.partner-1.com", true},
    {".partner-1.com", "a@y.x.partner-1.com", true},
    {".partner-1.com", "a@xpartner-1.com", false},
    {"b\xc3\xbc"
     "cher.example",
     "a@xn--bcher-kva.example", true},
    {"xn--bcher-kva.example",
     "a@B\xc3\x9c"
     "CHER.example",
     true},
    {".b\xc3\xbc"
     "cher.example",
     "a@x.xn--bcher-kva.example", true},
    {"/.*@b\xc3\xbc"
     "cher\\.example/",
     "a@xn--bcher-kva.example", true},
    {"/.*@b.cher\\.example/", "a@xn--bcher-kva.example", true},
    {"/.*@xn--bcher-kva\\.example/",
     "a@b\xc3\xbc"
     "cher.example",
     true},
    {"/[a-c]+@x\\.de/", "ABBA@x.de", true},
    {"/[a-c]+@x\\.de/", "abd@x.de", false},
    {"/a|b/", "ax@x.de", false},
    {"/.*@x\\.de|b@y\\.de/", "b@y.de", true},
    {"/.*@x\\.de|b@y\\.de/", "b@y.de.evil.example", false},
    {"/b@x\\.de/", "bb@x.de", false},
    {"/.*\\/.*@x\\.de/", "a/b@x.de", true},
    {"/.*/", "no address \xff at all", true},
    {"/.*/", "", false},
    {"/[a-z0-9._]{1,64}@([a-z0-9-]+\\.)+x\\.de/", "a.b@c.d.x.de", true},
};

START_TEST(test_matches)
{
    for (size_t i = 0; i < ROWS(MATCHES); i++) {
        struct pattern pattern = {0};
        struct pattern_subject subject;
        char *error = pattern_parse(&pattern, MATCHES[i].pattern);
        ck_assert_msg(!error, "row %zu: %s", i, error);
        pattern_subject_init(&subject, MATCHES[i].address);
        ck_assert_msg(pattern_matches(&pattern, &subject) == MATCHES[i].match, "row %zu: %s against %s", i,
                      MATCHES[i].pattern, MATCHES[i].address);
        pattern_subject_free(&subject);
        pattern_free(&pattern);
    }
}
END_TEST

/* Each refusal says what to write instead. */
static const struct {
    const char *pattern, *hint;
} REFUSED[] = {
    {"partner-.*", "between slashes"},
    {"*", "expression"},
    {"^..$", "between slashes"},
    {"x.(de|com)", "expression"},
    {"@domain.example", "written domain.example"},
    {"user@", "no domain"},
    {"user@.example", "not a mail address"},
    {"domain.example.", "ends in a dot"},
    {"user@domain.example.", "ends in a dot"},
    {"a..example", "two dots"},
    {"..example", "two dots"},
    {"a.example,b.example", "one pattern a line"},
    {"<a@b.example>", "without < and >"},
    {"*@*.example", "between slashes"},
    {"-a@x.example", "not a mail address"},
    {"//", "empty"},
    {"/a(/", "not an extended regular expression"},
    {"/a)(b/", "without its '('"},
    {"/*@x\\.example/", "repetition (* + ? {}) of nothing"},
    {"/(a|+b)@x\\.example/", "repetition (* + ? {}) of nothing"},
    {"/^*@x\\.example/", "repetition (* + ? {}) of nothing"},
    {"/a|b)c/", "without its '('"},
    {"/(.)\\1/", "back-references"},
    {"/(a{1,100}){1,100}/", "repeats too much"},
    {"/a{1001}/", "repeats too much"},
    {"/(a{,100}){,100}/", "repeats too much"},
    {"/((((a*)*)*)*)/", "repeats too much"},
    {"/a*****/", "repeats too much"},
    {"/a++++++++++++++++++++++++++++/", "repeats too much"},
    {"/(((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+/", "repeats too much"},
    {"x y", "neither"},
};

START_TEST(test_refused)
{
    for (size_t i = 0; i < ROWS(REFUSED); i++) {
        struct pattern pattern = {0};
        char *error = pattern_parse(&pattern, REFUSED[i].pattern);
        ck_assert_msg(error && strstr(error, REFUSED[i].hint), "row %zu: %s: %s", i, REFUSED[i].pattern,
                      error ? error : "accepted");
        free(error);
        pattern_free(&pattern);
    }
}
END_TEST

static const struct {
    const char *a, *b;
    bool covers, disjoint;
} PAIRS[] = {
    {".", "x.de", true, false},
    {".", "<>", true, false},
    {"x.de", ".", false, false},
    {"x.de", "a@x.de", true, false},
    {".x.de", "x.de", true, false},
    {".x.de", ".y.x.de", true, false},
    {".y.x.de", ".x.de", false, false},
    {"x.de", ".x.de", false, false},
    {"x.de", "y.de", false, true},
    {"a@x.de", "b@x.de", false, true},
    {".x.de", ".y.de", false, true},
    {"/.*@x\\.de/", "a@x.de", true, false},
    {"/.*@x\\.de/", "x.de", false, false},
    {"/.*@x\\.de/", "a@y.de", false, true},
    {"<>", "<>", true, false},
    {"<>", "x.de", false, true},
    {"<>", "a@x.de", false, true},
    {"x.de", "<>", false, true},
};

START_TEST(test_pairs)
{
    for (size_t i = 0; i < ROWS(PAIRS); i++) {
        struct pattern a = {0}, b = {0};
        ck_assert_ptr_null(pattern_parse(&a, PAIRS[i].a));
        ck_assert_ptr_null(pattern_parse(&b, PAIRS[i].b));
        ck_assert_msg(pattern_covers(&a, &b) == PAIRS[i].covers, "row %zu: covers", i);
        ck_assert_msg(pattern_disjoint(&a, &b) == PAIRS[i].disjoint, "row %zu: disjoint", i);
        pattern_free(&a);
        pattern_free(&b);
    }
}
END_TEST

/* RFC 3492 section 7.1 and names in use. */
static const struct {
    const char *ascii, *unicode; /* NULL: not decodable */
} NAMES[] = {
    {"xn--bcher-kva.example", "b\xc3\xbc"
                              "cher.example"},
    {"www.xn--mnchen-3ya.de", "www.m\xc3\xbcnchen.de"},
    {"xn--ihqwcrb4cv8a8dqg056pqjye",
     "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8\x8d\xe8"
     "\xaf\xb4\xe4\xb8\xad\xe6\x96\x87"},
    {"example.org", NULL},
    {"xn--99999999.example", NULL},
    {"xn--a-\x7f.example", NULL},
    {"xn--", NULL},
};

START_TEST(test_names)
{
    for (size_t i = 0; i < ROWS(NAMES); i++) {
        char *unicode = idn_domain_unicode(NAMES[i].ascii);
        ck_assert_msg(NAMES[i].unicode ? unicode && strcmp(unicode, NAMES[i].unicode) == 0 : !unicode,
                      "row %zu: %s", i, unicode ? unicode : "(null)");
        free(unicode);
    }
}
END_TEST

UNIT_MAIN("rules-pattern", test_matches, test_refused, test_pairs, test_names)
