/* Which DKIM-Signature fields what julia does would break (RFC 6376). */
#include <stdlib.h>
#include <string.h>

#include "outgoing/dkim.h"
#include "tests/unit/core_fixture.h"
#include "tests/unit/unit.h"
#include "util/mem.h"

#define SEALED true
#define CLEAR  false

static bool is_broken(const char *conf, const char *signature, const char *fields, bool sealed)
{
    struct core core;
    char *text =
        mem_printf("DKIM-Signature: %s\nFrom: a@behoerde.de\nTo: b@y.example\nSubject: [sign] s\n%s\nx\n",
                   signature, fields);
    core_set_up(&core, conf, NULL);
    core_message(&core, text, strlen(text), "10.0.0.1", "a@behoerde.de");
    struct entity_header how = {.message = &core.message, .trigger = {.sign = true}};
    bool *flags = dkim_broken(&how, sealed);
    bool broken = flags != NULL && flags[0];
    free(flags);
    free(text);
    core_tear_down(&core);
    return broken;
}

START_TEST(signatures)
{
    static const struct {
        const char *signature, *fields;
        bool sealed, broken;
    } rows[] = {
        {"v=1; a=rsa-sha256; d=behoerde.de; s=s; h=From:To; bh=x; b=y", "", SEALED, true},
        {"v=1; d=behoerde.de; h=From", "", CLEAR, false},
        {"v=1; d=behoerde.de; h=From:Subject", "", CLEAR, true},
        {"v=1;\n d = BEHOERDE.de ;\n h = From :\n subject", "", CLEAR, true},
        {"v=1; d=mail.behoerde.de; h=From", "", SEALED, true},
        {"v=1; d=x.intern.example; h=From", "", SEALED, true},
        {"v=1; d=intern.example; h=From", "", SEALED, true},
        {"v=1; d=xbehoerde.de; h=From", "", SEALED, false},
        {"v=1; d=de; h=From", "", SEALED, false},
        {"v=1; d=other.example; h=From:Subject", "", SEALED, false},
        {"v=1; h=From; bh=d=behoerde.de", "", SEALED, false},
        {"v=1; i=@behoerde.de; d=other.example; h=From", "", SEALED, false},
        {"d=behoerde.de; h=From; l=0", "", SEALED, false},
        {"d=behoerde.de; h=From; l=00", "", SEALED, false},
        {"d=behoerde.de; h=From; l=", "", SEALED, true},
        {"d=behoerde.de; h=From; l=7", "", SEALED, true},
        {"d=behoerde.de; h=From:Content-Type; l=0", "", SEALED, true},
        {"d=behoerde.de; h=From:content-type", "Content-Type: text/plain\n", CLEAR, false},
        {"d=behoerde.de; h=From:Bcc; l=0", "Bcc: c@z.example\n", SEALED, true},
        {"d=behoerde.de; h=From:Bcc", "Bcc: c@z.example\n", CLEAR, false},
        {"d=behoerde.de; h=From:MIME-Version; l=0", "MIME-Version: 1.0\n", SEALED, false},
        {"d=behoerde.de; h=From:MIME-Version; l=0", "", SEALED, true},  /* signed as absent, and added */
        {"d=behoerde.de; h=Subject", "Subject: below\n", CLEAR, false}, /* the lowest one counts first */
        {"d=behoerde.de; h=Subject:Subject", "Subject: below\n", CLEAR, true}, /* and then the one above */
        {"d=behoerde.de; h=:::From::", "", CLEAR, false},
        {"", "", SEALED, false},
        {"d", "", SEALED, false},
        {"d=", "", SEALED, false},
        {";;;d=behoerde.de", "", SEALED, true},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        ck_assert_msg(is_broken("POLICY = both\n", rows[i].signature, rows[i].fields, rows[i].sealed) ==
                          rows[i].broken,
                      "row %zu: %s", i, rows[i].signature);
}
END_TEST

START_TEST(several)
{
    static const char text[] =
        "DKIM-Signature: d=other.example; h=From\nDKIM-Signature: d=behoerde.de; h=From\n"
        "From: a@behoerde.de\nDKIM-Signature: d=behoerde.de; h=To; l=0\n\nx\n";
    struct core core;
    struct buf out = {0};
    core_set_up(&core, "", NULL);
    core_message(&core, text, strlen(text), "10.0.0.1", "a@behoerde.de");
    struct plan plan = {.message = &core.message, .dkim = CONFIG_DKIM_REMOVE};
    struct entity_header how = plan_header(&plan, NULL, true);
    bool *removed = dkim_remove(&plan, &how, SEALED);
    entity_outer_header(&how, &out);
    ck_assert_str_eq(out.data, "DKIM-Signature: d=other.example; h=From\nFrom: a@behoerde.de\n"
                               "DKIM-Signature: d=behoerde.de; h=To; l=0\nMIME-Version: 1.0\n");
    free(removed);
    plan.dkim = CONFIG_DKIM_KEEP;
    ck_assert_ptr_null(dkim_remove(&plan, &how, SEALED));
    buf_free(&out);
    core_tear_down(&core);
}
END_TEST

/* A signature that names more than can be looked up counts as broken; those below the limit do not. */
START_TEST(many_names)
{
    for (size_t names = 900; names <= 1100; names += 200) {
        struct buf signature = {0};
        buf_add_text(&signature, "d=behoerde.de; h=From");
        for (size_t i = 0; i < names; i++)
            buf_printf(&signature, ":x%zu", i);
        ck_assert(is_broken("POLICY = both\n", signature.data, "", CLEAR) == (names > 1000));
        buf_free(&signature);
    }
}
END_TEST

UNIT_MAIN("core-dkim", signatures, several, many_names)
