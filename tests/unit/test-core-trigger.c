#include "outgoing/trigger.h"

#include <string.h>

#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

struct row {
    const char *before;
    bool sign, encrypt;
    const char *after; /* NULL: as before */
};

/* What the Subject field becomes. */
static void check(const char *conf, const struct row *rows, size_t count)
{
    struct core core;
    core_set_up(&core, conf, NULL);
    for (size_t i = 0; i < count; i++) {
        struct trigger trigger;
        struct buf out = {0};
        char *text = mem_printf("%s\nbody\n", rows[i].before);
        core_message(&core, text, strlen(text), "10.0.0.1", "a@x.example");
        trigger_find(&core.message, &trigger);
        ck_assert_msg(trigger.sign == rows[i].sign && trigger.encrypt == rows[i].encrypt, "row %zu", i);
        trigger_strip(&core.config, &core.message.mime.root->header, 0, &out);
        const char *after = rows[i].after != NULL ? rows[i].after : rows[i].before;
        ck_assert_msg(strcmp(buf_text(&out), after) == 0, "row %zu: %s", i, buf_text(&out));
        buf_free(&out);
        free(text);
    }
    core_tear_down(&core);
}

START_TEST(subjects)
{
    static const struct row rows[] = {
        {"Subject: nothing here\n", false, false, NULL},
        {"Subject: [sign] hello\n", true, false, "Subject: hello\n"},
        {"Subject: hello [sign]\n", true, false, "Subject: hello\n"},
        {"Subject: a [sign] b\n", true, false, "Subject: a b\n"},
        {"Subject: a [SIGN] [Encrypt] b\n", true, true, "Subject: a b\n"},
        {"Subject:[encrypt]x\n", false, true, "Subject: x\n"},
        {"Subject: [sign]\n", true, false, "Subject:\n"},
        {"Subject: [sign][sign]x\n", true, false, "Subject: x\n"},
        /* cutting one out must not make the other */
        {"Subject: [si[encrypt]gn] x\n", false, true, "Subject: x\n"},
        {"Subject: [sig n] x\n", false, false, NULL},
        /* encoded words */
        {"Subject: =?utf-8?Q?=5Bsign=5D_Gr=C3=BC=C3=9Fe?=\n", true, false,
         "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\n"},
        {"Subject: =?utf-8?B?W2VuY3J5cHRdIEdlaGVpbQ==?=\n", false, true, "Subject: Geheim\n"},
        {"Subject: =?iso-8859-1?Q?=5Ben?= =?iso-8859-1?Q?crypt=5D_x?=\n", false, true, "Subject: x\n"},
        {"Subject: [sign] =?utf-8?Q?=5Bsign=5D?= x\n", true, false, "Subject: x\n"},
        /* other encoded words stay octet for octet */
        {"Subject: [sign] =?iso-8859-1?Q?Gr=FC=DFe?=\n", true, false,
         "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\n"},
        /* folded */
        {"Subject: long text\n [sign] more\n", true, false, "Subject: long text more\n"},
        {"Subject: long text\n more\n", false, false, NULL},
        {"SUBJECT : [sign] x\n", true, false, "SUBJECT : x\n"},
        {"Subject: [sign] caf\xc3\xa9\n", true, false, "Subject: caf\xc3\xa9\n"},
    };
    check("POLICY = both\n", rows, ROWS(rows));
}
END_TEST

/* What folding, typewriting and capitals make of a trigger. */
START_TEST(several_words)
{
    static const struct row rows[] = {
        {"Subject: x [geheime\n\tPost f\xc3\xbcr Sie] y\n", true, false, "Subject: x y\n"},
        {"Subject: x [geheime   Post f\xc3\xbcr\xc2\xa0Sie]\n", true, false, "Subject: x\n"},
        {"Subject: [GEHEIME POST F\xc3\x9cR SIE]\n", true, false, "Subject:\n"},
        {"Subject: =?iso-8859-1?Q?[geheime_Post_f=DCr?= =?utf-8?Q?_Sie]?=\n", true, false, "Subject:\n"},
        {"Subject: [geheimePost f\xc3\xbcr Sie]\n", false, false, NULL},
    };
    check("POLICY = both\nTRIGGER_SIGN = [geheime Post f\xc3\xbcr  Sie]\n", rows, ROWS(rows));
}
END_TEST

