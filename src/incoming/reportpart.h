/* The report that readers find in their mail (REPORT): what was found, in words, as the last part of it. */
#ifndef JULIA_REPORTPART_H
#define JULIA_REPORTPART_H

#include "incoming/finding.h"

/* Appends one MIME entity with its header, all line ends as `eol`: text/plain, or with REPORT=html
   multipart/alternative with text/plain and text/html. Never fails: a missing or damaged template has
   something built in for it. */
void reportpart_write(const struct finding *finding, const struct config *config, const char *eol,
                      struct buf *out);

#endif
