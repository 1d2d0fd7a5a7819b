/* The terms of one request: what is asked, and by which settings it is judged. */
#ifndef JULIA_TRUST_TERMS_H
#define JULIA_TRUST_TERMS_H

#include <stdbool.h>
#include <time.h>

#include "modules/trust/settings.h"
#include "modules/trust/store.h"
#include "util/deadline.h"

enum revocation_mode { REVOCATION_REQUIRE, REVOCATION_PREFER, REVOCATION_OFF };
enum use { USE_ANY, USE_SIGN, USE_ENCRYPT };

struct terms {
    const struct settings *settings;
    struct store *store;
    time_t at; /* the moment to judge for */
    enum revocation_mode revocation;
    bool accept_weak;
    deadline until;
};

#endif
