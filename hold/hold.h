/* julia-hold(8): the parts of the program. */
#ifndef JULIA_HOLD_PROGRAM_H
#define JULIA_HOLD_PROGRAM_H

#include "delivery/hold.h"

/* Exit statuses. */
#define PROGRAM_FINE      0
#define PROGRAM_NOT       1 /* no such entry, or it is not possible; standard error says why */
#define PROGRAM_USAGE     2
#define PROGRAM_TEMPORARY 75

/* "julia-hold: TEXT" on standard error. */
void program_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Octets for a terminal: printable ASCII as it is, everything else as \xHH. Never a control sequence of a
   sender's. */
void printable_add(struct buf *out, const char *text, size_t len);

/* Each command returns an exit status. */

struct listing {
    bool all;  /* tombstones, too */
    bool json; /* one object a line */
};
int list_run(struct hold_store *store, const struct listing *listing);
int show_run(struct hold_store *store, const char *id);
/* `recipients` empty: all that are not finished. `by`: who asks for it, for the log. */
int release_run(struct hold_store *store, const char *id, const struct strlist *recipients, const char *by);
int drop_run(struct hold_store *store, const char *id, const char *by);

/* Opens the entry and its log context, or complains: NULL, *status_r. */
struct hold *program_open(struct hold_store *store, const char *id, int *status_r);

#endif
