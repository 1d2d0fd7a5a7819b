#include "outgoing/group.h"

#include <string.h>

#include "core/explain.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

#define PEOPLE 6

struct scene {
    struct ask_entry entries[PEOPLE];
    struct select_candidate candidates[PEOPLE];
    struct select_choice choices[PEOPLE];
    struct config_profile profile;
    struct plan_recipient recipients[PEOPLE];
    struct plan plan;
};

static const char *const names[PEOPLE] = {"a@x.example", "b@x.example", "c@x.example",
                                          "d@x.example", "e@x.example", "mail@behoerde.de"};

/* Everybody has a certificate whose fingerprint is his name; the last one is the signer. */
static void scene_set(struct scene *s)
{
    memset(s, 0, sizeof(*s));
    s->profile.name = mem_strdup("default");
    for (int i = 0; i < PEOPLE; i++) {
        s->entries[i].fingerprint = mem_strdup(names[i]);
        s->candidates[i].entry = &s->entries[i];
        s->choices[i] = (struct select_choice){.address = names[i], .chosen = &s->candidates[i]};
        s->recipients[i].address = names[i];
        s->recipients[i].profile = &s->profile;
        s->recipients[i].want_sign = s->recipients[i].want_sign_fallback = s->recipients[i].want_encrypt =
            PLAN_NO_WANT;
    }
    s->plan.recipients = s->recipients;
    s->plan.count = PEOPLE - 1;
}

static void scene_clear(struct scene *s)
{
    for (int i = 0; i < PEOPLE; i++) {
        free(s->entries[i].fingerprint);
        free(s->recipients[i].detail);
        free(s->recipients[i].wish.lines);
    }
    free(s->profile.name);
}

/* "a+b>FPR,FPR/SIGNER ..." of all groups. */
static char *groups_text(struct plan *plan)
{
    struct group_list list;
    struct buf out = {0};
    group_make(plan, &list);
    for (size_t g = 0; g < list.count; g++) {
        const struct group *group = &list.items[g];
        for (size_t i = 0; i < group->count; i++)
            buf_printf(&out, "%s%.1s", i > 0 ? "+" : g > 0 ? " " : "", group->members[i]->address);
        buf_add_char(&out, '>');
        for (size_t i = 0; i < group->certificate_count; i++)
            buf_printf(&out, "%.1s", group->certificates[i]->entry->fingerprint);
        buf_printf(&out, "%s", group->signer != NULL ? "/s" : "");
        buf_printf(&out, "%s", group->end == PLAN_REFUSE ? "!" : group->end == PLAN_WAIT ? "?" : "");
    }
    group_free(&list);
    return out.len > 0 ? buf_take(&out) : mem_strdup("");
}

static void expect_groups(struct scene *s, const char *wanted)
{
    char *got = groups_text(&s->plan);
    ck_assert_str_eq(got, wanted);
    free(got);
}

START_TEST(together_and_apart)
{
    struct scene s;
    scene_set(&s);
    expect_groups(&s, "a+b+c+d+e>"); /* clear for all */
    for (int i = 0; i < 4; i++)
        s.recipients[i].certificate = &s.choices[i];
    expect_groups(&s, "a+b+c+d>abcd e>");
    s.recipients[1].hidden = true;
    s.recipients[3].hidden = true;
    expect_groups(&s, "a+c>ac b>b d>d e>"); /* nobody learns of b and d */
    for (int i = 0; i < 5; i++)
        s.recipients[i].signer = &s.choices[5];
    expect_groups(&s, "a+c>ac/s b>b/s d>d/s e>/s");
    scene_clear(&s);
}
END_TEST

START_TEST(profiles_and_ends)
{
    struct scene s;
    struct config_profile other = {.name = (char *)(uintptr_t) "other"};
    scene_set(&s);
    s.recipients[0].certificate = &s.choices[0];
    s.recipients[1].certificate = &s.choices[1];
    s.recipients[1].profile = &other;
    s.recipients[2].profile = &other; /* clear: the profile does not matter */
    plan_refuse(&s.recipients[3], "5.7.5", "expired", "2021-01-01");
    plan_wait(&s.recipients[4], "later");
    expect_groups(&s, "a>a b>b c> d>! e>?");
    plan_refuse(&s.recipients[4], "5.7.5", "expired", "2021-01-01");
    expect_groups(&s, "a>a b>b c> d+e>!");
    scene_clear(&s);
}
END_TEST

/* One certificate for two recipients (FE=addr) is one RecipientInfo. */
START_TEST(shared_certificate)
{
    struct scene s;
    scene_set(&s);
    s.recipients[0].certificate = &s.choices[0];
    s.recipients[1].certificate = &s.choices[0];
    s.plan.count = 2;
    expect_groups(&s, "a+b>a");
    scene_clear(&s);
}
END_TEST

