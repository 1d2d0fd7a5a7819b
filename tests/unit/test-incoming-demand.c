/* INCOMING_PROFILE: whom an entry means, and what becomes of which message. */
#include "incoming/demand.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

static const char conf[] =
    "PROFILE_one = digest=sha512\nPROFILE_two = digest=sha384\nPROFILE_three = form=opaque\n"
    "INCOMING_PROFILE = .grid.example one; grid.example two; edi@grid.example three;\n"
    "  .south.grid.example two; power.example bdew; m\303\274ller.example bdew; "
    "Postmaster@named.example bdew\n";

static struct core core;

static void open_core(const char *from, const char *sender)
{
    char *text = mem_printf("From: %s\nSubject: x\n\nx\n", from);

    core_message(&core, text, strlen(text), "203.0.113.5", sender);
    free(text);
}

static const char *name_of(const struct demand *demand)
{
    return demand->profile == NULL ? "-" : demand->profile->name;
}

START_TEST(addresses)
{
    static const struct {
        const char *address, *profile;
    } rows[] = {
        {"edi@power.example", "bdew"},
        {"EDI@Power.Example", "bdew"},
        {"edi@sub.power.example", "-"},
        {"edi@power.example.evil.example", "-"},
        {"edi@notpower.example", "-"},
        {"\"edi@power.example\"@x.example", "-"},
        {"edi@grid.example", "three"},
        {"\"EDI\"@grid.example", "three"},
        {"x@grid.example", "two"},
        {"x@north.grid.example", "one"},
        {"x@south.grid.example", "two"},
        {"x@far.south.grid.example", "two"},
        {"x@mygrid.example", "-"},
        {"x@xn--mller-kva.example", "bdew"},
        {"postmaster@power.example", "-"},
        {"Mailer-Daemon@grid.example", "-"},
        {"postmasters@power.example", "bdew"},
        {"postmaster@named.example", "bdew"},
        {"other@named.example", "-"},
        {"postmaster", "-"},
        {"", "-"},
    };

    core_set_up(&core, conf, NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct demand demand = demand_on(&core.config, rows[i].address);

        ck_assert_msg(strcmp(name_of(&demand), rows[i].profile) == 0, "%s: %s", rows[i].address,
                      name_of(&demand));
        ck_assert((demand.entry != NULL) == (demand.profile != NULL));
    }
    core_tear_down(&core);
}
END_TEST

START_TEST(messages)
{
    static const struct {
        const char *from, *sender, *profile;
    } rows[] = {
        {"edi@power.example", "edi@power.example", "bdew"},
        {"edi@power.example", "bounces@else.example", "bdew"},
        {"x@else.example", "edi@power.example", "bdew"},
        {"x@else.example", "y@else.example", "-"},
        {"x@else.example, Edi <edi@power.example>", "y@else.example", "bdew"},
        {"x@else.example\nFrom: edi@power.example", "y@else.example", "bdew"},
        {"x@grid.example", "edi@power.example", "two"}, /* who is shown comes first */
        {"edi@power.example", "", "-"},
        {"postmaster@power.example", "postmaster@power.example", "-"},
        {"postmaster@power.example", "edi@power.example", "bdew"},
    };

    core_set_up(&core, conf, NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct demand demand;

        open_core(rows[i].from, rows[i].sender);
        demand = demand_on_message(&core.message);
        ck_assert_msg(strcmp(name_of(&demand), rows[i].profile) == 0, "row %zu: %s", i, name_of(&demand));
    }
    core_tear_down(&core);
}
END_TEST

/* Layers from the outside in. e: encrypted as bdew wants; g: by GCM; v: by v1.5; s: signed as bdew wants; p:
   by v1.5; 2: one signer of each. */
