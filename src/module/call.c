#include "module/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/channel.h"
#include "module/environment.h"
#include "module/schema.h"
#include "util/mem.h"

#define UNIX_PREFIX "unix:"
#define PATIENCE_MS 1000 /* for a module to end by itself when its connection ends */
#define ERROR_MAX   300

struct call_module {
    char *spec, *role, *base;
    char *name;         /* from hello */
    const char *socket; /* of a service; NULL: spawned */
    struct strlist argv;
    int64_t timeout_ms;
    deadline until;
    bool greeted; /* hello was answered well: by this process, or once by the service */
    struct channel *channel;
    unsigned int last_id;
    bool died; /* ... over a question other than hello */
};

struct call_grant {
    struct channel *channel;
};

/* One question, while it is asked. */
struct question {
    struct call_module *module;
    const char *operation;
    const struct schema_operation *schema; /* NULL: none such for this role */
    char id[16];
    deadline until;     /* how long we wait */
    deadline announced; /* what the request says */
    int64_t wait_ms;    /* `until` as it was at the beginning, for people */
};

struct call_module *call_module_new(const char *spec, const char *role, const char *base, int64_t timeout_ms,
                                    deadline until)
{
    struct call_module *module = mem_alloc(sizeof *module);

    module->spec = mem_strdup(spec);
    module->role = mem_strdup(role);
    module->base = mem_strdup(base);
    module->timeout_ms = timeout_ms;
    module->until = until;
    if (strncmp(spec, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        module->socket = module->spec + strlen(UNIX_PREFIX);
    else
        environment_command(&module->argv, base, spec);
    return module;
}

void call_module_free(struct call_module *module)
{
    if (module == NULL)
        return;
    channel_close(module->channel, PATIENCE_MS, NULL);
    strlist_free(&module->argv);
    free(module->spec);
    free(module->role);
    free(module->base);
    free(module->name);
    free(module);
}

const char *call_module_name(const struct call_module *module)
{
    return module->name != NULL ? module->name : module->spec;
}

void call_answer_free(struct call_answer *answer)
{
    free(answer->reason);
    free(answer->text);
    xml_free(answer->root);
    *answer = (struct call_answer){0};
}

static void __attribute__((format(printf, 4, 5)))
fault(struct call_answer *answer, const struct call_module *module, const char *reason, const char *format,
      ...)
{
    struct buf text = {0};
    va_list ap;

    buf_printf(&text, "module %s: ", call_module_name(module));
    va_start(ap, format);
    buf_vprintf(&text, format, ap); /* may speak of the answer: freed only now */
    va_end(ap);
    call_answer_free(answer);
    answer->status = ANSWER_TEMPORARY;
    answer->reason = mem_strdup(reason);
    answer->text = buf_take(&text);
}

static const char *text_or(const struct call_answer *answer)
{
    return answer->text != NULL ? answer->text : "no reason given";
}

static struct question question_new(struct call_module *module, const char *operation)
{
    struct question q = {
        .module = module, .operation = operation, .schema = schema_find(module->role, operation)};
    struct buf id = {0};

    buf_printf(&id, "%u", ++module->last_id);
    memcpy(q.id, buf_text(&id), id.len + 1);
    buf_free(&id);
    q.until = deadline_min(module->until, deadline_in(module->timeout_ms));
    q.announced = q.until;
    q.wait_ms = deadline_left(q.until);
    return q;
}

static void write_request(const struct question *q, const struct buf *body, struct buf *out)
{
    struct xml_writer w;
    int64_t left = deadline_left(q->announced);

    xml_begin(&w, out);
    xml_open(&w, "request");
    xml_put(&w, "id", q->id);
    xml_put_number(&w, "deadline", (uint64_t)left < SCHEMA_NUMBER_MAX ? (uint64_t)left : SCHEMA_NUMBER_MAX);
    xml_text(&w, "");
    buf_add(out, buf_text(body), body->len);
    xml_close(&w);
}

/* The body of an answer with status ok must be the operation's, and nothing else. */
static bool body_fits(const struct question *q, const struct call_answer *answer, char *error, size_t size)
{
    const struct xml_node *body = answer->root->children;

    if (answer->status != ANSWER_OK || q->schema->answer == NULL) {
        snprintf(error, size, "an element in an answer that has none");
        return body == NULL;
    }
    if (body == NULL || body->next != NULL) {
        snprintf(error, size, "not exactly one element in the answer");
        return false;
    }
    return schema_check(q->schema->answer, body, error, size);
}

/* Reads the document into the answer; anything that does not belong to the question is a fault. */
static bool read_answer(const struct question *q, const struct buf *xml, struct call_answer *answer)
{
    char error[ERROR_MAX] = "";
    struct xml_node *root = xml_parse(xml->data, xml->len, error, sizeof error);
    const char *id;

    if (root == NULL) {
        fault(answer, q->module, "damaged", "the answer to %s is no proper XML: %s", q->operation, error);
        return false;
    }
    answer->root = root;
    if (!xml_is(root, schema_answer.name) || !schema_check_own(&schema_answer, root, error, sizeof error)) {
        fault(answer, q->module, "invalid", "the answer to %s breaks the protocol: %s", q->operation,
              error[0] != '\0' ? error : "it is no answer element");
        return false;
    }
    (void)answer_status_parse(xml_attribute(root, "status"), &answer->status);
    answer->reason = mem_strdup(xml_attribute(root, "reason"));
    answer->text = mem_strdup(xml_attribute(root, "text"));
    id = xml_attribute(root, "id");
    if (id[0] == '\0' && answer->status != ANSWER_OK) {
        fault(answer, q->module, "refused", "it could not read the request %s: %.200s", q->operation,
              text_or(answer));
        return false;
    }
    if (strcmp(id, q->id) != 0) {
        fault(answer, q->module, "wrong-id", "it answered another request than %s", q->operation);
        return false;
    }
    if (!body_fits(q, answer, error, sizeof error)) {
        fault(answer, q->module, "invalid", "the answer to %s breaks the protocol: %s", q->operation, error);
        return false;
    }
    answer->body = root->children;
    return true;
}

/* Tells what became of the exchange, after its connection was closed. */
static void exchange_fault(const struct question *q, enum frame_result result, int error,
                           const struct process_result *end, struct call_answer *answer)
{
    const struct call_module *module = q->module;

    if (result == FRAME_TIMEOUT)
        fault(answer, module, "timeout", "no answer to %s within %lld ms", q->operation,
              (long long)q->wait_ms);
    else if (result == FRAME_ERROR)
        fault(answer, module, "damaged", "%s failed: %s", q->operation, strerror(error));
    else if (result == FRAME_DAMAGED)
        fault(answer, module, "damaged",
              "the answer to %s is damaged: bad or too large length, or an early end", q->operation);
    else if (end->end == PROCESS_EXITED)
        fault(answer, module, "died", "it ended with exit status %d instead of answering %s", end->code,
              q->operation);
    else if (end->end == PROCESS_SIGNALLED)
        fault(answer, module, "died", "it was killed by signal %d while answering %s", end->code,
              q->operation);
    else
        fault(answer, module, "died", "it closed the connection instead of answering %s", q->operation);
}

/* Asks on that channel. On any doubt about the answer the channel is closed and *channel is NULL. */
static void exchange(const struct question *q, struct channel **channel, const struct buf *body,
                     const int *fds, size_t fd_count, struct call_answer *answer)
{
    struct buf request = {0}, xml = {0};
    enum frame_result result;
    struct process_result end;
    int error;

    write_request(q, body, &request);
    result = channel_exchange(*channel, &request, fds, fd_count, &xml, q->until);
    error = errno;
    if (result == FRAME_OK && channel_state(*channel) == CHANNEL_SPOKE)
        result = FRAME_DAMAGED; /* two answers to one question */
    if (result != FRAME_OK || !read_answer(q, &xml, answer)) {
        channel_close(*channel, result == FRAME_EOF ? PATIENCE_MS : 0, &end);
        *channel = NULL;
        if (result != FRAME_OK)
            exchange_fault(q, result, error, &end, answer);
    }
    buf_free(&request);
    buf_free(&xml);
}

static struct channel *open_channel(const struct question *q, struct call_answer *answer)
{
    struct call_module *module = q->module;
    struct channel *channel = NULL;

    if (module->socket != NULL) {
        channel = channel_connect(module->socket, q->until);
    } else if (module->argv.count > 0) {
        channel = channel_spawn(module->argv.items, module->base, module->spec);
    } else {
        fault(answer, module, "not-started", "no command line is configured");
        return NULL;
    }
    if (channel == NULL && module->socket != NULL)
        fault(answer, module, errno == EACCES || errno == EPERM ? "refused" : "not-started",
              "cannot connect to its socket: %s; is the service running?", strerror(errno));
    else if (channel == NULL)
        fault(answer, module, "not-started", "cannot start %s: %s", module->argv.items[0], strerror(errno));
    return channel;
}

/* Version, role and name. What the module says against it is temporary: somebody has to put the configuration
 * right. */
static bool greet(struct question *q, struct channel **channel, struct call_answer *answer)
{
    static const char hello[] = "<hello xmlns=\"" XML_NAMESPACE "\" version=\"1\"/>";
    struct question greeting = question_new(q->module, "hello");
    struct buf body = {0};
    const char *role;

    greeting.until = greeting.announced = q->until;
    buf_add_text(&body, hello);
    exchange(&greeting, channel, &body, NULL, 0, answer);
    buf_free(&body);
    if (*channel == NULL)
        return false;
    role = answer->body != NULL ? xml_attribute(answer->body, "role") : NULL;
    if (role == NULL) {
        fault(answer, q->module, "refused", "it refused to talk: %.200s", text_or(answer));
    } else if (strcmp(role, q->module->role) != 0) {
        fault(answer, q->module, "refused", "it has the role %s, but %s is needed here", role,
              q->module->role);
    } else {
        free(q->module->name);
        q->module->name = mem_strdup(xml_attribute(answer->body, "name"));
        q->module->greeted = true;
        call_answer_free(answer);
        return true;
    }
    channel_close(*channel, 0, NULL);
    *channel = NULL;
    return false;
}

/* The module's own connection, greeted and quiet. */
static bool ready(struct question *q, struct call_answer *answer)
{
    struct call_module *module = q->module;

    if (module->channel != NULL && channel_state(module->channel) != CHANNEL_QUIET) {
        channel_close(module->channel, 0, NULL); /* it ended, or spoke unasked: a new one */
        module->channel = NULL;
    }
    if (module->channel == NULL) {
        module->greeted = module->greeted && module->socket != NULL;
        module->channel = open_channel(q, answer);
    }
    if (module->channel == NULL)
        return false;
    return module->greeted || greet(q, &module->channel, answer);
}

/* A service's worker serves one connection at a time: it is not kept waiting for our next question. */
static void release(struct call_module *module)
{
    if (module->socket == NULL)
        return;
    channel_close(module->channel, 0, NULL);
    module->channel = NULL;
}

static void ask_ready(const struct question *q, const struct buf *body, const int *fds, size_t fd_count,
                      struct call_answer *answer_r)
{
    struct call_module *module = q->module;

    exchange(q, &module->channel, body, fds, fd_count, answer_r);
    if (strcmp(q->operation, "hello") != 0 && answer_r->reason != NULL &&
        strcmp(answer_r->reason, "died") == 0)
        module->died = true;
}

void call_ask(struct call_module *module, const char *operation, const struct buf *body, const int *fds,
              size_t fd_count, struct call_answer *answer_r)
{
    struct question q = question_new(module, operation);

    *answer_r = (struct call_answer){0};
    if (q.schema == NULL)
        fault(answer_r, module, "invalid", "there is no operation %s in role %s", operation, module->role);
    else if (ready(&q, answer_r))
        ask_ready(&q, body, fds, fd_count, answer_r);
    release(module);
}

bool call_module_died(const struct call_module *module)
{
    return module->died;
}

struct call_grant *call_grant_open(struct call_module *module, const struct buf *body,
                                   struct call_answer *answer_r)
{
    struct question q = question_new(module, "grant");
    struct channel *channel = NULL;
    struct call_grant *grant = NULL;

    *answer_r = (struct call_answer){0};
    if (q.schema == NULL)
        fault(answer_r, module, "invalid", "there is no grant in role %s", module->role);
    else if (module->greeted || ready(&q, answer_r))
        channel = open_channel(&q, answer_r);
    release(module);
    if (channel == NULL)
        return NULL;
    if (module->until != DEADLINE_NEVER)
        q.announced = module->until; /* it is used after this call */
    exchange(&q, &channel, body, NULL, 0, answer_r);
    if (channel != NULL && answer_r->status == ANSWER_OK) {
        grant = mem_alloc(sizeof *grant);
        grant->channel = channel;
    } else {
        channel_close(channel, 0, NULL);
    }
    return grant;
}

int call_grant_fd(const struct call_grant *grant)
{
    return channel_fd(grant->channel);
}

void call_grant_revoke(struct call_grant *grant)
{
    if (grant == NULL)
        return;
    channel_close(grant->channel, PATIENCE_MS, NULL);
    free(grant);
}
