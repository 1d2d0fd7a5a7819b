#include "incoming/misreturned.h"

#include <stdlib.h>

#include "core/explain.h"
#include "delivery/report.h"

void misreturned_refuse(const struct message *message, struct journal *journal, const char *kind,
                        const struct strlist *recipients, struct buf *explain, struct outcome *outcome)
{
    static const char text[] = "mail from the virus scanner that is not what was handed to it";
    char *names;

    if (explain != NULL) {
        explain_plain(kind, NULL, recipients, text, explain);
        return;
    }
    outcome_temporary(outcome, "4.3.5", "%s (%s)", text, kind);
    names = strlist_join(recipients, ", ");
    report_admin(message, journal, kind, "RECIPIENTS", names, (char *)NULL);
    free(names);
}
