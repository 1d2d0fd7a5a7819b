#include "unit.h"

#include <string.h>

#include "incoming/unwrap.h"
#include "incoming_modules.h"
#include "mail_input.h"

static const struct incoming_key keys[] = {
    {"bob", "bob@in.example", false, 0},      {"carol", "carol@in.example", false, 1},
    {"gate", "mail@in.example", true, 0},     {"badbob", "bob@in.example", false, 0},
    {"other", "mail@other.example", true, 0}, {NULL, NULL, false, 0},
};

#define CMS "Content-Type: application/pkcs7-mime\n\n"

/* Each group as "recipients=layers opened/stop"; layers as letters from the outside in. */
static const struct {
    const char *message, *recipients, *groups;
    unsigned int opens; /* questions to smime; they grow with layers and groups, not with recipients */
} rows[] = {
    {"Subject: x\n\nplain", "bob carol", "bob,carol=/clean", 0},
    {CMS "s plain", "bob carol", "bob,carol=s/clean", 1},
    {CMS "c s plain", "bob", "bob=cs/clean", 2},
    {CMS "E:bob plain", "bob", "bob=E/clean", 1},
    {CMS "E:bob plain", "bob carol", "carol=/undecryptable bob=E/clean", 1},
    {CMS "E:bob,carol plain", "bob carol dave", "dave=/undecryptable bob,carol=E/clean", 2},
    {CMS "E:gate plain", "bob carol dave", "bob,carol,dave=E/clean", 1},
    {CMS "E:bob,gate plain", "bob carol dave", "bob,carol,dave=E/clean", 1},
    {CMS "E:other plain", "bob carol", "bob,carol=/undecryptable", 0},
    {CMS "E:nobody plain", "bob", "bob=/undecryptable", 0},
    {CMS "E:badbob plain", "bob", "bob=/undecryptable", 1},
    {CMS "E:badbob,bob plain", "bob", "bob=E/clean", 1},
    {CMS "E:gate E:bob plain", "bob carol", "carol=E/undecryptable bob=EE/clean", 2},
    {CMS "E:bob s c plain", "bob", "bob=Esc/clean", 3},
    {CMS "s E:bob s plain", "bob carol", "carol=s/undecryptable bob=sEs/clean", 3},
    {CMS "E:bob b plain", "bob", "bob=E/broken", 2},
    {CMS "E:bob,gate u plain", "bob", "bob=E/undecryptable", 1},
    {CMS "u:bob plain", "bob carol", "bob,carol=/unsupported", 1},
    {CMS "E:bob raw", "bob", "bob=E/clean", 1},
    {CMS "e:bob raw", "bob", "bob=/undecryptable", 1}, /* CBC, and no MIME entity: not released */
    {CMS "e:bob plain", "bob", "bob=e/clean", 1},
    {CMS "e:bob s plain", "bob", "bob=es/clean", 2},
    {CMS "s s s s s s plain", "bob", "bob=sssss/limit", 5}, /* MAX_DEPTH 5 */
};

static char spool[] = "/tmp";
static struct config config = {.max_depth = 5, .max_parts = 10, .max_size = 1000, .spool_memory = 1u << 20};

static const char *stop_word(enum unwrap_stop stop)
{
    static const char *const words[] = {"clean",     "undecryptable", "unsupported", "broken",
                                        "unchecked", "unasked",       "limit",       "form"};

    return words[stop];
}

static char letter(const struct unwrap_node *node)
{
    if (node->layer.kind == LAYER_ENCRYPTED)
        return node->layer.authenticated ? 'E' : 'e';
    return node->layer.kind == LAYER_SIGNED ? 's' : 'c';
}

static void print_layers(const struct unwrap_node *node, struct buf *out)
{
    char letters[10];
    size_t n = sizeof(letters);

    for (letters[--n] = '\0'; node->outer != NULL; node = node->outer)
        letters[--n] = letter(node);
    buf_add_text(out, letters + n);
}

static void print_groups(const struct unwrap *unwrap, struct buf *out)
{
    for (size_t i = 0; i < unwrap->strand_count; i++) {
        const struct unwrap_strand *strand = &unwrap->strands[i];

        if (strand->recipients.count == 0)
            continue;
        buf_add_text(out, out->len > 0 ? " " : "");
        for (size_t k = 0; k < strand->recipients.count; k++)
            buf_printf(out, "%s%.*s", k > 0 ? "," : "", (int)strcspn(strand->recipients.items[k], "@"),
                       strand->recipients.items[k]);
        buf_add_char(out, '=');
        print_layers(strand->inner, out);
        buf_printf(out, "/%s", stop_word(strand->stop));
    }
}

static void open_message(struct message *message, const char *text)
{
    memset(message, 0, sizeof(*message));
    config.spool = spool;
    message->config = &config;
    message->size = strlen(text);
    message->fd = input_file(text, strlen(text));
    ck_assert_int_eq(mime_parse(&message->mime, message->fd, 0, message->size, NULL), 0);
}

