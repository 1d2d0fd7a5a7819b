/* SUBJECT_TAGS=yes: words in Subject that say what was found, for readers who never look at a header. */
#ifndef JULIA_SUBJECTTAG_H
#define JULIA_SUBJECTTAG_H

#include "incoming/status.h"

/* The decoded Subject with the tags of this status in front, in the language ("de", else English), newly
   allocated. Tags that stand in it already, in any language, are removed: they came from outside. NULL when
   nothing changes. */
char *subjecttag_apply(const char *subject, const struct status *status, const char *language);

#endif
