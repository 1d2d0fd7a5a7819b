/* What is decided about an outgoing message, recipient by recipient, before anything is written. */
#ifndef JULIA_PLAN_H
#define JULIA_PLAN_H

#include "core/direction.h"
#include "core/message.h"
#include "outgoing/entity.h"
#include "outgoing/existing.h"
#include "outgoing/select.h"
#include "outgoing/signer.h"
#include "outgoing/trigger.h"

#define PLAN_NO_WANT    SIZE_MAX
#define PLAN_BY_PROFILE (-1)

enum plan_end { PLAN_SEND, PLAN_REFUSE, PLAN_WAIT };

struct plan_recipient {
    const char *address;                                /* borrowed from the envelope */
    bool hidden;                                        /* named in no To or Cc: encrypted alone */
    struct ruleset_treatment wish;                      /* rules and triggers merged (treatment.c) */
    size_t want_sign, want_sign_fallback, want_encrypt; /* look-ups in plan->select, or PLAN_NO_WANT */
    const char *no_sign_why; /* why no key may be looked up although one is wished for; NULL */
    /* decided (decide.c) */
    enum plan_end end;
    const struct select_choice *signer;      /* NULL: not signed by julia */
    const struct select_choice *certificate; /* NULL: not encrypted */
    bool common;      /* the certificate is not his own: all who have it share a message */
    bool user_signed; /* the user's own signature counts */
    const struct config_profile *profile;
    const char *dsn, *reason; /* REFUSE: for the report (delivery/report.h) */
    char *detail;             /* REFUSE: date or text, may be NULL; WAIT: what is waited for */
};

struct plan {
    struct message *message;
    struct existing existing;
    struct signer signer;
    struct trigger trigger;
    struct select *select;
    size_t *also; /* look-ups for ENCRYPT_ALSO_TO */
    size_t also_count;
    struct plan_recipient *recipients;
    size_t count;
    int protection;       /* enum config_protection, or PLAN_BY_PROFILE */
    bool kept_inside;     /* as in entity.h */
    int dkim;             /* enum config_dkim */
    const bool *left_out; /* as in entity.h; NULL */
    bool patient;         /* EIP_PATIENCE has not passed yet */
};

/* treatment.c: the addresses that everybody who gets the message can read in it, in their form for
 * comparison. */
void plan_named(const struct header *header, struct strlist *named);
bool plan_hides(const struct strlist *named, const char *recipient); /* he is none of them */
/* treatment.c: registers the look-ups for ENCRYPT_ALSO_TO. */
void plan_want_also(struct plan *plan);
/* decide.c: an archive key that is configured is not optional: without it the recipient waits. */
void plan_decide_also(const struct plan *plan, struct plan_recipient *recipient);
/* treatment.c: wishes of rules and triggers for each recipient; who may sign; which look-ups that needs. */
void treatment_decide(struct plan *plan, const struct strlist *recipients,
                      const struct direction_client *client);
/* decide.c: what becomes of each recipient, when everything is looked up. */
void decide_all(struct plan *plan);
/* decide.c: SMIME_ENGINE 0 and 1: nothing is changed, and what must be encrypted waits unless ENGINE_CLEAR.
 */
void decide_unchanged(struct plan *plan);

/* How the header goes out with this profile. */
struct entity_header plan_header(const struct plan *plan, const struct config_profile *profile,
                                 bool encrypted);
enum config_protection plan_protection(const struct plan *plan, const struct config_profile *profile);
/* Is anything changed even for those whose message is neither signed nor encrypted: a trigger in Subject? */
bool plan_clear_changes(const struct plan *plan);

void plan_refuse(struct plan_recipient *recipient, const char *dsn, const char *reason, const char *detail);
void plan_wait(struct plan_recipient *recipient, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void plan_free(struct plan *plan);

#endif
