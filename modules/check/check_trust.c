#include <string.h>

#include "modules/check/checks.h"

#define VALIDATE(attributes, inner) "<validate revocation=\"off\"" attributes ">" inner "</validate>"
#define RUBBISH                     "cnViYmlzaA=="

static const struct {
    const char *name, *body;
} invalid[] = {
    {"validate without a certificate is refused", VALIDATE("", "")},
    {"validate with an unknown attribute is refused",
     VALIDATE(" mood=\"good\"", "<certificate n=\"0\" use=\"any\">" RUBBISH "</certificate>")},
    {"validate with an unknown use is refused",
     VALIDATE("", "<certificate n=\"0\" use=\"forge\">" RUBBISH "</certificate>")},
    {"validate for a time that is none is refused",
     VALIDATE(" time=\"yesterday\"", "<certificate n=\"0\" use=\"any\">" RUBBISH "</certificate>")},
    {"validate with an unknown element is refused",
     VALIDATE("", "<certificate n=\"0\" use=\"any\">" RUBBISH "</certificate><wish/>")},
};

/* What is no certificate must not become a valid one, by no path through the module. */
static void check_rubbish(struct target *target, const char *name, const char *body)
{
    struct channel *channel = peer_open(target);
    struct reply reply;
    bool valid = false;

    peer_ask_body(target, channel, body, NULL, 0, &reply);
    if (reply.kind == REPLY_ANSWER && reply.body != NULL)
        for (const struct xml_node *v = reply.body->children; v != NULL; v = v->next)
            valid = valid || strcmp(xml_attribute(v, "verdict") != NULL ? xml_attribute(v, "verdict") : "",
                                    "valid") == 0;
    if (reply.kind == REPLY_ANSWER && reply.problem[0] == '\0' && !valid)
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "%s%s", peer_reply_text(&reply),
                   valid ? "; a verdict is valid" : "");
    peer_reply_free(&reply);
    peer_close(channel);
}

void check_trust(struct target *target)
{
    if (!peer_has(target, "validate")) {
        report_bad(&target->report, "it has the operation validate", "hello does not list it");
        return;
    }
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        peer_expect(target, invalid[i].name, invalid[i].body, ANSWER_PERMANENT);
    check_rubbish(target, "what is no certificate is not valid",
                  VALIDATE("", "<certificate n=\"0\" use=\"any\">" RUBBISH "</certificate>"));
    check_rubbish(
        target, "an empty certificate is not valid",
        VALIDATE("", "<certificate n=\"0\" use=\"encrypt\" address=\"a@b.example\"></certificate>"));
    check_rubbish(target, "what is not even base64 is not valid",
                  VALIDATE("", "<certificate n=\"0\" use=\"any\">A</certificate>"));
    check_rubbish(target, "rubbish among the extra certificates and CRLs does no harm",
                  VALIDATE("", "<certificate n=\"0\" use=\"any\">" RUBBISH "</certificate><extra>" RUBBISH
                               "</extra><crl>" RUBBISH "</crl>"));
    peer_expect(target, "after that, a new caller is served", "<hello version=\"1\"/>", ANSWER_OK);
}
