#include "outgoing/plan.h"

#include <stdarg.h>
#include <stdlib.h>

#include "util/mem.h"

enum config_protection plan_protection(const struct plan *plan, const struct config_profile *profile)
{
    if (plan->protection != PLAN_BY_PROFILE)
        return (enum config_protection)plan->protection;
    return config_profile_protection(plan->message->config, profile);
}

struct entity_header plan_header(const struct plan *plan, const struct config_profile *profile,
                                 bool encrypted)
{
    return (struct entity_header){.message = plan->message,
                                  .trigger = plan->trigger,
                                  .protection = plan_protection(plan, profile),
                                  .encrypted = encrypted,
                                  .kept_inside = plan->kept_inside,
                                  .left_out = plan->left_out};
}

bool plan_clear_changes(const struct plan *plan)
{
    return (plan->trigger.sign || plan->trigger.encrypt) && plan->existing.kind != EXISTING_ENCRYPTED &&
           plan->message->mime.fault != MIME_HEADER_TOO_LONG &&
           plan->message->config->engine == CONFIG_ENGINE_WORK;
}

static void clear_decision(struct plan_recipient *recipient)
{
    free(recipient->detail);
    recipient->detail = NULL;
    recipient->signer = recipient->certificate = NULL;
}

void plan_refuse(struct plan_recipient *recipient, const char *dsn, const char *reason, const char *detail)
{
    char *copy = mem_strdup(detail);
    clear_decision(recipient);
    recipient->end = PLAN_REFUSE;
    recipient->dsn = dsn;
    recipient->reason = reason;
    recipient->detail = copy;
}

void plan_wait(struct plan_recipient *recipient, const char *format, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    clear_decision(recipient);
    recipient->end = PLAN_WAIT;
    recipient->detail = buf_take(&text);
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        ruleset_treatment_free(&plan->recipients[i].wish);
        free(plan->recipients[i].detail);
    }
    free(plan->recipients);
    free(plan->also);
    select_free(plan->select);
    signer_free(&plan->signer);
    existing_free(&plan->existing);
}
