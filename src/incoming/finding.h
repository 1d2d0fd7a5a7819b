/* What julia found in an incoming message, as values for the templates that tell it to its readers
   (julia-templates(5), "Values in incoming-report"). */
#ifndef JULIA_FINDING_H
#define JULIA_FINDING_H

#include "core/config.h"
#include "incoming/status.h"
#include "incoming/unwrap.h"

/* NAME, value, NAME, value ...; `items` serve as pairs of report_text(). */
struct finding {
    struct strlist values; /* one line each; a name without value is absent */
    struct strlist blocks; /* ENCRYPTION_MEANING, SIGNATURE_MEANING: paragraphs from templates */
};

/* `from`: the address in From as it is shown, NULL when there is not exactly one. Everything that strangers
   wrote is made harmless (foreign.h). Recipients are named only to themselves. */
void finding_collect(struct finding *finding, const struct config *config, const struct unwrap_strand *strand,
                     const struct status *status, const char *from);
void finding_free(struct finding *finding);

/* The short words for a status, from the first line of the template KIND-WORD.txt ("signature", "valid").
   Never empty. Newly allocated. */
char *finding_words(const struct config *config, const char *kind, const char *word);

#endif
