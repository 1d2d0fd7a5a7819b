#include "incoming/layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

/* Descriptors in the frame, by their place there. */
enum { FD_INPUT, FD_OUTPUT, FD_CHANNEL };

static void put_piece(struct xml_writer *w, const struct layer_entity *entity)
{
    xml_open(w, "piece");
    xml_put_number(w, "fd", FD_INPUT);
    xml_put_number(w, "offset", entity->offset);
    xml_put_number(w, "length", entity->length);
    xml_close(w);
}

static void put_certificate(struct xml_writer *w, const struct buf *der)
{
    xml_add_base64(w, "certificate", buf_text(der), der->len);
}

static const char *encoding_word(enum mime_encoding encoding)
{
    if (encoding == MIME_BASE64 || encoding == MIME_QP)
        return mime_encoding_name(encoding);
    return "binary";
}

static void put_content(struct xml_writer *w, const struct layer_look *look)
{
    xml_open(w, "content");
    xml_put(w, "encoding", encoding_word(look->encoding));
    put_piece(w, &look->content);
    xml_close(w);
}

static void write_unwrap(struct buf *body, const struct message *message, const struct layer_request *request)
{
    const struct layer_look *look = request->look;
    struct xml_writer w;

    xml_begin(&w, body);
    xml_open(&w, "unwrap");
    if (!look->detached)
        xml_put_number(&w, "output", FD_OUTPUT);
    if (request->key_count > 0)
        xml_put_number(&w, "channel", FD_CHANNEL);
    xml_put(&w, "weak", message->config->accept_weak ? "yes" : "no");
    xml_put_number(&w, "limit", request->limit);
    put_content(&w, look);
    if (look->detached) {
        xml_open(&w, "signed");
        put_piece(&w, &look->covered);
        xml_close(&w);
    }
    for (size_t i = 0; i < request->key_count; i++) {
        xml_open(&w, "candidate");
        xml_put(&w, "key", request->keys[i]->key);
        put_certificate(&w, &request->keys[i]->certificate);
        xml_close(&w);
    }
    for (size_t i = 0; i < request->certificate_count; i++)
        put_certificate(&w, request->certificates[i]);
    xml_close(&w);
}

static void tell_fault(const struct call_module *module, const struct call_answer *answer,
                       struct outcome *outcome)
{
    outcome_temporary(outcome, "4.3.0", "%s: %s: %s", call_module_name(module),
                      answer->reason != NULL ? answer->reason : answer_status_name(answer->status),
                      answer->text != NULL ? answer->text : "");
}

/* What a module's refusal means for the message. */
static enum layer_end end_of(struct message *message, const struct call_answer *answer,
                             struct outcome *outcome)
{
    const char *reason = answer->reason == NULL ? "" : answer->reason;

    if (answer->status == ANSWER_TEMPORARY || answer->status == ANSWER_INTERACTION) {
        tell_fault(message->smime, answer, outcome);
        return LAYER_TEMPORARY;
    }
    log_event(LOG_LEVEL_WARNING, "layer", "module", call_module_name(message->smime), "reason", reason,
              "text", answer->text, (char *)NULL);
    if (answer->status == ANSWER_NONE || strcmp(reason, "undecryptable") == 0)
        return LAYER_UNDECRYPTABLE;
    return strcmp(reason, "damaged") == 0 ? LAYER_DAMAGED : LAYER_UNSUPPORTED;
}

/* Asks smime and proves the answer against the file that it wrote. */
static enum layer_end ask_smime(struct message *message, const struct layer_request *request, int channel,
                                struct layer *layer_r, struct outcome *outcome)
{
    int fds[3] = {request->look->content.fd, request->out, channel};
    size_t fd_count = request->look->detached ? 1 : channel >= 0 ? 3 : 2;
    uint64_t before = 0, after = 0, length = 0;
    struct call_answer answer = {0};
    enum layer_end end = LAYER_OPENED;
    struct buf body = {0};

