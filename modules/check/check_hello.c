#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/schema.h"
#include "modules/check/checks.h"
#include "util/mem.h"

#define HELLO   "<hello version=\"1\"/>"
#define LONG_ID "0123456789.0123456789_0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ.abcd"

static void take_hello(struct target *target, const struct reply *reply)
{
    const char *role = xml_attribute(reply->body, "role");

    target->name = mem_strdup(xml_attribute(reply->body, "name"));
    for (const struct xml_node *o = reply->body->children; o != NULL; o = o->next)
        strlist_add(&target->operations, xml_attribute(o, "name"));
    if (target->role[0] == '\0')
        for (const struct schema_operation *o = schema_operations; o->name != NULL; o++)
            if (o->role != NULL && strcmp(o->role, role) == 0)
                target->role = o->role;
    if (strcmp(target->role, role) == 0)
        report_good(&target->report, "it has the expected role");
    else
        report_bad(&target->report, "it has the expected role", "it says %s", role);
}

static void check_operations(struct target *target)
{
    static const char name[] = "the operations it lists belong to its role";

    for (size_t i = 0; i < target->operations.count; i++) {
        const char *operation = target->operations.items[i];

        if (strcmp(operation, "hello") == 0 || schema_find(target->role, operation) == NULL) {
            report_bad(&target->report, name, "%s does not", operation);
            return;
        }
    }
    report_good(&target->report, name);
}

/* Ids come back as they are, answers in the order of the questions. */
static void check_ids(struct target *target)
{
    static const char one[] =
        "<request " PEER_NS " id=\"" LONG_ID "\" deadline=\"10000\">" HELLO "</request>";
    static const char two[] = "<request " PEER_NS " id=\"2\" deadline=\"10000\">" HELLO "</request>";
    static const char name[] = "two requests at once get two answers, each with its id";
    struct channel *channel = peer_open(target);
    char *both = mem_printf("%zu\n%s%zu\n%s", strlen(one), one, strlen(two), two);
    struct reply first, second;

    peer_send(channel, both, strlen(both));
    peer_receive(target, channel, &first);
    peer_receive(target, channel, &second);
    if (peer_reply_is(&first, ANSWER_OK) && peer_reply_is(&second, ANSWER_OK) &&
        strcmp(first.id, LONG_ID) == 0 && strcmp(second.id, "2") == 0)
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "ids \"%.80s\" and \"%.80s\"; second: %s", first.id, second.id,
                   peer_reply_text(&second));
    peer_reply_free(&first);
    peer_reply_free(&second);
    peer_close(channel);
    free(both);
}

/* A deadline of nothing is no reason to hang, nor to say that something does not exist. */
static void check_deadline(struct target *target)
{
    static const char name[] = "a request whose deadline has passed is answered at once: temporary, or ok";
    struct channel *channel = peer_open(target);
    struct reply reply;

    peer_ask(target, channel, "<request " PEER_NS " id=\"check\" deadline=\"0\">" HELLO "</request>", NULL, 0,
             &reply);
    if (peer_reply_is(&reply, ANSWER_TEMPORARY) || peer_reply_is(&reply, ANSWER_OK))
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "%s", peer_reply_text(&reply));
    peer_reply_free(&reply);
    peer_close(channel);
}

/* The worker that one caller holds must not be the only one: julia needs a grant and other answers at the
 * same time. */
static void check_second_caller(struct target *target)
{
    static const char name[] = "a second caller is served while another holds a connection";
    struct channel *first = peer_open(target), *second = peer_open(target);
    struct reply reply;

    peer_ask_body(target, first, HELLO, NULL, 0, &reply);
    peer_reply_free(&reply);
    peer_ask_body(target, second, HELLO, NULL, 0, &reply);
    if (peer_reply_is(&reply, ANSWER_OK))
        report_good(&target->report, name);
    else
        report_bad(&target->report, name, "%s; start julia-moduled with more workers (-n)",
                   peer_reply_text(&reply));
    peer_reply_free(&reply);
    peer_close(first);
    peer_close(second);
}

bool check_hello(struct target *target)
{
    static const char name[] = "hello is answered as the schema says";
    struct channel *channel = peer_try(target);
    struct reply reply;
    bool good;

    if (channel == NULL) {
        fprintf(stderr, "julia-module-check: %s: %s\n",
                target->socket != NULL ? target->socket : target->argv.items[0], strerror(errno));
        return false;
    }
    peer_ask_body(target, channel, HELLO, NULL, 0, &reply);
    good = peer_reply_is(&reply, ANSWER_OK) && reply.body != NULL && xml_is(reply.body, "hello");
    if (good) {
        report_good(&target->report, name);
        take_hello(target, &reply);
    } else {
        report_bad(&target->report, name, "%s", peer_reply_text(&reply));
    }
    peer_reply_free(&reply);
    peer_close(channel);
    if (!good)
        return false;
    check_operations(target);
    check_ids(target);
    check_deadline(target);
    check_second_caller(target);
    peer_expect(target, "another version of the protocol is refused", "<hello version=\"2\"/>",
                ANSWER_PERMANENT);
    peer_expect(target, "an unknown operation is refused by name", "<dance/>", ANSWER_PERMANENT);
    return true;
}
