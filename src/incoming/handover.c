#include "incoming/handover.h"

#include <errno.h>
#include <string.h>

#include "core/roundtrip.h"
#include "core/trace.h"
#include "delivery/handoff.h"
#include "incoming/alike.h"
#include "incoming/copydigest.h"
#include "util/fdio.h"
#include "util/log.h"

static bool find_id(struct handover *handover, const struct message *message, const struct deliver *copy,
                    struct outcome *outcome)
{
    struct hold_store *store = hold_store_open(message->config, outcome);
    bool found = store != NULL &&
                 hold_id(store, message, HOLD_ORIGINAL, &copy->strand->recipients, handover->id, outcome);

    hold_store_close(store);
    return found;
}

/* On top: where notices cut a long header, this is left. */
static void write_fields(const struct handover *handover, const struct message *message, struct buf *top)
{
    header_write(top, ROUNDTRIP_HOLD, handover->holds ? handover->id : ROUNDTRIP_NO_HOLD, message->eol);
    if (message->envelope.sender[0] == '\0')
        header_write(top, ROUNDTRIP_SENDER, "<>", message->eol);
}

/* Does the copy show all that its original does? */
static bool compare(struct handover *handover, const struct message *message, const struct deliver *copy,
                    struct outcome *outcome)
{
    int rc = alike(message, copy->node);

    handover->alike = rc == 1;
    if (rc < 0)
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
    return rc >= 0;
}

bool handover_prepare(struct handover *handover, const struct message *message, struct deliver *copy,
                      bool write, struct outcome *outcome)
{
    *handover = (struct handover){.original.fd = -1};
    handover->holds = message->config->deliver == CONFIG_DELIVER_ORIGINAL && copy->node->outer != NULL;
    if (handover->holds && !compare(handover, message, copy, outcome))
        return false;
    if (!write)
        return true;
    if (handover->holds &&
        (!find_id(handover, message, copy, outcome) ||
         !deliver_judge(&handover->original, message, copy->strand, DELIVER_AS_IT_CAME, outcome) ||
         !deliver_write(&handover->original, message, outcome)))
        return false;
    write_fields(handover, message, &copy->top);
    return true;
}

/* Nothing may be at the scanner whose original could get lost. */
static bool hold_original(const struct handover *handover, const struct message *message,
                          const struct deliver *copy, struct outcome *outcome)
{
    unsigned char digest[SHA256_LEN];
    struct hold_new entry = {.kind = HOLD_ORIGINAL,
                             .recipients = &copy->strand->recipients,
                             .fd = handover->original.fd,
                             .digest = handover->alike ? digest : NULL};
    struct hold_store *store;
    uint64_t size = 0;
    bool held;

    if (!handover->holds)
        return true;
    if (fdio_size(copy->fd, &size) != 0 || copydigest(copy->fd, 0, size, digest) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        return false;
    }
    if (!handover->alike)
        log_event(LOG_LEVEL_WARNING, "hold", "id", handover->id, "text",
                  "the original can be read in different ways: it will not be exchanged for what was scanned",
                  (char *)NULL);
    store = hold_store_open(message->config, outcome);
    held = store != NULL && hold_keep(store, message, &entry, outcome);
    hold_store_close(store);
    return held;
}

size_t handover_run(const struct handover *handover, const struct message *message, struct journal *journal,
                    const struct deliver *copy, struct outcome *outcome)
{
    const char *sender = message->envelope.sender;
    struct handoff handoff = {.target = CONFIG_TARGET_SCANNER,
                              .fd = copy->fd,
                              .sender = *sender != '\0' ? sender : message->config->admin,
                              .recipients = &copy->strand->recipients,
                              .headers_only = true, /* a virus in a notice would be refused once more */
                              .failure_told = true,
                              .how = deliver_how(copy)};

    trace_add(TRACE_TARGET, config_target_name(CONFIG_TARGET_SCANNER));
    if (!hold_original(handover, message, copy, outcome))
        return 0;
    return handoff_run(message, journal, &handoff, outcome);
}

void handover_free(struct handover *handover)
{
    deliver_free(&handover->original);
}