    write_unwrap(&body, message, request);
    if (!request->look->detached && fdio_size(request->out, &before) != 0)
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
    call_ask(message->smime, "unwrap", &body, fds, fd_count, &answer);
    if (answer.status != ANSWER_OK) {
        end = end_of(message, &answer, outcome);
    } else if (!layer_answer_read(answer.body, request, layer_r, &length) ||
               (!request->look->detached &&
                (fdio_size(request->out, &after) != 0 || after - before != length)) ||
               length > request->limit) {
        outcome_temporary(outcome, "4.3.0", "%s: the answer does not fit the question",
                          call_module_name(message->smime));
        layer_free(layer_r);
        end = LAYER_TEMPORARY;
    } else if (layer_r->kind == LAYER_NONE) {
        layer_free(layer_r);
        end = LAYER_EMPTY;
    }
    if (outcome->kind != OUTCOME_DONE)
        end = LAYER_TEMPORARY;
    if (end != LAYER_OPENED && !request->look->detached && ftruncate(request->out, (off_t)before) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        end = LAYER_TEMPORARY;
    }
    call_answer_free(&answer);
    buf_free(&body);
    return end;
}

/* One grant to open, for each of the candidates as often as a message may name it. A key module that refuses
 * for good cannot help: as if there were no key. */
static enum layer_end open_channel(const struct layer_request *request, struct call_grant **grant_r,
                                   struct outcome *outcome)
{
    const char **keys = mem_array(request->key_count, sizeof(*keys));
    struct call_module *module = request->keys[0]->module;
    struct call_answer answer = {0};
    enum layer_end end = LAYER_OPENED;

    for (size_t i = 0; i < request->key_count; i++)
        keys[i] = request->keys[i]->key;
    *grant_r = ask_grant(module, "open", keys, request->key_count, CMS_SAME_RECIPIENT_MAX, &answer);
    if (*grant_r == NULL && (answer.status == ANSWER_PERMANENT || answer.status == ANSWER_NONE)) {
        end = LAYER_UNDECRYPTABLE;
    } else if (*grant_r == NULL) {
        tell_fault(module, &answer, outcome);
        end = LAYER_TEMPORARY;
    }
    call_answer_free(&answer);
    free(keys);
    return end;
}

enum layer_end layer_open(struct message *message, const struct layer_request *request, struct layer *layer_r,
                          struct outcome *outcome)
{
    struct call_grant *grant = NULL;
    enum layer_end end = LAYER_OPENED;

    memset(layer_r, 0, sizeof(*layer_r));
    if (request->key_count > 0)
        end = open_channel(request, &grant, outcome);
    if (end == LAYER_OPENED)
        end = ask_smime(message, request, grant == NULL ? -1 : call_grant_fd(grant), layer_r, outcome);
    if (grant != NULL)
        call_grant_revoke(grant);
    return end;
}

void layer_form_free(struct layer_form *form)
{
    free(form->cipher);
    strlist_free(&form->keytrans);
    form->cipher = NULL;
}

static void read_form(const struct xml_node *body, struct layer_form *form)
{
    form->cipher = mem_strdup(xml_attribute(body, "cipher"));
    for (const struct xml_node *node = xml_child(body, "recipient"); node != NULL;
         node = xml_next(node, "recipient"))
        strlist_add(&form->keytrans, xml_attribute(node, "keytrans"));
}

enum layer_end layer_inspect(struct message *message, const struct layer_look *look,
                             struct layer_form *form_r, struct outcome *outcome)
{
    struct call_answer answer = {0};
    enum layer_end end = LAYER_TEMPORARY;
    const char *reason;
    struct buf body = {0};
    struct xml_writer w;

    *form_r = (struct layer_form){0};
    xml_begin(&w, &body);
    xml_open(&w, "inspect");
    put_content(&w, look);
    xml_close(&w);
    call_ask(message->smime, "inspect", &body, &look->content.fd, 1, &answer);
    reason = answer.reason == NULL ? "" : answer.reason;
    if (answer.status == ANSWER_OK) {
        read_form(answer.body, form_r);
        end = LAYER_OPENED;
    } else if (answer.status == ANSWER_PERMANENT && strcmp(reason, "damaged") == 0) {
        end = LAYER_DAMAGED;
    } else if (answer.status == ANSWER_PERMANENT && strcmp(reason, "unsupported") == 0) {
        end = LAYER_UNSUPPORTED;
    } else {
        tell_fault(message->smime, &answer, outcome);
    }
    call_answer_free(&answer);
    buf_free(&body);
    return end;
}
