/* The command line (julia(8)). */
#ifndef JULIA_OPTIONS_H
#define JULIA_OPTIONS_H

#include <stdbool.h>

#include "core/message.h"
#include "util/outcome.h"

enum options_action { OPTIONS_DELIVER, OPTIONS_EXPLAIN, OPTIONS_CHECK, OPTIONS_PRUNE };

struct options {
    enum options_action action;
    const char *config;               /* -c, or PREFIX/etc/julia.conf */
    bool client_given;                /* -client stood there, be it empty */
    struct message_envelope envelope; /* owned */
};

/* false: outcome filled in. CR, LF in any argument and malformed addresses are permanent (an MTA never makes
   them, a sender may); a wrong call of the program is temporary, since the administrator can mend it. */
bool options_parse(struct options *options, int argc, char *const *argv, struct outcome *outcome);
void options_free(struct options *options);

#endif
