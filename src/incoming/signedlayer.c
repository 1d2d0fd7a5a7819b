#include "incoming/signedlayer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "incoming/content.h"
#include "util/mem.h"

/* The certificates of signers that the message does not carry. Returns whether any was found. */
static bool find_signers(struct unwrap *unwrap, const struct layer *layer, struct ask_query *query)
{
    struct cms_recipient *missing = mem_array(layer->signer_count + 1, sizeof(*missing));
    size_t count = 0;

    for (size_t i = 0; i < layer->signer_count; i++)
        if (layer->signers[i].missing)
            missing[count++] = layer->signers[i].identifier; /* borrowed for the question */
    query->use = "signer";
    query->identifiers = missing;
    query->identifier_count = count;
    if (count > 0)
        ask_find(unwrap->message, query, 1);
    query->identifiers = NULL;
    query->identifier_count = 0;
    free(missing);
    return query->entry_count > 0;
}

/* A second look at a signature with certificates from the key modules. */
static enum layer_end open_again(struct unwrap *unwrap, struct layer_request *request, struct layer *layer,
                                 struct outcome *outcome)
{
    const struct buf **ders;
    struct ask_query query = {0};
    enum layer_end end = LAYER_OPENED;
    uint64_t start = 0;

    if (find_signers(unwrap, layer, &query)) {
        ders = mem_array(query.entry_count, sizeof(*ders));
        for (size_t i = 0; i < query.entry_count; i++)
            ders[i] = &query.entries[i].certificate;
        request->certificates = ders;
        request->certificate_count = query.entry_count;
        layer_free(layer);
        if (!request->look->detached && ftruncate(request->out, (off_t)start) != 0)
            outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
        end = outcome->kind == OUTCOME_DONE ? layer_open(unwrap->message, request, layer, outcome)
                                            : LAYER_TEMPORARY;
        request->certificate_count = 0;
        free(ders);
    }
    ask_query_free(&query);
    return end;
}

static bool signer_missing(const struct layer *layer)
{
    for (size_t i = 0; i < layer->signer_count; i++)
        if (layer->signers[i].missing)
            return true;
    return false;
}

static void note_layer(struct unwrap *unwrap, const struct layer *layer)
{
    if (layer->kind == LAYER_SIGNED)
        unwrap_note(unwrap, "signed layer, %zu signer(s)", layer->signer_count);
    else if (layer->kind == LAYER_DISPUTED)
        unwrap_note(
            unwrap,
            "a layer that mail programs take apart differently, or that is damaged: nobody's signature");
    else
        unwrap_note(unwrap, "compressed layer");
}

/* What is in it, whoever signed it: nothing else is kept of it. LAYER_EMPTY: nothing. */
static enum layer_end take_content(const struct layer_request *request, struct layer *layer,
                                   struct outcome *outcome)
{
    const struct layer_look *look = request->look;
    int rc = look->detached ? 1 : content_take(look, request->out, request->limit);

    if (rc < 0)
        outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
    layer_free(layer);
    layer->kind = LAYER_DISPUTED;
    return rc < 0 ? LAYER_TEMPORARY : rc > 0 ? LAYER_OPENED : LAYER_EMPTY;
}

/* Opens a disputed layer: its octets are all that is kept of it. */
static enum layer_end open_disputed(struct message *message, const struct layer_request *request,
                                    struct layer *layer, struct outcome *outcome)
{
    struct layer_look look = *request->look; /* borrows what is in it */
    struct layer_request asked = *request;
    enum layer_end end;

    if (look.detached || look.outline.type != CMS_COMPRESSED)
        return take_content(request, layer, outcome);
    look.kind = LAYER_COMPRESSED;
    asked.look = &look;
    end = layer_open(message, &asked, layer, outcome);
    layer_free(layer);
    layer->kind = LAYER_DISPUTED;
    return end == LAYER_OPENED || end == LAYER_TEMPORARY ? end : LAYER_EMPTY;
}

static enum unwrap_stop stop_of(enum layer_end end, enum layer_kind kind)
{
    if (end == LAYER_EMPTY)
        return UNWRAP_CLEAN;
    if (kind != LAYER_SIGNED)
        return UNWRAP_UNSUPPORTED;
    return end == LAYER_UNSUPPORTED ? UNWRAP_UNCHECKED : UNWRAP_BROKEN;
}

/* Opens it, and if nobody can, takes out what a virus scanner must see. */
static enum layer_end open_inside(struct unwrap *unwrap, struct layer_request *request,
                                  struct unwrap_node *node, struct outcome *outcome)
{
    const struct layer_look *look = request->look;
    enum layer_end end, taken;

    if (look->kind == LAYER_DISPUTED)
        return open_disputed(unwrap->message, request, &node->layer, outcome);
    end = look->kind == LAYER_OTHER ? LAYER_UNSUPPORTED
                                    : layer_open(unwrap->message, request, &node->layer, outcome);
    if (end == LAYER_OPENED && signer_missing(&node->layer))
        end = open_again(unwrap, request, &node->layer, outcome);
    if (look->kind == LAYER_COMPRESSED || end == LAYER_OPENED || end == LAYER_EMPTY ||
        end == LAYER_TEMPORARY || !unwrap_looks_inside(unwrap))
        return end;
    node->reason = stop_of(end, look->kind);
    taken = take_content(request, &node->layer, outcome);
    return taken == LAYER_EMPTY ? end : taken;
}

bool signedlayer_run(struct unwrap *unwrap, size_t index, const struct layer_look *look,
                     struct outcome *outcome)
{
    struct unwrap_strand *strand = &unwrap->strands[index];
    struct layer_request request = {.look = look, .out = -1, .limit = unwrap_limit(unwrap, strand->inner)};
    struct unwrap_node *node = unwrap_node_new(unwrap, strand->inner, !look->detached, outcome);
    enum layer_end end;

    if (node == NULL)
        return false;
    request.out = node->own_fd;
    end = open_inside(unwrap, &request, node, outcome);
    if (end == LAYER_OPENED) {
        node->entity = look->covered;
        strand->inner = node;
        note_layer(unwrap, &node->layer);
        return unwrap_node_settle(node, outcome);
    }
    unwrap_node_drop(unwrap, node);
    if (end != LAYER_TEMPORARY) {
        strand->stop = stop_of(end, look->kind);
        strand->done = true;
    }
    return outcome->kind == OUTCOME_DONE;
}
