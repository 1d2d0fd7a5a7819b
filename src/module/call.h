/* The core's side of a module: start it or connect to it, ask, get an answer that is proven to belong to the
 * question. */
#ifndef JULIA_CALL_H
#define JULIA_CALL_H

#include "module/answer.h"
#include "module/xml.h"
#include "util/deadline.h"

/* One configured module. A process is started when first needed and kept; to a service each call is a
   connection of its own, because a worker serves one connection at a time and must not be kept waiting. */
struct call_module;

/* `spec`: "unix:/path" or a command line (words, first one absolute or relative to BASE/lib/modules). Never
   fails; faults show in calls. `role` is "keys", "trust" or "smime"; `base` is BASE for JULIA_BASE.
   `timeout_ms` bounds each call (MODULE_TIMEOUT), `until` bounds everything (DEADLINE). */
struct call_module *call_module_new(const char *spec, const char *role, const char *base, int64_t timeout_ms,
                                    deadline until);
/* Ends connections; spawned processes are ended whole (SIGTERM, SIGKILL to the group) and their last output
 * logged. */
void call_module_free(struct call_module *module);
const char *call_module_name(const struct call_module *module); /* name from hello, or the spec before that */
/* Has it ended while it worked on a question other than hello? */
bool call_module_died(const struct call_module *module);

struct call_answer {
    enum answer_status status; /* whatever goes wrong between here and the module is ANSWER_TEMPORARY */
    char *reason; /* machine word: the module's, or "timeout", "died", "damaged", "wrong-id", "refused",
                     "not-started", "invalid" (schema) */
    char *text;   /* for people */
    struct xml_node *root;       /* the <answer>; NULL when there was none */
    const struct xml_node *body; /* its operation element, NULL if none */
};
void call_answer_free(struct call_answer *answer);

/* Asks. `body` is the operation element's XML as written with xml_writer (namespace on its root); `fds` go
   along and stay the caller's. The answer's id, root element and body are checked against the contract
   (module/schema.h): with ANSWER_OK the body is there (but for a grant), has every required attribute, and
   numbers are numbers. On any doubt the connection is closed and its process ended. The first call to a
   process or service says hello and checks protocol version and role. A question that the contract does not
   know is not sent ("invalid"). */
void call_ask(struct call_module *module, const char *operation, const struct buf *body, const int *fds,
              size_t fd_count, struct call_answer *answer_r);

/* A connection of its own to a key module with a grant already accepted on it, to be passed to the smime
   module; NULL with `answer_r` saying why. The grant is the first frame there, without hello. `body` is a
   <grant> element. The descriptor stays the grant's. call_grant_revoke() ends the connection for every holder
   (shutdown) and the process if one was spawned for it; it accepts NULL. */
struct call_grant;
struct call_grant *call_grant_open(struct call_module *module, const struct buf *body,
                                   struct call_answer *answer_r);
int call_grant_fd(const struct call_grant *grant);
void call_grant_revoke(struct call_grant *grant);

#endif