START_TEST(as_many_as_fit_a_frame)
{
    struct scene s;
    scene_set(&s);
    size_t count = GROUP_RECIPIENTS_MAX * 2 + 1;
    struct plan_recipient *many = mem_array(count, sizeof(*many));
    for (size_t i = 0; i < count; i++) {
        many[i] = s.recipients[0];
        many[i].certificate = &s.choices[0];
    }
    struct plan plan = {.recipients = many, .count = count};
    struct group_list list;
    group_make(&plan, &list);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_uint_eq(list.items[0].count, GROUP_RECIPIENTS_MAX);
    ck_assert_uint_eq(list.items[2].count, 1);
    group_free(&list);
    free(many);
    scene_clear(&s);
}
END_TEST

START_TEST(rule_lines)
{
    struct scene s;
    struct group_list list;
    struct buf lines = {0};
    static const unsigned int first[] = {1, 12}, second[] = {1, 3};
    scene_set(&s);
    s.recipients[0].wish.lines = mem_dup(first, sizeof(first));
    s.recipients[1].wish.lines = mem_dup(second, sizeof(second));
    s.recipients[0].wish.line_count = s.recipients[1].wish.line_count = 2;
    group_make(&s.plan, &list);
    group_lines(&list.items[0], &lines);
    ck_assert_str_eq(lines.data, "1,3,12");
    buf_free(&lines);
    group_free(&list);
    scene_clear(&s);
}
END_TEST

START_TEST(ranks)
{
    static const struct {
        enum select_use use;
        const char *key, *verdict, *area;
        const char *from, *to;
        unsigned int rank;
        const char *kind;
    } rows[] = {
        {SELECT_ENCRYPT, NULL, "valid", NULL, "2026-01-01", "2027-01-01", 2, NULL},
        {SELECT_ENCRYPT, NULL, "valid", "trusted", "2026-01-01", "2027-01-01", 3, NULL},
        {SELECT_ENCRYPT, NULL, "valid", "trusted", "2020-01-01", "2021-01-01", 1, NULL},
        {SELECT_ENCRYPT, NULL, "valid", "trusted", "2026-12-01", "2027-01-01", 1, NULL},
        {SELECT_ENCRYPT, NULL, "expired", NULL, "2020-01-01", "2021-01-01", 0, NULL},
        {SELECT_ENCRYPT, NULL, "revoked", "trusted", "2026-01-01", "2027-01-01", 0, NULL},
        {SELECT_ENCRYPT, NULL, "status-unknown", NULL, "2026-01-01", "2027-01-01", 0, NULL},
        {SELECT_ENCRYPT, NULL, "untrusted-root", NULL, "2026-01-01", "2027-01-01", 0, NULL},
        {SELECT_ENCRYPT, NULL, NULL, NULL, NULL, NULL, 0, NULL},
        {SELECT_SIGN, "k", "valid", NULL, "2026-01-01", "2027-01-01", 2, NULL},
        {SELECT_SIGN, NULL, "valid", NULL, "2026-01-01", "2027-01-01", 0, NULL},
        {SELECT_SIGN, "k", "untrusted-root", NULL, "2026-01-01", "2027-01-01", 1, NULL},
        {SELECT_SIGN, "k", "no-path", NULL, "2020-01-01", "2021-01-01", 0, NULL},
        {SELECT_SIGN, "k", "no-path", NULL, "2026-12-01", "2027-01-01", 0, NULL},
        {SELECT_SIGN, "k", "revoked", NULL, "2026-01-01", "2027-01-01", 0, NULL},
        {SELECT_SIGN, "k", "wrong-address", NULL, "2026-01-01", "2027-01-01", 0, NULL},
        {SELECT_SIGN, "k", "distrusted", NULL, "2026-01-01", "2027-01-01", 0, NULL},
        {SELECT_SIGN, "k", "valid", NULL, "2026-01-01", "2027-01-01", 2, "rsa-pss"},
        {SELECT_SIGN, "k", "valid", NULL, "2026-01-01", "2027-01-01", 2, "ed25519"},
        {SELECT_SIGN, "k", "valid", NULL, "2026-01-01", "2027-01-01", 0, "ed448"},
        {SELECT_SIGN, "k", "no-path", NULL, "2026-01-01", "2027-01-01", 0, "x25519"},
        {SELECT_SIGN, "k", "valid", NULL, "2026-01-01", "2027-01-01", 0, "other"},
        {SELECT_ENCRYPT, NULL, "valid", NULL, "2026-01-01", "2027-01-01", 2, "x448"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct ask_entry entry = {.key = mem_strdup(rows[i].key), .area = NULL};
        struct ask_verdict verdict = {.verdict = mem_strdup(rows[i].verdict),
                                      .area = mem_strdup(rows[i].area),
                                      .not_before = mem_strdup(rows[i].from),
                                      .not_after = mem_strdup(rows[i].to),
                                      .key = mem_strdup(rows[i].kind)};
        unsigned int rank = select_rank(rows[i].use, &entry, &verdict, "2026-11-21T12:00:00Z");
        ck_assert_msg(rank == rows[i].rank, "row %zu: %u", i, rank);
        ask_verdict_free(&verdict);
        free(entry.key);
    }
}
END_TEST

UNIT_MAIN("core-group", together_and_apart, profiles_and_ends, shared_certificate, as_many_as_fit_a_frame,
          rule_lines, ranks)
