/* Hand-off of the message as it came, octet for octet (without a leading From_ line). */
#ifndef JULIA_PASS_H
#define JULIA_PASS_H

#include "core/message.h"
#include "delivery/journal.h"

/* Returns what handoff_run() does. */
size_t pass_run(const struct message *message, struct journal *journal, enum config_target target,
                const struct strlist *recipients, const char *how, struct outcome *outcome);

#endif