static void add_recipients(struct strlist *list, const char *names)
{
    struct strlist words = {0};

    strlist_split(&words, names);
    for (size_t i = 0; i < words.count; i++) {
        struct buf address = {0};

        buf_printf(&address, "%s@in.example", words.items[i]);
        strlist_add(list, address.data);
        buf_free(&address);
    }
    strlist_free(&words);
}

START_TEST(test_groups)
{
    incoming_keys = keys;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct strlist recipients = {0};
        struct message message;
        struct outcome outcome;
        struct unwrap unwrap;
        struct buf out = {0};

        outcome_done(&outcome);
        open_message(&message, rows[i].message);
        add_recipients(&recipients, rows[i].recipients);
        incoming_opens = 0;
        ck_assert_msg(unwrap_run(&unwrap, &message, &recipients, NULL, &outcome), "row %zu", i);
        print_groups(&unwrap, &out);
        ck_assert_msg(strcmp(buf_text(&out), rows[i].groups) == 0, "row %zu: %s", i, buf_text(&out));
        ck_assert_msg(incoming_opens == rows[i].opens, "row %zu: %u", i, incoming_opens);
        unwrap_free(&unwrap);
        strlist_free(&recipients);
        buf_free(&out);
        mime_free(&message.mime);
        close(message.fd);
    }
}
END_TEST

static bool try_run(const char *text, const char *names, const struct config_profile *profile,
                    struct buf *groups, struct outcome *outcome)
{
    struct strlist recipients = {0};
    struct message message;
    struct unwrap unwrap;
    bool done;

    outcome_done(outcome);
    open_message(&message, text);
    add_recipients(&recipients, names);
    done = unwrap_run(&unwrap, &message, &recipients, profile, outcome);
    print_groups(&unwrap, groups);
    if (unwrap.wrong != NULL)
        buf_printf(groups, " %s", unwrap.wrong);
    unwrap_free(&unwrap);
    strlist_free(&recipients);
    mime_free(&message.mime);
    close(message.fd);
    return done;
}

static bool can_run(const char *text, const char *names, struct outcome *outcome)
{
    struct buf groups = {0};
    bool done = try_run(text, names, NULL, &groups, outcome);

    buf_free(&groups);
    return done;
}

/* "Cannot tell" is never "no key": the mail waits; but who has his key needs no other. */
START_TEST(test_uncertain)
{
    struct outcome outcome;

    incoming_keys = keys;
    incoming_uncertain = true;
    ck_assert(!can_run(CMS "E:nobody plain", "bob", &outcome));
    ck_assert_int_eq(outcome.kind, OUTCOME_TEMPORARY);
    ck_assert(!can_run(CMS "E:bob plain", "bob carol", &outcome));
    ck_assert(can_run(CMS "E:bob plain", "bob", &outcome));
    ck_assert(can_run(CMS "E:gate plain", "bob carol", &outcome));
    ck_assert(can_run(CMS "s plain", "bob", &outcome));
    incoming_uncertain = false;
    incoming_fault = "carol";
    ck_assert(!can_run(CMS "E:bob,carol plain", "bob carol", &outcome));
    ck_assert_int_eq(outcome.kind, OUTCOME_TEMPORARY);
    ck_assert(can_run(CMS "E:bob,carol plain", "bob", &outcome));
}
END_TEST

static char cbc[] = "aes-256-cbc", oaep[] = "rsa-oaep-sha256", pss[] = "pss", sha256[] = "sha256",
            yes[] = "yes";

/* A form is demanded: what everybody can see has it, or is never opened. */
START_TEST(test_form)
{
    static const struct config_profile profile = {
        .cipher = cbc, .keytrans = oaep, .rsa = pss, .digest = sha256, .strict = yes};
    static const struct {
        const char *message, *recipients, *groups;
        unsigned int opens;
    } forms[] = {
        {CMS "s plain", "bob", "bob=s/clean", 1},
        {CMS "e:bob plain", "bob carol", "carol=/undecryptable bob=e/clean", 1},
        {CMS "E:bob plain", "bob carol", "bob,carol=/form AES-256-GCM", 0},
        {CMS "E:nobody plain", "bob", "bob=/form AES-256-GCM", 0}, /* whether there is a key or not */
        {CMS "s E:bob plain", "bob", "bob=s/form AES-256-GCM", 1},
        {CMS "e:bob E:bob plain", "bob", "bob=eE/clean", 2}, /* nobody could see that */
    };

    incoming_keys = keys;
    for (size_t i = 0; i < ROWS(forms); i++) {
        struct outcome outcome;
        struct buf groups = {0};

        incoming_opens = 0;
        incoming_uncertain = strstr(forms[i].groups, "form") != NULL; /* no key module is asked then */
        ck_assert_msg(try_run(forms[i].message, forms[i].recipients, &profile, &groups, &outcome), "row %zu",
                      i);
        ck_assert_msg(strcmp(buf_text(&groups), forms[i].groups) == 0, "row %zu: %s", i, buf_text(&groups));
        ck_assert_msg(incoming_opens == forms[i].opens, "row %zu: %u", i, incoming_opens);
        buf_free(&groups);
    }
    incoming_uncertain = false;
}
END_TEST

UNIT_MAIN("incoming-unwrap", test_groups, test_uncertain, test_form)
