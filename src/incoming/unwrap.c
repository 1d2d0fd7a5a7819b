#include "incoming/unwrap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "incoming/opener.h"
#include "incoming/signedlayer.h"
#include "incoming/wrapped.h"
#include "util/fdio.h"
#include "util/log.h"
#include "util/mem.h"

#define SIZE_FACTOR 3 /* all layers of one message together may write so often MAX_SIZE */

void unwrap_note(struct unwrap *unwrap, const char *format, ...)
{
    struct buf line = {0};
    va_list ap;

    va_start(ap, format);
    buf_vprintf(&line, format, ap);
    va_end(ap);
    strlist_add_take(&unwrap->notes, buf_take(&line));
}

static struct unwrap_node *push_node(struct unwrap *unwrap)
{
    struct unwrap_node *node = mem_alloc(sizeof(*node)), **place;

    place = mem_push(&unwrap->nodes, &unwrap->node_count, sizeof(*unwrap->nodes));
    *place = node;
    node->own_fd = -1;
    return node;
}

struct unwrap_node *unwrap_node_new(struct unwrap *unwrap, struct unwrap_node *outer, bool own_file,
                                    struct outcome *outcome)
{
    struct unwrap_node *node = push_node(unwrap);

    node->outer = outer;
    node->depth = outer->depth + 1;
    if (!own_file)
        return node;
    node->own_fd = message_output(unwrap->message, outer->entity.length, outcome);
    if (node->own_fd < 0) {
        unwrap_node_drop(unwrap, node);
        return NULL;
    }
    return node;
}

bool unwrap_node_settle(struct unwrap_node *node, struct outcome *outcome)
{
    node->written = node->outer->written;
    if (node->own_fd < 0)
        return true;
    node->entity.fd = node->own_fd;
    node->entity.offset = 0;
    if (fdio_size(node->own_fd, &node->entity.length) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        return false;
    }
    node->written += node->entity.length;
    return true;
}

static void node_free(struct unwrap_node *node)
{
    layer_free(&node->layer);
    strlist_free(&node->other_keys);
    fdio_close(&node->own_fd);
    free(node);
}

void unwrap_node_drop(struct unwrap *unwrap, struct unwrap_node *node)
{
    node_free(node);
    unwrap->node_count--;
}

uint64_t unwrap_limit(const struct unwrap *unwrap, const struct unwrap_node *outer)
{
    uint64_t max = unwrap->message->config->max_size, all = max * SIZE_FACTOR;

    if (outer->written >= all)
        return 0;
    return all - outer->written < max ? all - outer->written : max;
}

int unwrap_parse(const struct message *message, const struct unwrap_node *node, struct mime *mime_r)
{
    struct mime_limits limits = {.max_depth = (unsigned int)message->config->max_depth,
                                 .max_parts = (unsigned int)message->config->max_parts};

    return mime_parse(mime_r, node->entity.fd, node->entity.offset, node->entity.length, &limits);
}

const struct mime *unwrap_mime(const struct message *message, const struct unwrap_node *node,
                               struct mime *own)
{
    if (node->outer == NULL)
        return &message->mime;
    return unwrap_parse(message, node, own) == 0 ? own : NULL;
}

static void stop(struct unwrap_strand *strand, enum unwrap_stop why)
{
    strand->stop = why;
    strand->done = true;
}

static void stop_at_limit(struct unwrap_strand *strand, const char *limit, enum unwrap_stop why)
{
    log_event(LOG_LEVEL_WARNING, "limit", "limit", limit, "text", "delivered as it came", (char *)NULL);
    stop(strand, why);
}

static const char *fault_limit(enum mime_fault fault)
{
    return fault == MIME_TOO_DEEP         ? "MAX_DEPTH"
           : fault == MIME_TOO_MANY_PARTS ? "MAX_PARTS"
                                          : "header section";
}

/* Is there a disputed layer around it? */
static bool is_disputed(const struct unwrap_node *node)
{
    return unwrap_undisputed(node) != node;
}

static bool is_encrypted(const struct layer_look *look)
{
    return !look->detached &&
           (look->outline.type == CMS_ENVELOPED || look->outline.type == CMS_AUTH_ENVELOPED);
}

bool unwrap_looks_inside(const struct unwrap *unwrap)
{
    const struct config *config = unwrap->message->config;

    return config->mode == CONFIG_MODE_GATEWAY &&
           (config->deliver == CONFIG_DELIVER_ORIGINAL || config->strip_signatures);
}

/* A signature in something that mail programs may take for something else says nothing, either. */
static void settle_dispute(const struct unwrap *unwrap, const struct unwrap_node *node,
                           struct layer_look *look)
{
    bool original = unwrap->message->config->deliver == CONFIG_DELIVER_ORIGINAL;

    if (look->kind == LAYER_SIGNED && is_disputed(node))
        look->kind = look->readable ? LAYER_DISPUTED : LAYER_NONE;
    if (look->kind != LAYER_DISPUTED)
        return;
    if (!unwrap_looks_inside(unwrap) || (is_encrypted(look) && !original)) {
        look->kind = look->label;
        look->readable = false;
    } else if (is_encrypted(look)) {
        look->kind = LAYER_ENCRYPTED;
    }
}

/* What the layer is decides who opens it. */
static bool open_layer(struct unwrap *unwrap, size_t index, const struct layer_look *look,
                       struct outcome *outcome)
{
    struct unwrap_strand *strand = &unwrap->strands[index];

