/* Words of strangers in a text that the gateway answers for: names from certificates, addresses. They are one
   line of limited length, begin no link in a reader's mail program, and cannot end the quotation marks around
   them. */
#ifndef JULIA_FOREIGN_H
#define JULIA_FOREIGN_H

#include <stddef.h>

#include "util/strlist.h"

#define FOREIGN_NAME     120 /* characters: longer names are no names */
#define FOREIGN_EVIDENCE 900

/* At most `most` characters of the text, then "...". Full-width and small forms become plain ones, runs of
   blanks and invisible characters one blank, quotation marks "'", "@" "(at)"; a blank stands behind "." and
   ":" where a link could go on; no letter has more than two marks. NULL for NULL and nothing visible. Newly
   allocated, as all of these. */
char *foreign_text(const char *text, size_t most);
/* An address as it is, if it looks like one and like no other; else as foreign_text(). Domains that are not
   ASCII have their A-labels behind them. NULL for NULL. */
char *foreign_address(const char *address);
/* The common name in a distinguished name (RFC 4514), else all of it, as foreign_text(). Where it is one of
   these addresses (NULL: none), which have been proven, as foreign_address(). */
char *foreign_name(const char *name, const struct strlist *addresses);

#endif
