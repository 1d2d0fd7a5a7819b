/* The log as julia.conf wants it. */
#ifndef JULIA_OPENLOG_H
#define JULIA_OPENLOG_H

#include "core/config.h"

/* LOG and LOG_NAMES, for the program of this name. */
void openlog_as(const struct config *config, const char *program);

#endif
