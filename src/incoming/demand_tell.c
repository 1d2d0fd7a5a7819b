#include "incoming/demand_tell.h"

#include <stdlib.h>

#include "core/explain.h"
#include "core/form.h"
#include "delivery/report.h"
#include "util/mem.h"

char *demand_text(const struct demand_verdict *verdict)
{
    struct form_text wanted;
    char *text;

    form_wanted(verdict->demand.profile, &wanted);
    text = mem_printf("found: %s; required: %s; %s; %s", verdict->found, wanted.keytrans, wanted.cipher,
                      wanted.signature);
    form_text_free(&wanted);
    return text;
}

size_t demand_refuse(const struct demand_verdict *verdict, const struct message *message,
                     struct journal *journal, const struct strlist *recipients, struct outcome *outcome)
{
    struct report_recipient *refused = mem_array(recipients->count, sizeof(*refused));
    char *detail = demand_text(verdict);
    struct form_text wanted;
    size_t count;

    form_wanted(verdict->demand.profile, &wanted);
    const char *const pairs[] = {"FOUND",         verdict->found,   "KEYTRANS",
                                 wanted.keytrans, "CIPHER",         wanted.cipher,
                                 "SIGNATURE",     wanted.signature, NULL};
    for (size_t i = 0; i < recipients->count; i++)
        refused[i] =
            (struct report_recipient){recipients->items[i], verdict->dsn, verdict->reason, detail, pairs};
    count = report_refuse_incoming(message, journal, refused, recipients->count, outcome);
    form_text_free(&wanted);
    free(detail);
    free(refused);
    return count;
}

void demand_notify(const struct demand_verdict *verdict, const struct message *message,
                   struct journal *journal, const struct strlist *recipients)
{
    const bool refused = verdict->end == DEMAND_REFUSED;
    struct form_text wanted;
    char *names;

    if (!refused && verdict->end != DEMAND_DOUBTED)
        return;
    names = strlist_join(recipients, ", ");
    form_wanted(verdict->demand.profile, &wanted);
    report_admin(message, journal, "form", "RECIPIENTS", names, "ENTRY", verdict->demand.entry, "FOUND",
                 verdict->found, "KEYTRANS", wanted.keytrans, "CIPHER", wanted.cipher, "SIGNATURE",
                 wanted.signature, "RESULT", refused ? "refused" : "delivered", (char *)NULL);
    form_text_free(&wanted);
    free(names);
}

void demand_explain_refused(const struct demand_verdict *verdict, const struct strlist *recipients,
                            struct buf *out)
{
    char *text = demand_text(verdict), *line = mem_printf("%s: %s", verdict->reason, text);

    explain_plain("incoming", NULL, recipients, line, out);
    free(line);
    free(text);
}

void demand_explain(const struct demand_verdict *verdict, struct buf *out)
{
    static const char *const words[] = {
        [DEMAND_MET] = "the message has this form",
        [DEMAND_REFUSED] = "refused, and the sender gets a report",
        [DEMAND_DOUBTED] = "not refused, for a report would tell what only a key finds; ADMIN is told"};
    char *text;

    if (verdict->end == DEMAND_NONE)
        return;
    explain_note(out, "INCOMING_PROFILE: %s: %s", verdict->demand.entry, words[verdict->end]);
    if (verdict->found == NULL)
        return;
    text = demand_text(verdict);
    explain_note(out, "  %s", text);
    free(text);
}
