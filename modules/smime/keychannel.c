#include "modules/smime/keychannel.h"

#include <stdio.h>
#include <string.h>

#include "module/frame.h"
#include "module/serve.h"
#include "module/xml.h"
#include "util/fdio.h"
#include "util/mem.h"

static void fail(struct keychannel_answer *answer, const char *reason, const char *text)
{
    answer->status = ANSWER_TEMPORARY;
    snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
    buf_clear(&answer->text);
    buf_add_text(&answer->text, text);
}

void keychannel_answer_free(struct keychannel_answer *answer)
{
    buf_free(&answer->text);
    buf_wipe(&answer->value);
}

void keychannel_open_free(struct keychannel_open *open)
{
    buf_free(&open->encrypted);
    buf_free(&open->originator);
    buf_free(&open->shared_info);
    buf_free(&open->label);
    buf_free(&open->salt);
}

/* Secrets stand in the tree as text. */
static void wipe_tree(struct xml_node *node)
{
    for (struct xml_node *child = node->children; child != NULL; child = child->next)
        wipe_tree(child);
    mem_wipe(node->text, strlen(node->text));
}

/* Status, and for ok the base64 in <operation><value_name>. */
static void read_answer(const struct xml_node *root, const char *id, const char *operation,
                        const char *value_name, struct keychannel_answer *answer)
{
    const char *got_id = xml_attribute(root, "id"), *status = xml_attribute(root, "status");
    const char *reason = xml_attribute(root, "reason"), *text = xml_attribute(root, "text");
    const struct xml_node *body, *value;

    if (!xml_is(root, "answer") || got_id == NULL || strcmp(got_id, id) != 0 || status == NULL ||
        !answer_status_parse(status, &answer->status)) {
        fail(answer, "key-channel", "the key module's answer does not belong to the question");
        return;
    }
    snprintf(answer->reason, sizeof(answer->reason), "%s", reason != NULL ? reason : "");
    buf_add_text(&answer->text, text != NULL ? text : "");
    if (answer->status != ANSWER_OK)
        return;
    body = xml_child(root, operation);
    value = body != NULL ? xml_child(body, value_name) : NULL;
    if (value == NULL || !xml_base64(value, &answer->value) || answer->value.len == 0)
        fail(answer, "key-channel", "the key module's answer lacks its value");
}

static void ask(struct keychannel *channel, const char *id, const struct buf *request, const char *operation,
                const char *value_name, struct keychannel_answer *answer)
{
    enum frame_result result;
    struct xml_node *root = NULL;
    struct buf frame = {0};
    int fds[FRAME_FDS_MAX];
    size_t fd_count = 0;
    char error[200];

    result = frame_send(channel->fd, request->data, request->len, NULL, 0, channel->until);
    if (result == FRAME_OK)
        result = frame_receive(channel->fd, &frame, fds, &fd_count, channel->until);
    if (result != FRAME_OK)
        fail(answer, "key-channel", frame_result_text(result));
    else if (fd_count > 0 || (root = xml_parse(frame.data, frame.len, error, sizeof(error))) == NULL)
        fail(answer, "key-channel", "the key module's answer is damaged");
    else
        read_answer(root, id, operation, value_name, answer);
    while (fd_count > 0)
        fdio_close(&fds[--fd_count]);
    if (root != NULL)
        wipe_tree(root);
    xml_free(root);
    buf_wipe(&frame);
}

/* <request id deadline>, left open. */
static void begin_request(struct xml_writer *w, struct buf *out, struct keychannel *channel, char id[16])
{
    int64_t left = deadline_left(channel->until);

    snprintf(id, 16, "smime-%u", ++channel->asked);
    xml_begin(w, out);
    xml_open(w, "request");
    xml_put(w, "id", id);
    xml_put_number(w, "deadline", channel->until == DEADLINE_NEVER ? 3600000u : (uint64_t)left);
}

void keychannel_sign(struct keychannel *channel, const char *key, const char *scheme, bool is_message,
                     const void *input, size_t len, struct keychannel_answer *answer_r)
{
    struct buf request = {0};
    struct xml_writer w;
    char id[16];

    memset(answer_r, 0, sizeof(*answer_r));
    begin_request(&w, &request, channel, id);
    xml_open(&w, "sign");
    xml_put(&w, "key", key);
    xml_put(&w, "scheme", scheme);
    if (is_message)
        xml_add_base64(&w, "message", input, len);
    else
        xml_put_hex(&w, "digest", input, len);
    xml_close(&w);
    xml_close(&w);
    ask(channel, id, &request, "sign", "signature", answer_r);
    buf_free(&request);
}

void keychannel_open_key(struct keychannel *channel, const char *key, const struct keychannel_open *open,
                         size_t length, struct keychannel_answer *answer_r)
{
    struct buf request = {0};
    struct xml_writer w;
    char id[16];

    memset(answer_r, 0, sizeof(*answer_r));
    begin_request(&w, &request, channel, id);
    xml_open(&w, "open");
    xml_put(&w, "key", key);
    xml_put_number(&w, "length", length);
    xml_put(&w, "scheme", open->scheme);
    xml_put(&w, "mgf1", open->mgf1);
    if (open->label.len > 0)
        xml_put_hex(&w, "label", open->label.data, open->label.len);
    if (open->salt.len > 0)
        xml_put_hex(&w, "salt", open->salt.data, open->salt.len);
    xml_put(&w, "wrap", open->wrap);
    if (open->wrap != NULL) {
        xml_add_base64(&w, "originator", open->originator.data, open->originator.len);
        xml_add_base64(&w, "shared-info", open->shared_info.data, open->shared_info.len);
    }
    xml_add_base64(&w, "encrypted", open->encrypted.data, open->encrypted.len);
    xml_close(&w);
    xml_close(&w);
    ask(channel, id, &request, "open", "content-key", answer_r);
    if (answer_r->status == ANSWER_OK && answer_r->value.len != length)
        fail(answer_r, "key-channel", "the key module's content key has another length");
    buf_free(&request);
}

void keychannel_pass_on(const struct keychannel_answer *from, struct serve_answer *to)
{
    static char
        reason[sizeof(from->reason)]; /* answers keep a pointer until they are sent; one request at a time */

    memcpy(reason, from->reason, sizeof(reason));
    serve_fail(to, from->status == ANSWER_OK ? ANSWER_TEMPORARY : from->status,
               reason[0] != '\0' ? reason : "key", "%s",
               from->text.len > 0 ? from->text.data : "the key module refused");
}
