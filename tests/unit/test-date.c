#include "unit.h"

#include "mail/date.h"

START_TEST(test_utc)
{
    static const struct {
        const char *value, *utc; /* NULL: no date */
    } rows[] = {
        {"Sat, 20 Feb 2021 10:12:02 -0500", "Sat, 20 Feb 2021 15:12:02 +0000"},
        {"20 Feb 2021 10:12 -0500", "Sat, 20 Feb 2021 15:12:00 +0000"},
        {"Sat, 20 Feb 2021 15:12:02 +0000", "Sat, 20 Feb 2021 15:12:02 +0000"},
        {"Sat, 2 Feb 2021 15:12:02 GMT", "Sat, 2 Feb 2021 15:12:02 GMT"},
        {"Sat, 20 Feb 2021 15:12:02 +0000 (GMT Standard Time)", "Sat, 20 Feb 2021 15:12:02 +0000"},
        {"Thu, 31 Dec 2020 23:30:00 -0130 (here (and there))", "Fri, 01 Jan 2021 01:00:00 +0000"},
        {"Fri,01 Jan 2021 00:30:59 +0200", "Thu, 31 Dec 2020 22:30:59 +0000"},
        {"(x) Sat,\t20 feb  2021\t10:12:02 EST", "Sat, 20 Feb 2021 15:12:02 +0000"},
        {"Sun, 06 Nov 94 08:49:37 PDT", "Sun, 06 Nov 1994 15:49:37 +0000"},
        {"Thu, 01 Jan 04 08:49:37 +0100", "Thu, 01 Jan 2004 07:49:37 +0000"},
        {"Mon, 29 Feb 2016 23:59:60 +0100", "Mon, 29 Feb 2016 23:00:00 +0000"},
        {"Wed, 01 Jan 2075 08:49:37 +1400", "Mon, 31 Dec 2074 18:49:37 +0000"},
        {"", NULL},
        {"yesterday", NULL},
        {"Sat, 20 Feb 2021", NULL},
        {"Sat, 20 Feb 2021 10:12:02", NULL},
        {"Sat, 20 Feb 2021 10:12:02 +500", NULL},
        {"Sat, 20 Feb 2021 10:12:02 +0570", NULL},
        {"Sat, 20 Feb 2021 10:12:02 CEST", NULL},
        {"Sat, 20 Feb 2021 24:12:02 +0100", NULL},
        {"Sat, 20 Feb 2021 1:12:02 +0100", NULL},
        {"Sat, 32 Feb 2021 10:12:02 +0100", NULL},
        {"Sat, 20 Foo 2021 10:12:02 +0100", NULL},
        {"Sat, 20 Feb 20210 10:12:02 +0100", NULL},
        {"Sat, 20 Feb 1021 10:12:02 +0100", NULL},
        {"2021-02-20 10:12:02 +0100", NULL},
        {"Sat, 20 Feb 2021 10:12:02 +0100 more words", NULL},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct buf out = {0};
        bool good = date_utc(rows[i].value, &out);

        ck_assert_msg(good == (rows[i].utc != NULL), "row %zu", i);
        ck_assert_str_eq(buf_text(&out), good ? rows[i].utc : "");
        buf_free(&out);
    }
}
END_TEST

UNIT_MAIN("date", test_utc)
