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

    for (int i = 0; i < 20000; i++)
        buf_add_text(&subject, "[si");
    for (int i = 0; i < 20000; i++)
        buf_add_text(&subject, "gned]");
    result = subjecttag_apply(subject.data, &status, "en");
    ck_assert_ptr_nonnull(result);
    ck_assert_ptr_null(strstr(result, "[signed]"));
    free(result);
    buf_free(&subject);
}
END_TEST

UNIT_MAIN("incoming-subject", test_tags, test_nested)
