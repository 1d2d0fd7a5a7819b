/* The module's side: one call does transport, hello, frames, deadlines, strict XML; the author writes
 * operations only. */
#ifndef JULIA_SERVE_H
#define JULIA_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "module/answer.h"
#include "module/frame.h"
#include "module/xml.h"

struct serve_request {
    const struct xml_node *body; /* the operation element */
    int fds[FRAME_FDS_MAX];      /* closed after the operation unless set to -1 */
    size_t fd_count;
    deadline until;   /* the caller waits no longer */
    uid_t peer_uid;   /* SO_PEERCRED */
    void *connection; /* set up by connection_open, e.g. the grant */
};

struct serve_answer {
    enum answer_status status;
    const char *reason;       /* machine word, static */
    struct buf text;          /* for people; may stay empty */
    struct xml_writer writer; /* writes the operation's element(s) into `body`; may stay unused */
    struct buf body;
};
void serve_fail(struct serve_answer *answer, enum answer_status status, const char *reason,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

struct serve_operation {
    const char *name;
    void (*run)(const struct serve_request *request, struct serve_answer *answer, void *module);
};

struct serve_module {
    const char *name, *role;
    const struct serve_operation *operations; /* name NULL ends the list */
    void *module;                             /* passed to every operation */
    /* Optional. Called before the first frame of a connection and after its end. */
    void *(*connection_open)(void *module, uid_t peer_uid);
    void (*connection_close)(void *module, void *connection);
    /* Optional. Whether somebody may still come back to this silent connection, until the deadline of its
       last request: a grant waits for its use. */
    bool (*connection_waits)(void *module, const void *connection);
    /* Optional. Called for each request before its operation: false refuses it (answer filled in). `number`
       counts from 0 on this connection; hello and frames that were refused count too. hello is asked about
       like any operation. */
    bool (*admit)(const char *operation, unsigned int number, const struct serve_request *request,
                  struct serve_answer *answer, void *module);
};

/* Serves descriptor 0: a connected socket to its end, or a listening one, one connection after another (a
   silent connection keeps a worker for 10 s, unless connection_waits says more). What is no
   proper request is answered "damaged" or "invalid" and never reaches an operation: there, every element and
   attribute fits the contract (module/schema.h). Returns the exit status. Usage faults (descriptor 0 is no
   socket) are told on stderr. SIGTERM ends after the running request; SIGHUP ends a service's worker after
   the running connection. Makes the process undumpable where available. System calls while serving: accept4
   clock_gettime close fcntl fstat getsockopt poll ppoll recvmsg rt_sigprocmask rt_sigreturn sendmsg, and what
   malloc(3) and the operations need. */
int module_serve(const struct serve_module *module);

/* The descriptor numbered by attribute `attribute` of `node`, checked: a regular file (S_ISREG) / a Unix
   stream socket. -1 and `answer` filled in when not. The request keeps ownership. */
int serve_fd_regular(const struct serve_request *request, const struct xml_node *node, const char *attribute,
                     struct serve_answer *answer);
int serve_fd_socket(const struct serve_request *request, const struct xml_node *node, const char *attribute,
                    struct serve_answer *answer);

/* BASE for this module: JULIA_BASE, else the installed prefix. */
const char *serve_base(void);

#endif