    if (look->kind == LAYER_NONE) {
        stop(strand, UNWRAP_CLEAN);
    } else if (strand->inner->depth >= unwrap->message->config->max_depth) {
        stop_at_limit(strand, "MAX_DEPTH", UNWRAP_LIMIT);
    } else if (look->kind == LAYER_ENCRYPTED && look->readable) {
        return opener_run(unwrap, index, look, outcome);
    } else if (look->kind == LAYER_ENCRYPTED && look->too_much) {
        stop_at_limit(strand, "recipients of a CMS object", UNWRAP_UNSUPPORTED);
    } else if (look->kind == LAYER_ENCRYPTED) {
        stop(strand, UNWRAP_UNDECRYPTABLE);
    } else if (!look->readable) {
        stop(strand, look->kind == LAYER_SIGNED ? UNWRAP_BROKEN : UNWRAP_UNSUPPORTED);
    } else {
        return signedlayer_run(unwrap, index, look, outcome);
    }
    return true;
}

/* Behind all layers there may be the message as a whole, wrapped: the strand ends inside. */
static bool open_wrapper(struct unwrap *unwrap, struct unwrap_strand *strand, const struct mime *mime,
                         struct outcome *outcome)
{
    struct unwrap_node *outer = strand->inner, *node;
    struct layer_entity entity;

    if (outer->outer == NULL || is_disputed(outer) ||
        !wrapped_find(unwrap->message, mime, outer->entity.fd, &entity))
        return true;
    node = unwrap_node_new(unwrap, outer, false, outcome);
    node->layer.kind = LAYER_WRAPPED;
    node->entity = entity;
    strand->inner = node;
    unwrap_note(unwrap, "a whole message inside, to protect its header (RFC 8551)");
    return unwrap_node_settle(node, outcome);
}

/* One step inwards for one strand. */
static bool step(struct unwrap *unwrap, size_t index, struct outcome *outcome)
{
    struct unwrap_node *node = unwrap->strands[index].inner;
    struct layer_look look = {0};
    struct mime parsed = {0};
    const struct mime *mime = unwrap_mime(unwrap->message, node, &parsed);
    bool good = true;

    if (mime == NULL || layer_look(&look, node->entity.fd, mime) != 0) {
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        good = false;
    } else if (mime->fault != MIME_OK) {
        stop_at_limit(&unwrap->strands[index], fault_limit(mime->fault), UNWRAP_LIMIT);
    } else {
        settle_dispute(unwrap, node, &look);
        good = open_layer(unwrap, index, &look, outcome);
        if (good && look.kind == LAYER_NONE)
            good = open_wrapper(unwrap, &unwrap->strands[index], mime, outcome);
    }
    layer_look_free(&look);
    mime_free(&parsed);
    return good;
}

void unwrap_begin(struct unwrap *unwrap, struct message *message, const struct strlist *recipients)
{
    struct unwrap_strand *first;
    struct unwrap_node *root;

    memset(unwrap, 0, sizeof(*unwrap));
    unwrap->message = message;
    root = push_node(unwrap);
    root->entity = (struct layer_entity){message->fd, message->offset, message->size};
    first = mem_push(&unwrap->strands, &unwrap->strand_count, sizeof(*first));
    first->inner = root;
    for (size_t i = 0; i < recipients->count; i++)
        strlist_add(&first->recipients, recipients->items[i]);
}

bool unwrap_run(struct unwrap *unwrap, struct message *message, const struct strlist *recipients,
                const struct config_profile *profile, struct outcome *outcome)
{
    unwrap_begin(unwrap, message, recipients);
    unwrap->profile = profile;
    for (size_t i = 0; i < unwrap->strand_count; i++)
        while (!unwrap->strands[i].done)
            if (!step(unwrap, i, outcome))
                return false;
    return true;
}

void unwrap_free(struct unwrap *unwrap)
{
    for (size_t i = 0; i < unwrap->node_count; i++)
        node_free(unwrap->nodes[i]);
    for (size_t i = 0; i < unwrap->strand_count; i++)
        strlist_free(&unwrap->strands[i].recipients);
    free(unwrap->nodes);
    free(unwrap->strands);
    strlist_free(&unwrap->notes);
    free(unwrap->wrong);
    memset(unwrap, 0, sizeof(*unwrap));
}

const struct unwrap_node *unwrap_signed(const struct unwrap_node *inner)
{
    const struct unwrap_node *found = NULL;

    for (; inner != NULL; inner = inner->outer)
        if (inner->layer.kind == LAYER_SIGNED)
            found = inner;
    return found;
}

const struct unwrap_node *unwrap_encrypted(const struct unwrap_node *inner)
{
    for (; inner != NULL; inner = inner->outer)
        if (inner->layer.kind == LAYER_ENCRYPTED)
            return inner;
    return NULL;
}

const struct unwrap_node *unwrap_undisputed(const struct unwrap_node *inner)
{
    const struct unwrap_node *found = inner;

    for (; inner != NULL; inner = inner->outer)
        if (inner->layer.kind == LAYER_DISPUTED)
            found = inner->outer;
    return found;
}

enum unwrap_stop unwrap_reason(const struct unwrap_strand *strand)
{
    enum unwrap_stop reason = strand->stop;

    for (const struct unwrap_node *node = strand->inner; node != NULL && reason != UNWRAP_LIMIT;
         node = node->outer)
        if (node->layer.kind == LAYER_DISPUTED)
            reason = node->reason;
    return reason;
}
