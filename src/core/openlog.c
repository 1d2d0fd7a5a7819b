#include "core/openlog.h"

#include <stdlib.h>

#include "util/log.h"
#include "util/mem.h"

void openlog_as(const struct config *config, const char *program)
{
    char *key = mem_printf("%s/var/log-names.key", config->base);
    log_open(config->log, program);
    log_set_names((enum log_names)config->log_names, key);
    free(key);
}
