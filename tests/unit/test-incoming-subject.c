#include "unit.h"

#include <string.h>

#include "incoming/subjecttag.h"
#include "util/buf.h"

static const struct {
    const char *subject;
    enum status_encryption encryption;
    enum status_signature signature;
    const char *language, *result; /* NULL: stays */
} rows[] = {
    {"Hello", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", NULL},
    {"Hello", STATUS_DECRYPTED, STATUS_VALID, "en", "[encrypted] [signed] Hello"},
    {"Hello", STATUS_DECRYPTED, STATUS_VALID, "de", "[verschl\303\274sselt] [signiert] Hello"},
    {"Hello", STATUS_ENCRYPTION_NONE, STATUS_INVALID, NULL, "[SIGNATURE INVALID] Hello"},
    {"[signed] Hello", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "Hello"},
    {"Re: [SIGNED] Hello", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "de", "Re: Hello"},
    {"Re: [signiert] Hello", STATUS_ENCRYPTION_NONE, STATUS_VALID, "en", "[signed] Re: Hello"},
    {"[si[signed]gned] x", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "x"},
    {"[VERSCHL\303\234SSELT] x", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "x"},
    {"[verschl\303", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", NULL},
    {"[sig\302\255ned] x", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "x"},
    {"\342\200\213[sig\342\200\213n\342\200\256ed] x", STATUS_ENCRYPTION_NONE, STATUS_VALID, "en",
     "[signed] x"},
    {"a\342\200\215b", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", NULL},
    {"a\342\200\215b", STATUS_ENCRYPTION_NONE, STATUS_VALID, "en", "[signed] a\342\200\215b"},
    /* letters and brackets of other makes, marks, blanks */
    {"\357\274\273\357\275\223\357\275\211\357\275\207\357\275\216\357\275\205\357\275\204\357\274\275 "
     "full-width",
     STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "full-width"},
    {"\343\200\220signed\343\200\221 lenticular", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en",
     "lenticular"},
    {"[\321\225igned] Cyrillic", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "Cyrillic"},
    {"[\360\235\220\254\360\235\220\242\360\235\220\240\360\235\220\247\360\235\220\236\360\235\220\235] "
     "bold",
     STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "bold"},
    {"[verschlu\314\210sselt] decomposed", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "decomposed"},
    {"[s\314\262igned] underlined", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "underlined"},
    {"[ signed\302\240 ] blanks", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", "blanks"},
    {"[ Signed by  another\343\200\200address ] x", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "de", "x"},
    {"[designed] [signedx] [ sign ] [", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", NULL},
    {"[other] tag", STATUS_ENCRYPTION_NONE, STATUS_SIGNATURE_NONE, "en", NULL},
    {"", STATUS_ENCRYPTION_NONE, STATUS_VALID, "en", "[signed] "},
};

START_TEST(test_tags)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct status status = {.encryption = rows[i].encryption, .signature = rows[i].signature};
        char *result = subjecttag_apply(rows[i].subject, &status, rows[i].language);

        if (rows[i].result == NULL)
            ck_assert_msg(result == NULL, "row %zu: %s", i, result);
        else
            ck_assert_msg(result != NULL && strcmp(result, rows[i].result) == 0, "row %zu: %s", i, result);
        free(result);
    }
}
END_TEST

/* However deep tags are nested in tags: none is left, and it does not take long. */
START_TEST(test_nested)
{
    struct status status = {0};
    struct buf subject = {0};
    char *result;

    for (int i = 0; i < 200000; i++)
        buf_add_text(&subject, "[si");
    for (int i = 0; i < 200000; i++)
        buf_add_text(&subject, "gned]");
    result = subjecttag_apply(subject.data, &status, "en");
    ck_assert_ptr_nonnull(result);
    ck_assert_ptr_null(strstr(result, "[signed]"));
    ck_assert_ptr_null(strchr(result, '['));
    free(result);
    buf_free(&subject);
}
END_TEST

UNIT_MAIN("incoming-subject", test_tags, test_nested)