/* Millions of them take no longer than a few; none stays. */
START_TEST(many)
{
    struct core core;
    struct trigger trigger;
    struct buf text = {0}, out = {0};
    core_set_up(&core, "POLICY = both\n", NULL);
    buf_add_text(&text, "Subject: ");
    while (text.len < (1u << 20))
        buf_add_text(&text, "[sign]");
    buf_add_text(&text, "\n\nx\n");
    core_message(&core, text.data, text.len, "10.0.0.1", "a@x.example");
    trigger_find(&core.message, &trigger);
    trigger_strip(&core.config, &core.message.mime.root->header, 0, &out);
    ck_assert(trigger.sign && strstr(buf_text(&out), "sign") == NULL);
    buf_free(&text);
    buf_free(&out);
    core_tear_down(&core);
}
END_TEST

/* One in the other in the other: none stays, and the rest goes when there are too many. */
START_TEST(nested)
{
    static const char *const halves[][2] = {{"[si", "gn]"}, {"[encr", "ypt]"}};
    struct core core;
    struct trigger trigger;
    core_set_up(&core, "POLICY = both\n", NULL);
    for (size_t depth = 50; depth <= 40000; depth *= 800) {
        struct buf text = {0}, out = {0};
        buf_add_text(&text, "Subject: a ");
        for (size_t i = 0; i < depth; i++)
            buf_add_text(&text, halves[i % 2][0]);
        for (size_t i = depth; i-- > 0;)
            buf_add_text(&text, halves[i % 2][1]);
        buf_add_text(&text, " z\n\nx\n");
        core_message(&core, text.data, text.len, "10.0.0.1", "a@x.example");
        trigger_strip(&core.config, &core.message.mime.root->header, 0, &out);
        core_message(&core, out.data, out.len, "10.0.0.1", "a@x.example");
        trigger_find(&core.message, &trigger);
        ck_assert(!trigger.sign && !trigger.encrypt);
        ck_assert(depth > 50 ? strchr(out.data, 'z') == NULL : strcmp(out.data, "Subject: a z\n") == 0);
        buf_free(&text);
        buf_free(&out);
    }
    core_tear_down(&core);
}
END_TEST

START_TEST(only_when_asked)
{
    static const char text[] = "Subject: [sign] [encrypt]\n\nx\n";
    struct core core;
    struct trigger trigger;
    core_set_up(&core, "", NULL); /* POLICY=rules */
    core_message(&core, text, strlen(text), "10.0.0.1", "a@x.example");
    trigger_find(&core.message, &trigger);
    ck_assert(!trigger.sign && !trigger.encrypt);
    core_tear_down(&core);
    core_set_up(&core, "POLICY = subject\nTRIGGER_SIGN = bitte signieren\n", NULL);
    core_message(&core, text, strlen(text), "10.0.0.1", "a@x.example");
    trigger_find(&core.message, &trigger);
    ck_assert(!trigger.sign && trigger.encrypt);
    core_tear_down(&core);
}
END_TEST

/* The body never counts, a second Subject does. */
START_TEST(where_it_stands)
{
    static const char body[] = "Subject: x\n\nSubject: [sign]\n";
    static const char second[] = "Subject: x\nSubject: [sign] y\n\nb\n";
    struct core core;
    struct trigger trigger;
    core_set_up(&core, "POLICY = both\n", NULL);
    core_message(&core, body, strlen(body), "10.0.0.1", "a@x.example");
    trigger_find(&core.message, &trigger);
    ck_assert(!trigger.sign);
    core_message(&core, second, strlen(second), "10.0.0.1", "a@x.example");
    trigger_find(&core.message, &trigger);
    ck_assert(trigger.sign);
    core_tear_down(&core);
}
END_TEST

UNIT_MAIN("core-trigger", subjects, several_words, many, nested, only_when_asked, where_it_stands)
