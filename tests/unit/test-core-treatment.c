/* Rules, triggers and the signer check together; then what is decided where nothing needs to be looked up. */
#include <string.h>

#include "outgoing/plan.h"
#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"

static const char rules[] = ".                  (to) .              (do) FS=mail@behoerde.de\n"
                            ".                  (to) secret.example (do) FE, FS\n"
                            "u@behoerde.de      (to) .              (do) EIP, FS\n"
                            ".                  (to) no.example     (do) REJECT \"not there\"\n"
                            ".                  (to) team.example   (do) FE=office@team.example\n"
                            ".                  (to) open.example   (do) NE\n";

static const char letter[] = "From: u@behoerde.de\nTo: a@secret.example, B@x.example\nCc: c@team.example\n"
                             "Subject: [encrypt] x\n\nx\n";

static void plan_make(struct core *core, struct plan *plan, const char *recipients, const char *sender)
{
    static const struct direction_client client = {.local = true};
    core_message(core, letter, strlen(letter), "10.0.0.1", sender);
    core_recipients(core, recipients);
    *plan = (struct plan){.message = &core->message, .patient = true};
    treatment_decide(plan, &core->message.envelope.recipients, &client);
}

START_TEST(wishes_and_look_ups)
{
    struct core core;
    struct plan plan;
    core_set_up(&core, "", rules);
    plan_make(&core, &plan, "a@secret.example b@X.example c@team.example d@no.example e@open.example",
              "u@behoerde.de");
    const struct plan_recipient *r = plan.recipients;
    ck_assert_uint_eq(plan.count, 5);
    ck_assert_int_eq(r[0].wish.encrypt, RULESET_FORCE);
    ck_assert_int_eq(r[1].wish.encrypt, RULESET_POSSIBLE);
    ck_assert_int_eq(r[4].wish.encrypt, RULESET_NO);
    ck_assert(!r[0].hidden && !r[1].hidden && !r[2].hidden && r[3].hidden && r[4].hidden);
    ck_assert(r[0].want_sign != PLAN_NO_WANT &&
              r[0].want_sign == r[1].want_sign); /* one look-up for one key */
    ck_assert(r[0].want_sign_fallback != PLAN_NO_WANT && r[0].want_sign_fallback != r[0].want_sign);
    ck_assert(r[2].want_encrypt != PLAN_NO_WANT);
    ck_assert(r[3].want_sign == PLAN_NO_WANT &&
              r[3].want_encrypt == PLAN_NO_WANT); /* rejected: nothing is asked */
    ck_assert(r[4].want_encrypt == PLAN_NO_WANT);
    plan_free(&plan);
    core_tear_down(&core);
}
END_TEST

START_TEST(signer_refused)
{
    struct core core;
    struct plan plan;
    core_set_up(&core, "", rules);
    plan_make(&core, &plan, "b@x.example", "other@behoerde.de");
    ck_assert(plan.recipients[0].want_sign == PLAN_NO_WANT); /* not with the key of header From ... */
    ck_assert_ptr_nonnull(plan.recipients[0].no_sign_why);
    ck_assert(plan.recipients[0].want_sign_fallback !=
              PLAN_NO_WANT); /* ... but with that of the earlier FS=addr */
    plan_free(&plan);
    core_tear_down(&core);
}
END_TEST

START_TEST(triggers_are_wishes)
{
    struct core core;
    struct plan plan;
    core_set_up(&core, "POLICY = both\n", rules);
    plan_make(&core, &plan, "b@x.example e@open.example", "u@behoerde.de");
    ck_assert_int_eq(plan.recipients[0].wish.encrypt, RULESET_FORCE);
    ck_assert_int_eq(plan.recipients[1].wish.encrypt, RULESET_FORCE); /* NE cancels EIP, never FE */
    plan_free(&plan);
    core_tear_down(&core);
    core_set_up(&core, "POLICY = subject\nRULES = /nowhere\n", NULL);
    plan_make(&core, &plan, "b@x.example", "u@behoerde.de");
    ck_assert_int_eq(plan.recipients[0].wish.encrypt, RULESET_FORCE);
    ck_assert_int_eq(plan.recipients[0].wish.sign, RULESET_NO);
    plan_free(&plan);
    core_tear_down(&core);
}
END_TEST

START_TEST(unchanged_engines)
{
    static const struct {
        const char *conf;
        enum plan_end secret, plain;
    } rows[] = {
        {"SMIME_ENGINE = 0\n", PLAN_WAIT, PLAN_SEND},
        {"SMIME_ENGINE = 1\n", PLAN_WAIT, PLAN_SEND},
        {"SMIME_ENGINE = 0\nENGINE_CLEAR = yes\n", PLAN_SEND, PLAN_SEND},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct core core;
        struct plan plan;
        core_set_up(&core, rows[i].conf, rules);
        plan_make(&core, &plan, "a@secret.example b@x.example", "u@behoerde.de");
        decide_unchanged(&plan);
        ck_assert_msg(plan.recipients[0].end == rows[i].secret, "row %zu", i);
        ck_assert_msg(plan.recipients[1].end == rows[i].plain, "row %zu", i);
        plan_free(&plan);
        core_tear_down(&core);
    }
}
END_TEST

UNIT_MAIN("core-treatment", wishes_and_look_ups, signer_refused, triggers_are_wishes, unchanged_engines)
