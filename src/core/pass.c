#include "core/pass.h"

#include "core/trace.h"
#include "delivery/handoff.h"

size_t pass_run(const struct message *message, struct journal *journal, enum config_target target,
                const struct strlist *recipients, const char *how, struct outcome *outcome)
{
    struct handoff handoff = {.target = target,
                              .fd = message->fd,
                              .start = message->offset,
                              .sender = message->envelope.sender,
                              .recipients = recipients,
                              .how = how};
    trace_add(TRACE_TARGET, config_target_name(target));
    return handoff_run(message, journal, &handoff, outcome);
}
