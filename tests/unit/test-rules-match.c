/* What a rule file decides. */
#include <string.h>

#include "rules_file.h"
#include "unit.h"
#include "util/buf.h"

#define FROM "user_1@behoerde.de"

static const struct {
    const char *rules, *from, *to, *treatment;
} CASES[] = {
    /* strength: no later line weakens an earlier one */
    {"", FROM, "a@x.de", "sign=no\tencrypt=no\tprofile=default\tlines="},
    {". (to) . (do) FE\n. (to) . (do) EIP", FROM, "a@x.de",
     "sign=no\tencrypt=force\tprofile=default\tlines=1,2"},
    {". (to) . (do) EIP\n. (to) . (do) FE", FROM, "a@x.de",
     "sign=no\tencrypt=force\tprofile=default\tlines=1,2"},
    {". (to) . (do) FE, FS\n. (to) . (do) NE, NS", FROM, "a@x.de",
     "sign=force:" FROM "\tencrypt=force\tprofile=default\tlines=1,2"},
    {". (to) . (do) NE,NS\n. (to) . (do) EIP,SIP", FROM, "a@x.de",
     "sign=no\tencrypt=no\tprofile=default\tlines=1,2"},
    {". (to) . (do) SIP", FROM, "a@x.de", "sign=possible:" FROM "\tencrypt=no\tprofile=default\tlines=1"},
    /* the signing key */
    {". (to) . (do) FS=m@b.de", FROM, "a@x.de", "sign=force:m@b.de\tencrypt=no\tprofile=default\tlines=1"},
    {". (to) . (do) FS@m@b.de", FROM, "a@x.de", "sign=force:m@b.de\tencrypt=no\tprofile=default\tlines=1"},
    {". (to) . (do) FS=m@b.de\n. (to) . (do) FS", FROM, "a@x.de",
     "sign=force:" FROM ",fallback m@b.de\tencrypt=no\tprofile=default\tlines=1,2"},
    {". (to) . (do) FS\n. (to) . (do) FS=m@b.de", FROM, "a@x.de",
     "sign=force:m@b.de\tencrypt=no\tprofile=default\tlines=1,2"},
    {". (to) . (do) FS=m@b.de\n. (to) . (do) FS=n@b.de\n. (to) . (do) FS", FROM, "a@x.de",
     "sign=force:" FROM ",fallback n@b.de\tencrypt=no\tprofile=default\tlines=1,2,3"},
    {". (to) . (do) FS=m@b.de\n. (to) . (do) SIP", FROM, "a@x.de",
     "sign=force:" FROM ",fallback m@b.de\tencrypt=no\tprofile=default\tlines=1,2"},
    {". (to) . (do) FS=m@b.de\n. (to) . (do) SIP, NS", FROM, "a@x.de",
     "sign=force:m@b.de\tencrypt=no\tprofile=default\tlines=1,2"},
    {". (to) . (do) FS=m@b.de, FS", FROM, "a@x.de",
     "sign=force:" FROM ",fallback m@b.de\tencrypt=no\tprofile=default\tlines=1"},
    /* certificate and profile */
    {". (to) . (do) FE=gw@x.de:bdew", FROM, "a@x.de",
     "sign=no\tencrypt=force:gw@x.de\tprofile=bdew\tlines=1"},
    {". (to) . (do) FE:modern\n. (to) . (do) FE", FROM, "a@x.de",
     "sign=no\tencrypt=force\tprofile=modern\tlines=1,2"},
    {". (to) . (do) FE=gw@x.de\n. (to) . (do) EIP=o@x.de:modern", FROM, "a@x.de",
     "sign=no\tencrypt=force:gw@x.de\tprofile=default\tlines=1,2"},
    {". (to) . (do) EIP:modern\n. (to) . (do) NE", FROM, "a@x.de",
     "sign=no\tencrypt=no\tprofile=default\tlines=1,2"},
    {". (to) . (do) FE:bdew\n. (to) . (do) FE:modern", FROM, "a@x.de",
     "sign=no\tencrypt=force\tprofile=modern\tlines=1,2"},
    {". (to) . (do) FE:bdew\n. (to) . (do) FS:modern", FROM, "a@x.de",
     "sign=force:" FROM "\tencrypt=force\tprofile=bdew\tlines=1,2"},
    {". (to) . (do) FS:modern", FROM, "a@x.de", "sign=force:" FROM "\tencrypt=no\tprofile=modern\tlines=1"},
    /* refusals */
    {". (to) . (do) FE\n. (to) . (do) REJECT \"not \\\"here\\\"\"", FROM, "a@x.de",
     "reject=not \"here\"\tlines=1,2"},
    {". (to) . (do) REJECT \"one\"\n. (to) . (do) REJECT \"two\"", FROM, "a@x.de", "reject=two\tlines=1,2"},
    {". (to) y.de (do) REJECT \"one\"", FROM, "a@x.de", "sign=no\tencrypt=no\tprofile=default\tlines="},
    /* the null sender: FS counts as SIP */
    {"<> (to) . (do) FS", "", "a@x.de", "sign=possible\tencrypt=no\tprofile=default\tlines=1"},
    {". (to) . (do) FS=m@b.de", "", "a@x.de", "sign=possible:m@b.de\tencrypt=no\tprofile=default\tlines=1"},
    {". (to) . (do) FS=m@b.de\n. (to) . (do) FS", "", "a@x.de",
     "sign=possible:m@b.de\tencrypt=no\tprofile=default\tlines=1,2"},
    {". (to) . (do) FS\n<> (to) . (do) NS", "", "a@x.de", "sign=no\tencrypt=no\tprofile=default\tlines=1,2"},
    /* ways to write it */
    {"\xef\xbb\xbf.(TO).(Do)fs=m@b.de,eip", FROM, "a@x.de",
     "sign=force:m@b.de\tencrypt=possible\tprofile=default\tlines=1"},
    {"# c\r\n\r\n\t.\t( to )\t.\t(do)\tFs = m@b.de ,\tEip \t# c\r\n", FROM, "a@x.de",
     "sign=force:m@b.de\tencrypt=possible\tprofile=default\tlines=3"},
    {"#-----\n  # x\n" FROM "(to)x.de(do)FE", FROM, "a@x.de",
     "sign=no\tencrypt=force\tprofile=default\tlines=3"},
    {". (to) x.de (do) FE : bdew", FROM, "a@x.de", "sign=no\tencrypt=force\tprofile=bdew\tlines=1"},
    {"/(user)_[0-9]@behoerde\\.de/(to)/.*@(x|y)\\.de/(do)FE", FROM, "a@x.de",
     "sign=no\tencrypt=force\tprofile=default\tlines=1"},
};

