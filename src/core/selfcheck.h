/* julia -check: configuration, rules, directories, targets and modules, every fault with file and line. */
#ifndef JULIA_SELFCHECK_H
#define JULIA_SELFCHECK_H

#include "core/config.h"
#include "util/outcome.h"

/* `config` NULL: it has faults; only those are shown. Prints to standard output. Any fault makes a temporary
 * outcome. */
void selfcheck_run(const struct config *config, const struct conf_faults *faults, struct outcome *outcome);

#endif