static const struct {
    const char *layers;
    enum unwrap_stop stop;
    enum status_signature signature;
    const char *sender, *shown;
    enum demand_end end;
    const char *found;
} verdicts[] = {
#define HIM  "edi@power.example"
#define ELSE "x@else.example"
    {"es", UNWRAP_CLEAN, STATUS_VALID, HIM, HIM, DEMAND_MET, NULL},
    {"es", UNWRAP_CLEAN, STATUS_UNTRUSTED, HIM, HIM, DEMAND_MET, NULL},
    {"ses", UNWRAP_CLEAN, STATUS_VALID, HIM, HIM, DEMAND_MET, NULL},
    {"", UNWRAP_CLEAN, STATUS_SIGNATURE_NONE, HIM, HIM, DEMAND_REFUSED, "not encrypted"},
    {"", UNWRAP_CLEAN, STATUS_SIGNATURE_NONE, ELSE, HIM, DEMAND_REFUSED, "not encrypted"},
    {"s", UNWRAP_CLEAN, STATUS_INVALID, HIM, HIM, DEMAND_REFUSED, "not encrypted"},
    {"", UNWRAP_FORM, STATUS_SIGNATURE_NONE, ELSE, HIM, DEMAND_REFUSED, "seen"},
    {"s", UNWRAP_FORM, STATUS_INVALID, HIM, HIM, DEMAND_REFUSED, "seen"},
    {"e", UNWRAP_CLEAN, STATUS_SIGNATURE_NONE, HIM, HIM, DEMAND_DOUBTED, "not signed"},
    {"ep", UNWRAP_CLEAN, STATUS_VALID, HIM, HIM, DEMAND_REFUSED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"e2", UNWRAP_CLEAN, STATUS_VALID, HIM, HIM, DEMAND_REFUSED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"eps", UNWRAP_CLEAN, STATUS_VALID, HIM, HIM, DEMAND_REFUSED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"evgs", UNWRAP_CLEAN, STATUS_VALID, HIM, HIM, DEMAND_REFUSED, "AES-256-GCM; RSAES-PKCS1-v1_5"},
    {"ep", UNWRAP_CLEAN, STATUS_VALID, "x@power.example", HIM, DEMAND_REFUSED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"ep", UNWRAP_CLEAN, STATUS_VALID, ELSE, HIM, DEMAND_DOUBTED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"ep", UNWRAP_CLEAN, STATUS_VALID, "x@grid.example", HIM, DEMAND_DOUBTED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"ep", UNWRAP_CLEAN, STATUS_VALID, HIM, ELSE, DEMAND_DOUBTED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"ep", UNWRAP_CLEAN, STATUS_VALID, HIM, NULL, DEMAND_DOUBTED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"ep", UNWRAP_CLEAN, STATUS_VALID_OTHER_ADDRESS, HIM, HIM, DEMAND_DOUBTED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"ep", UNWRAP_CLEAN, STATUS_UNTRUSTED, HIM, HIM, DEMAND_DOUBTED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"ep", UNWRAP_CLEAN, STATUS_INVALID, HIM, HIM, DEMAND_DOUBTED, "RSASSA-PKCS1-v1_5 (SHA-256)"},
    {"ep", UNWRAP_UNSUPPORTED, STATUS_VALID, HIM, HIM, DEMAND_DOUBTED, "not readable"},
    {"", UNWRAP_UNDECRYPTABLE, STATUS_SIGNATURE_NONE, HIM, HIM, DEMAND_DOUBTED, "not readable"},
    {"", UNWRAP_BROKEN, STATUS_INVALID, HIM, HIM, DEMAND_DOUBTED, "not readable"},
    {"", UNWRAP_LIMIT, STATUS_SIGNATURE_UNSUPPORTED, HIM, HIM, DEMAND_DOUBTED, "not readable"},
    {"", UNWRAP_CLEAN, STATUS_SIGNATURE_NONE, "", HIM, DEMAND_NONE, NULL},
};

static void add_signer(struct layer *layer, bool pss)
{
    struct layer_signer *signer = mem_push(&layer->signers, &layer->signer_count, sizeof(*signer));

    signer->scheme = mem_strdup(pss ? "rsa-pss-sha256" : "rsa-pkcs1-sha256");
    signer->mgf1 = pss ? mem_strdup("sha256") : NULL;
    signer->salt = pss ? 32 : 0;
}

