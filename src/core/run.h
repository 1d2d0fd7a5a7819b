/* What one call of julia does, after its options are read. */
#ifndef JULIA_RUN_H
#define JULIA_RUN_H

#include "core/options.h"

/* Every fault ends up in `outcome`. Standard output gets what -explain and -check show; the outcome's own
 * line is the caller's. */
void run_options(struct options *options, struct outcome *outcome);

#endif
