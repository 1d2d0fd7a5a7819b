/* What stays outside of an encrypted message, policy by policy. */
#include "outgoing/hcp.h"

#include <string.h>

#include "tests/unit/unit.h"

static char *outside(enum config_protection policy, const char *text)
{
    struct buf out = {0};
    struct header header;
    struct hcp hcp;
    header_parse(&header, text, strlen(text));
    hcp_begin(&hcp, policy, &header);
    buf_add_text(&out, "");
    for (size_t i = 0; i < header.count; i++)
        hcp_outside(&hcp, &header, i, &out);
    hcp_free(&hcp);
    header_free(&header);
    return buf_take(&out);
}

#define REST "Message-ID: <1@x.example>\nX-Mailer: y\nReceived: by x\n"

START_TEST(policies)
{
    static const struct {
        const char *text, *clear, *baseline, *shy; /* NULL: as the one before */
    } rows[] = {
        {REST, REST, NULL, NULL},
        {"Subject: s\r\nKeywords: a\r\n b\r\nComments: c\r\nTo: d@x.example\r\n",
         "Subject: s\r\nKeywords: a\r\n b\r\nComments: c\r\nTo: d@x.example\r\n",
         "Subject: [...]\r\nTo: d@x.example\r\n", NULL},
        /* what repeats the Subject */
        {"Subject: Re: AW: Meier GmbH\nThread-Topic: x\nX-Prev-Subject: AW: Meier\n  GmbH\nX-Report: "
         "\"meier\"\n",
         "Subject: Re: AW: Meier GmbH\nThread-Topic: x\nX-Prev-Subject: AW: Meier\n  GmbH\nX-Report: "
         "\"meier\"\n",
         "Subject: [...]\nX-Report: \"meier\"\n", NULL},
        {"Subject: 1\nX-Code: 1\nX-B: 11\nX-Priority: 1\nResent-Subject: 1\n",
         "Subject: 1\nX-Code: 1\nX-B: 11\nX-Priority: 1\nResent-Subject: 1\n",
         "Subject: [...]\nX-B: 11\nX-Priority: 1\n", NULL},
        {"Subject: Re:\nX-A:\nX-B: Re:\n", "Subject: Re:\nX-A:\nX-B: Re:\n",
         "Subject: [...]\nX-A:\nX-B: Re:\n", NULL},
        {"Subject: List\nList-Id: List <list.x.example>\nFrom: List <l@x.example>\nReceived: for List\n",
         "Subject: List\nList-Id: List <list.x.example>\nFrom: List <l@x.example>\nReceived: for List\n",
         "Subject: [...]\nList-Id: List <list.x.example>\nFrom: List <l@x.example>\nReceived: for List\n",
         "Subject: [...]\nList-Id: List <list.x.example>\nFrom: l@x.example\nReceived: for List\n"},
        /* names of people */
        {"from: =?utf-8?q?=C3=84nna?= <a@x.example>\nTo: \"B, B\" <b@x.example>, c@x.example (C)\n",
         "from: =?utf-8?q?=C3=84nna?= <a@x.example>\nTo: \"B, B\" <b@x.example>, c@x.example (C)\n", NULL,
         "from: a@x.example\nTo: b@x.example, c@x.example\n"},
        {"Cc: Team: Dora <d@x.example>, e@x.example;\n", "Cc: Team: Dora <d@x.example>, e@x.example;\n", NULL,
         "Cc: d@x.example, e@x.example\n"},
        {"Reply-To: Anna <a@x.example>\nSender: <s@x.example>\n",
         "Reply-To: Anna <a@x.example>\nSender: <s@x.example>\n", NULL,
         "Reply-To: a@x.example\nSender: s@x.example\n"},
        {"To: a@x.example,\n\tb@x.example\n", "To: a@x.example,\n\tb@x.example\n", NULL, NULL},
        {"To: undisclosed-recipients:;\nCc: Dora <d@x.example\n",
         "To: undisclosed-recipients:;\nCc: Dora <d@x.example\n", NULL, NULL},
        {"To: A <aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x.example>, B <bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb@x.example>\n",
         "To: A <aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x.example>, B <bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb@x.example>\n",
         NULL, "To: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x.example,\n bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb@x.example\n"},
        /* time zones */
        {"Date: Sat, 20 Feb 2021\n 10:12:02 -0500\nResent-Date: Sat, 20 Feb 2021 10:12:02 -0500\n",
         "Date: Sat, 20 Feb 2021\n 10:12:02 -0500\nResent-Date: Sat, 20 Feb 2021 10:12:02 -0500\n", NULL,
         "Date: Sat, 20 Feb 2021 15:12:02 +0000\nResent-Date: Sat, 20 Feb 2021 10:12:02 -0500\n"},
        {"Date: today", "Date: today\n", NULL, NULL},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *baseline = rows[i].baseline != NULL ? rows[i].baseline : rows[i].clear;
        const char *wanted[] = {rows[i].clear, rows[i].clear, baseline,
                                rows[i].shy != NULL ? rows[i].shy : baseline};
        for (int policy = CONFIG_PROTECTION_NO; policy <= CONFIG_PROTECTION_SHY; policy++) {
            char *got = outside((enum config_protection)policy, rows[i].text);
            ck_assert_msg(strcmp(got, wanted[policy]) == 0, "row %zu, policy %d:\n%s", i, policy, got);
            free(got);
        }
    }
}
END_TEST

START_TEST(copies)
{
    static const char text[] =
        "From: a\nBcc: b\nResent-Bcc: b\nRESENT-TO: c\nMIME-Version: 1.0\nContent-Type: x\n"
        "Received: x\nX-JULIA-Signature: valid\nHP-Outer: Subject: x\nARC-Seal: x\n"
        "X-Priority: 1\nDKIM-Signature: x\nno field\nReceived-By: x\nReturn-Path: <x>\n";
    static const char *const copied[] = {"From", "RESENT-TO", "X-Priority", "Received-By"};
    struct header header;
    size_t n = 0;
    header_parse(&header, text, strlen(text));
    for (size_t i = 0; i < header.count; i++)
        if (hcp_protects(&header, i)) {
            char *name = header_name(&header, i);
            ck_assert(n < ROWS(copied));
            ck_assert_str_eq(name, copied[n++]);
            free(name);
        }
    ck_assert_uint_eq(n, ROWS(copied));
    header_free(&header);
}
END_TEST

UNIT_MAIN("core-hcp", policies, copies)