static void fill(struct layer *layer, char letter)
{
    bool encrypted = strchr("egv", letter) != NULL;

    layer->kind = encrypted ? LAYER_ENCRYPTED : LAYER_SIGNED;
    if (encrypted) {
        layer->keytrans = mem_strdup(letter == 'v' ? "rsa-pkcs1" : "rsa-oaep-sha256");
        layer->cipher = mem_strdup(letter == 'g' ? "aes-256-gcm" : "aes-128-cbc");
    }
    if (letter == 's' || letter == '2')
        add_signer(layer, true);
    if (letter == 'p' || letter == '2')
        add_signer(layer, false);
}

static void check_verdict(size_t row)
{
    struct unwrap_node nodes[6] = {0};
    size_t n = strlen(verdicts[row].layers);
    struct unwrap_strand strand = {.stop = verdicts[row].stop, .inner = &nodes[n]};
    struct status status = {.signature = verdicts[row].signature};
    struct unwrap unwrap = {.message = &core.message, .wrong = mem_strdup("seen")};
    struct demand_verdict verdict;
    struct demand demand;

    open_core(HIM, verdicts[row].sender);
    demand = demand_on_message(&core.message);
    for (size_t i = 1; i <= n; i++) {
        nodes[i].outer = &nodes[i - 1];
        fill(&nodes[i].layer, verdicts[row].layers[i - 1]);
    }
    demand_judge(&verdict, &demand, &unwrap, &strand, &status, verdicts[row].shown);
    ck_assert_msg(verdict.end == verdicts[row].end, "row %zu: %d", row, verdict.end);
    if (verdicts[row].found == NULL)
        ck_assert_msg(verdict.found == NULL, "row %zu: %s", row, verdict.found);
    else
        ck_assert_msg(verdict.found != NULL && strcmp(verdict.found, verdicts[row].found) == 0, "row %zu: %s",
                      row, verdict.found != NULL ? verdict.found : "-");
    ck_assert_msg((verdict.reason != NULL) == (verdict.end == DEMAND_REFUSED), "row %zu", row);
    demand_verdict_free(&verdict);
    for (size_t i = 1; i <= n; i++)
        layer_free(&nodes[i].layer);
    free(unwrap.wrong);
}

START_TEST(judgements)
{
    core_set_up(&core, conf, NULL);
    for (size_t i = 0; i < ROWS(verdicts); i++)
        check_verdict(i);
    core_tear_down(&core);
}
END_TEST

/* A From that came protected inside is asked, too; without an entry nothing is. */
START_TEST(shown_from)
{
    struct unwrap_node root = {0};
    struct unwrap_strand strand = {.stop = UNWRAP_CLEAN, .inner = &root};
    struct status status = {0};
    struct unwrap unwrap = {.message = &core.message};
    struct demand_verdict verdict;
    struct demand demand;

    core_set_up(&core, conf, NULL);
    open_core(ELSE, "y@else.example");
    demand = demand_on_message(&core.message);
    ck_assert_ptr_null(demand.profile);
    demand_judge(&verdict, &demand, &unwrap, &strand, &status, ELSE);
    ck_assert_int_eq(verdict.end, DEMAND_NONE);
    demand_judge(&verdict, &demand, &unwrap, &strand, &status, NULL);
    ck_assert_int_eq(verdict.end, DEMAND_NONE);
    demand_judge(&verdict, &demand, &unwrap, &strand, &status, HIM);
    ck_assert_int_eq(verdict.end, DEMAND_REFUSED);
    ck_assert_str_eq(verdict.reason, "form-clear");
    demand_verdict_free(&verdict);
    core_tear_down(&core);
}
END_TEST

UNIT_MAIN("incoming-demand", addresses, messages, judgements, shown_from)
