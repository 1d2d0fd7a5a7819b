/* One connection to the module that is tried, and what it says there. */
#ifndef JULIA_CHECK_PEER_H
#define JULIA_CHECK_PEER_H

#include <stdint.h>

#include "module/answer.h"
#include "module/channel.h"
#include "module/xml.h"
#include "modules/check/report.h"
#include "modules/check/rng.h"
#include "util/strlist.h"

/* The module that is tried. */
struct target {
    struct report report;
    struct rng *rng;
    const char *base, *role,
        *address;        /* role: "" until hello tells it; address: NULL or whose key may be used */
    struct strlist argv; /* of a module that is started here */
    const char *socket;  /* of a service, else NULL */
    int64_t timeout_ms;
    char *name;                /* from hello */
    struct strlist operations; /* from hello */
};

struct reply {
    enum { REPLY_ANSWER, REPLY_CLOSED, REPLY_LATE, REPLY_DAMAGED } kind;
    char problem[300]; /* why it does not fit the schema; "" if it does */
    struct xml_node *root;
    enum answer_status status;
    const char *reason, *id;     /* "" when absent */
    const struct xml_node *body; /* NULL if none */
};

/* A new connection; a new process where the module is started here. NULL: errno. */
struct channel *peer_try(const struct target *target);
/* The same once it has worked before: a failure now ends the program (75), there is nothing more to find out.
 */
struct channel *peer_open(const struct target *target);
void peer_close(struct channel *channel);

/* Octets as they are, no frame made of them. */
void peer_send(struct channel *channel, const char *octets, size_t len);
/* Waits for one answer. */
void peer_receive(const struct target *target, struct channel *channel, struct reply *reply_r);
/* One frame and its answer. */
void peer_ask(const struct target *target, struct channel *channel, const char *xml, const int *fds,
              size_t fd_count, struct reply *reply_r);
/* The same for the element `body` of a well-formed request with the id "check" and a sensible deadline. */
void peer_ask_body(const struct target *target, struct channel *channel, const char *body, const int *fds,
                   size_t fd_count, struct reply *reply_r);
void peer_reply_free(struct reply *reply);
/* "answer permanent invalid", "connection closed", for findings; static room. */
const char *peer_reply_text(const struct reply *reply);
bool peer_reply_is(const struct reply *reply,
                   enum answer_status status); /* an answer that fits the schema, with that status */
bool peer_has(const struct target *target, const char *operation);

/* One check on a connection of its own: the request `body` must get the status `expected`. */
void peer_expect(struct target *target, const char *name, const char *body, enum answer_status expected);
/* One check: whatever was sent must have been refused ("permanent", or the connection closed), in time. */
void peer_expect_refused(struct target *target, const char *name, const struct reply *reply);

#define PEER_NS      "xmlns=\"" XML_NAMESPACE "\""
#define PEER_REQUEST "<request " PEER_NS " id=\"check\" deadline=\"10000\">"

#endif
