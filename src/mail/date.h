/* Dates in header fields (RFC 5322 3.3, and the obsolete forms of section 4.3). */
#ifndef JULIA_DATE_H
#define JULIA_DATE_H

#include <stdbool.h>

#include "util/buf.h"

/* Appends the same moment as it is called in UTC: "Sat, 20 Feb 2021 15:12:02 +0000". A value that names no
   time zone but that one already is appended as it stands. False, and nothing appended, when it is no date.
 */
bool date_utc(const char *value, struct buf *out);

#endif
