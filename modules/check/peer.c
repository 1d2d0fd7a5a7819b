#include "modules/check/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/mem.h"

#define PATIENCE_MS    2000
#define EXIT_TEMPORARY 75

struct channel *peer_try(const struct target *target)
{
    if (target->socket != NULL)
        return channel_connect(target->socket, deadline_in(target->timeout_ms));
    return channel_spawn(target->argv.items, target->base, target->argv.items[0]);
}

struct channel *peer_open(const struct target *target)
{
    struct channel *channel = peer_try(target);

    if (channel != NULL)
        return channel;
    printf("Bail out! no further connection: %s\n", strerror(errno));
    exit(EXIT_TEMPORARY);
}

void peer_close(struct channel *channel)
{
    channel_close(channel, PATIENCE_MS, NULL);
}

void peer_send(struct channel *channel, const char *octets, size_t len)
{
    while (len > 0) {
        ssize_t n = send(channel_fd(channel), octets, len, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* it does not want to hear the rest: what it says then counts */
        octets += n;
        len -= (size_t)n;
    }
}

static void read_reply(const struct target *target, const struct buf *xml, struct reply *reply)
{
    char error[200];
    const char *status;

    reply->kind = REPLY_DAMAGED;
    reply->root = xml_parse(xml->data, xml->len, error, sizeof error);
    if (reply->root == NULL) {
        snprintf(reply->problem, sizeof reply->problem, "%s", error);
        return;
    }
    status = xml_attribute(reply->root, "status");
    if (!xml_is(reply->root, "answer") || status == NULL || !answer_status_parse(status, &reply->status)) {
        snprintf(reply->problem, sizeof reply->problem, "no answer with a status");
        return;
    }
    reply->kind = REPLY_ANSWER;
    reply->reason = xml_attribute(reply->root, "reason");
    reply->id = xml_attribute(reply->root, "id");
    reply->body = reply->root->children;
    if (reply->reason == NULL)
        reply->reason = "";
    if (reply->id == NULL)
        reply->id = "";
    if (!rng_valid(target->rng, xml->data, xml->len, reply->problem, sizeof reply->problem) &&
        reply->problem[0] == '\0')
        snprintf(reply->problem, sizeof reply->problem, "not as protocol.rng wants it");
    else if (reply->body != NULL && reply->status != ANSWER_OK)
        snprintf(reply->problem, sizeof reply->problem, "an element in an answer that is not ok");
}

static void receive(const struct target *target, struct channel *channel, struct reply *reply,
                    enum frame_result sent)
{
    struct buf xml = {0};
    int fds[FRAME_FDS_MAX];
    size_t fd_count = 0;
    enum frame_result result = sent;

    *reply = (struct reply){.reason = "", .id = ""};
    if (sent == FRAME_OK || (sent == FRAME_ERROR && errno == EPIPE))
        result = frame_receive(channel_fd(channel), &xml, fds, &fd_count, deadline_in(target->timeout_ms));
    switch (result) {
    case FRAME_OK:
        read_reply(target, &xml, reply);
        break;
    case FRAME_TIMEOUT:
        reply->kind = REPLY_LATE;
        break;
    case FRAME_DAMAGED:
        reply->kind = REPLY_DAMAGED;
        snprintf(reply->problem, sizeof reply->problem, "%s", frame_result_text(result));
        break;
    case FRAME_EOF:
    case FRAME_ERROR:
        reply->kind = REPLY_CLOSED;
        break;
    }
    if (fd_count > 0)
        snprintf(reply->problem, sizeof reply->problem, "descriptors came with the answer");
    while (fd_count > 0)
        close(fds[--fd_count]);
    buf_free(&xml);
}

void peer_receive(const struct target *target, struct channel *channel, struct reply *reply_r)
{
    receive(target, channel, reply_r, FRAME_OK);
}

void peer_ask(const struct target *target, struct channel *channel, const char *xml, const int *fds,
              size_t fd_count, struct reply *reply_r)
{
    enum frame_result sent =
        frame_send(channel_fd(channel), xml, strlen(xml), fds, fd_count, deadline_in(target->timeout_ms));

    receive(target, channel, reply_r, sent);
}

void peer_ask_body(const struct target *target, struct channel *channel, const char *body, const int *fds,
                   size_t fd_count, struct reply *reply_r)
{
    char *xml = mem_printf(PEER_REQUEST "%s</request>", body);

    peer_ask(target, channel, xml, fds, fd_count, reply_r);
    if (reply_r->kind == REPLY_ANSWER && reply_r->problem[0] == '\0' && strcmp(reply_r->id, "check") != 0)
        snprintf(reply_r->problem, sizeof reply_r->problem, "the id of the request is not echoed");
    free(xml);
}

void peer_reply_free(struct reply *reply)
{
    xml_free(reply->root);
    *reply = (struct reply){.reason = "", .id = ""};
}

const char *peer_reply_text(const struct reply *reply)
{
    static char text[500];
    const char *said = reply->root != NULL ? xml_attribute(reply->root, "text") : NULL;

    switch (reply->kind) {
    case REPLY_CLOSED:
        return "it closed the connection";
    case REPLY_LATE:
        return "no answer in time";
    case REPLY_DAMAGED:
        snprintf(text, sizeof text, "a damaged answer: %s", reply->problem);
        break;
    case REPLY_ANSWER:
        snprintf(text, sizeof text, "answer %s %.60s %.200s%s%.200s", answer_status_name(reply->status),
                 reply->reason, said != NULL ? said : "", reply->problem[0] != '\0' ? "; but: " : "",
                 reply->problem);
        break;
    }
    return text;
}

bool peer_reply_is(const struct reply *reply, enum answer_status status)
{
    return reply->kind == REPLY_ANSWER && reply->problem[0] == '\0' && reply->status == status;
}

bool peer_has(const struct target *target, const char *operation)
{
    return strlist_has(&target->operations, operation);
}

void peer_expect(struct target *target, const char *name, const char *body, enum answer_status expected)
{
    struct channel *channel = peer_open(target);
    struct reply reply;

    peer_ask_body(target, channel, body, NULL, 0, &reply);
    if (peer_reply_is(&reply, expected))
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "expected %s, got: %s", answer_status_name(expected),
                   peer_reply_text(&reply));
    peer_reply_free(&reply);
    peer_close(channel);
}

void peer_expect_refused(struct target *target, const char *name, const struct reply *reply)
{
    if (reply->kind == REPLY_CLOSED || peer_reply_is(reply, ANSWER_PERMANENT))
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "expected permanent or a closed connection, got: %s",
                   peer_reply_text(reply));
}
