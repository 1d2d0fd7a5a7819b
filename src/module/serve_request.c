#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "module/schema.h"
#include "module/serve_private.h"
#include "util/fdio.h"

#define ERROR_MAX       300
#define DEADLINE_MAX_MS (60 * 60 * 1000) /* whatever a request says: nobody waits longer than an hour */

void serve_fail(struct serve_answer *answer, enum answer_status status, const char *reason,
                const char *format, ...)
{
    va_list ap;

    answer->status = status;
    answer->reason = reason;
    buf_clear(&answer->text);
    va_start(ap, format);
    buf_vprintf(&answer->text, format, ap);
    va_end(ap);
    buf_clear(&answer->body);
    xml_begin(&answer->writer, &answer->body);
}

static void run_hello(const struct serve_module *module, struct serve_answer *answer)
{
    struct xml_writer *w = &answer->writer;

    xml_open(w, "hello");
    xml_put(w, "version", "1");
    xml_put(w, "role", module->role);
    xml_put(w, "name", module->name);
    for (const struct serve_operation *o = module->operations; o->name != NULL; o++) {
        xml_open(w, "operation");
        xml_put(w, "name", o->name);
        xml_close(w);
    }
    xml_close(w);
}

static const struct serve_operation *find_operation(const struct serve_module *module, const char *name)
{
    for (const struct serve_operation *o = module->operations; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

/* The operation is known and its element fits the contract. */
static bool check_body(const struct serve_module *module, const struct xml_node *body,
                       struct serve_answer *answer)
{
    const struct schema_operation *schema = schema_find(module->role, body->name);
    bool hello = xml_is(body, "hello");
    const char *version = hello ? xml_attribute(body, "version") : NULL;
    char error[ERROR_MAX];

    if (schema == NULL || (!hello && find_operation(module, body->name) == NULL)) {
        serve_fail(answer, ANSWER_PERMANENT, "unknown-operation", "%s has no operation %.60s", module->name,
                   body->name);
        return false;
    }
    if (version != NULL && strcmp(version, "1") != 0) {
        serve_fail(answer, ANSWER_PERMANENT, "version", "%s speaks version 1 of the protocol, not %.20s",
                   module->name, version);
        return false;
    }
    if (!schema_check(schema->request, body, error, sizeof error)) {
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "%s", error);
        return false;
    }
    return true;
}

static void run_body(const struct serve_connection *c, const struct serve_request *request,
                     struct serve_answer *answer)
{
    const struct serve_module *module = c->module;
    const char *name = request->body->name;

    if (!check_body(module, request->body, answer))
        return;
    if (module->admit != NULL && !module->admit(name, c->number, request, answer, module->module))
        return;
    if (deadline_passed(request->until)) {
        serve_fail(answer, ANSWER_TEMPORARY, "timeout", "the deadline passed before the operation began");
        return;
    }
    if (xml_is(request->body, "hello"))
        run_hello(module, answer);
    else
        find_operation(module, name)->run(request, answer, module->module);
    if (answer->writer.depth != 0)
        serve_fail(answer, ANSWER_TEMPORARY, "internal", "%s left its answer to %s unfinished", module->name,
                   name);
}

static void write_answer(const char *id, struct serve_answer *answer, struct buf *out)
{
    struct xml_writer w;

    xml_begin(&w, out);
    xml_open(&w, "answer");
    xml_put(&w, "id", id);
    xml_put(&w, "status", answer_status_name(answer->status));
    xml_put(&w, "reason", answer->reason);
    if (answer->text.len > 0)
        xml_put(&w, "text", buf_text(&answer->text));
    xml_text(&w, "");
    if (answer->status == ANSWER_OK)
        buf_add(out, buf_text(&answer->body), answer->body.len);
    xml_close(&w);
}

/* Writes the answer; one that no frame can carry becomes a fault. */
static void finish_answer(const char *id, struct serve_answer *answer, struct buf *out)
{
    write_answer(id, answer, out);
    if (out->len > FRAME_MAX) {
        buf_wipe(out);
        serve_fail(answer, ANSWER_TEMPORARY, "too-large",
                   "the answer is larger than a frame: ask for less at once");
        write_answer(id, answer, out);
    }
    buf_free(&answer->text);
    buf_wipe(&answer->body);
}

void serve_request_refuse(const char *reason, const char *text, struct buf *out)
{
    struct serve_answer answer = {0};

    serve_fail(&answer, ANSWER_PERMANENT, reason, "%s", text);
    finish_answer("", &answer, out);
}

/* The frame's document as a request: NULL when it is none, error_r says why. */
static struct xml_node *read_request(const struct buf *xml, char *error_r, size_t size)
{
    struct xml_node *root = xml_parse(xml->data, xml->len, error_r, size);

    if (root == NULL)
        return NULL;
    if (!xml_is(root, schema_request.name))
        snprintf(error_r, size, "the document is no request");
    else if (root->children == NULL || root->children->next != NULL)
        snprintf(error_r, size, "a request has exactly one element");
    else if (schema_check_own(&schema_request, root, error_r, size))
        return root;
    xml_free(root);
    return NULL;
}

bool serve_request_run(struct serve_connection *c, const struct buf *xml, int *fds, size_t fd_count,
                       struct buf *out)
{
    struct serve_request request = {.fd_count = fd_count, .peer_uid = c->peer_uid, .connection = c->context};
    struct serve_answer answer = {.status = ANSWER_OK};
    char error[ERROR_MAX];
    struct xml_node *root = read_request(xml, error, sizeof error);
    uint64_t wait = 0;

    memcpy(request.fds, fds, fd_count * sizeof *fds);
    xml_begin(&answer.writer, &answer.body);
    if (root == NULL) {
        serve_request_refuse("invalid", error, out);
    } else {
        (void)xml_attribute_number(root, "deadline", SCHEMA_NUMBER_MAX, &wait);
        request.body = root->children;
        request.until = c->until = deadline_in((int64_t)(wait < DEADLINE_MAX_MS ? wait : DEADLINE_MAX_MS));
        run_body(c, &request, &answer);
        finish_answer(xml_attribute(root, "id"), &answer, out);
    }
    for (size_t i = 0; i < fd_count; i++)
        fdio_close(&request.fds[i]);
    xml_free(root);
    c->number++;
    return root != NULL;
}

/* The descriptor that `attribute` names, -1 when there is none. */
static int named_fd(const struct serve_request *request, const struct xml_node *node, const char *attribute,
                    struct serve_answer *answer)
{
    uint64_t number;

    if (xml_attribute_number(node, attribute, SCHEMA_NUMBER_MAX, &number) && number < request->fd_count)
        return request->fds[number];
    serve_fail(answer, ANSWER_PERMANENT, "invalid", "element %s: %s names no descriptor of this frame",
               node->name, attribute);
    return -1;
}

int serve_fd_regular(const struct serve_request *request, const struct xml_node *node, const char *attribute,
                     struct serve_answer *answer)
{
    int fd = named_fd(request, node, attribute, answer);
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    serve_fail(answer, ANSWER_PERMANENT, "invalid", "element %s: %s is no regular file", node->name,
               attribute);
    return -1;
}

int serve_fd_socket(const struct serve_request *request, const struct xml_node *node, const char *attribute,
                    struct serve_answer *answer)
{
    int fd = named_fd(request, node, attribute, answer), domain = 0, type = 0;
    socklen_t len = sizeof domain;

    if (fd < 0)
        return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM)
        return fd;
    serve_fail(answer, ANSWER_PERMANENT, "invalid", "element %s: %s is no Unix stream socket", node->name,
               attribute);
    return -1;
}