START_TEST(test_cases)
{
    for (size_t i = 0; i < ROWS(CASES); i++) {
        struct ruleset_faults faults = {0};
        struct ruleset *ruleset = rules_file_text(CASES[i].rules, &faults);
        ck_assert_msg(ruleset != NULL, "row %zu: %s", i, faults.items.count ? faults.items.items[0] : "");
        struct ruleset_facts facts = {.sender = CASES[i].from};
        struct ruleset_treatment treatment;
        struct buf line = {0};
        ruleset_match(ruleset, &facts, CASES[i].to, &treatment);
        ruleset_treatment_print(&treatment, &line);
        ck_assert_msg(strcmp(buf_text(&line), CASES[i].treatment) == 0, "row %zu: %s", i, buf_text(&line));
        buf_free(&line);
        ruleset_treatment_free(&treatment);
        ruleset_free(ruleset);
        ruleset_faults_free(&faults);
    }
}
END_TEST

static enum ruleset_wish wish_of(const char *rules, const struct ruleset_facts *facts)
{
    struct ruleset_faults faults = {0};
    struct ruleset *ruleset = rules_file_text(rules, &faults);
    ck_assert_msg(ruleset != NULL, "%s", faults.items.count ? faults.items.items[0] : "");
    struct ruleset_treatment treatment;
    ruleset_match(ruleset, facts, "a@x.de", &treatment);
    enum ruleset_wish wish = treatment.encrypt;
    ruleset_treatment_free(&treatment);
    ruleset_free(ruleset);
    return wish;
}

START_TEST(test_header_from_or_envelope)
{
    struct ruleset_facts facts = {.sender = "bounce@behoerde.de", .header_from = "chef@behoerde.de"};
    ck_assert_int_eq(wish_of("chef@behoerde.de (to) . (do) FE", &facts), RULESET_FORCE);
    ck_assert_int_eq(wish_of("bounce@behoerde.de (to) . (do) FE", &facts), RULESET_FORCE);
    ck_assert_int_eq(wish_of("other@behoerde.de (to) . (do) FE", &facts), RULESET_NO);
    facts.sender = "";
    ck_assert_int_eq(wish_of("<> (to) . (do) FE", &facts), RULESET_FORCE);
    ck_assert_int_eq(wish_of("chef@behoerde.de (to) . (do) FE", &facts), RULESET_FORCE);
    facts.header_from = NULL;
    ck_assert_int_eq(wish_of("chef@behoerde.de (to) . (do) FE", &facts), RULESET_NO);
}
END_TEST

START_TEST(test_conditions)
{
    static const char FIELDS[] =
        "X-Note: (internal) #1\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nX-Classification: offen\n"
        "x-classification:  VS -\n\tNfD \n";
    struct header header;
    header_parse(&header, FIELDS, sizeof FIELDS - 1);
    struct ruleset_facts facts = {.sender = FROM, .header = &header, .size = 10 << 20, .calendar = true};
    ck_assert_int_eq(wish_of(". (to) . (if) calendar (do) FE", &facts), RULESET_FORCE);
    ck_assert_int_eq(wish_of(".(to).(IF)Header X-Classification: vs - nfd(do) FE", &facts), RULESET_FORCE);
    ck_assert_int_eq(wish_of(". (to) . (if) header X-Classification: VS (do) FE", &facts), RULESET_NO);
    ck_assert_int_eq(wish_of(". (to) . (if) header Subject : \"gr\xc3\xbc\xc3\x9f"
                             "e\" (do) FE",
                             &facts),
                     RULESET_FORCE);
    ck_assert_int_eq(wish_of(". (to) . (if) header X-Note: (internal) #1 (do) FE", &facts), RULESET_FORCE);
    ck_assert_int_eq(wish_of(". (to) . (if) size > 10M (do) FE", &facts), RULESET_NO);
    ck_assert_int_eq(wish_of(". (to) . (if) size < 10M (do) FE", &facts), RULESET_NO);
    ck_assert_int_eq(wish_of(". (to) . (if) size>9M (if) calendar (do) FE", &facts), RULESET_FORCE);
    ck_assert_int_eq(wish_of(". (to) . (if) size>9M (if) header A: b (do) FE", &facts), RULESET_NO);
    facts.calendar = false;
    facts.header = NULL;
    ck_assert_int_eq(wish_of(". (to) . (if) calendar (do) FE", &facts), RULESET_NO);
    ck_assert_int_eq(wish_of(". (to) . (if) header Subject: x (do) FE", &facts), RULESET_NO);
    header_free(&header);
}
END_TEST

UNIT_MAIN("rules-match", test_cases, test_header_from_or_envelope, test_conditions)
