#include "incoming/opener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/form.h"
#include "incoming/intact.h"
#include "incoming/keyright.h"
#include "util/fdio.h"
#include "util/mem.h"

#define KEYS_PER_CALL 20 /* candidates of one module that are tried at once */

/* The keys found for one layer, and the recipients still waiting for one. */
struct opener {
    struct unwrap *unwrap;
    struct unwrap_node *outer;
    const struct layer_look *look;
    struct ask_query query;
    bool *tried; /* for each entry: it was a candidate and did not open the layer */
    struct strlist waiting;
    size_t first_strand;   /* of those that this layer's keys made */
    enum unwrap_stop stop; /* for those who wait until the end */
};

static size_t coverage(const struct opener *o, const struct ask_entry *entry)
{
    size_t count = 0;

    for (size_t i = 0; i < o->waiting.count; i++)
        count += keyright_allows(o->unwrap->message->config, entry, o->waiting.items[i]);
    return count;
}

/* Untried keys that may decrypt for anyone still waiting: the one that serves most comes first, the others
   are of its module. Returns how many. */
static size_t choose_keys(const struct opener *o, const struct ask_entry *keys[KEYS_PER_CALL])
{
    size_t count = 0, best = 0;

    for (size_t i = 0; i < o->query.entry_count; i++) {
        size_t serves = o->tried[i] ? 0 : coverage(o, &o->query.entries[i]);

        if (serves > best) {
            best = serves;
            keys[0] = &o->query.entries[i];
            count = 1;
        }
    }
    for (size_t i = 0; count > 0 && i < o->query.entry_count && count < KEYS_PER_CALL; i++) {
        const struct ask_entry *entry = &o->query.entries[i];

        if (entry != keys[0] && entry->module == keys[0]->module && !o->tried[i] && coverage(o, entry) > 0)
            keys[count++] = entry;
    }
    return count;
}

static const struct ask_entry *find_key(const struct opener *o, const char *key)
{
    for (size_t i = 0; i < o->query.entry_count; i++)
        if (o->query.entries[i].key != NULL && strcmp(o->query.entries[i].key, key) == 0)
            return &o->query.entries[i];
    return NULL;
}

static void mark_tried(struct opener *o, const struct ask_entry *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        o->tried[keys[i] - o->query.entries] = true;
}

/* Are the octets of these two the same? What cannot be read is not. */
static bool same_octets(const struct layer_entity *a, const struct layer_entity *b)
{
    bool same = false;

    return a->length == b->length &&
           fdio_same_range(a->fd, a->offset, b->fd, b->offset, a->length, &same) == 0 && same;
}

/* The strand whose recipients' keys opened the layer to the same octets already: nothing is kept or done
   twice for many recipients with keys of their own. NULL: none. */
static struct unwrap_strand *find_same(const struct opener *o, const struct unwrap_node *node)
{
    for (size_t i = o->first_strand; i < o->unwrap->strand_count; i++) {
        const struct unwrap_node *inner = o->unwrap->strands[i].inner;

        if (same_octets(&inner->entity, &node->entity))
            return &o->unwrap->strands[i];
    }
    return NULL;
}

/* Those waiting for whom `entry` may decrypt go on inside `node`. */
static void serve(struct opener *o, const struct ask_entry *entry, struct unwrap_node *node)
{
    struct unwrap_strand *strand = find_same(o, node);
    struct strlist left = {0};

    if (strand != NULL) {
        strlist_add(&strand->inner->other_keys, node->layer.key_fingerprint);
        unwrap_node_drop(o->unwrap, node);
    } else {
        strand = mem_push(&o->unwrap->strands, &o->unwrap->strand_count, sizeof(*strand));
        strand->inner = node;
    }
    for (size_t i = 0; i < o->waiting.count; i++) {
        bool may = keyright_allows(o->unwrap->message->config, entry, o->waiting.items[i]);

        strlist_add(may ? &strand->recipients : &left, o->waiting.items[i]);
    }
    strlist_free(&o->waiting);
    o->waiting = left;
}

/* Is what came out fit to be released? Only an AEAD tag, the form of a whole MIME entity, or text and nothing
 * else makes it so. -1: errno. */
static int releasable(const struct opener *o, const struct unwrap_node *node)
{
    const struct layer_entity *entity = &node->entity;
    struct mime mime;
    int intact;

    if (node->layer.authenticated)
        return 1;
    if (unwrap_parse(o->unwrap->message, node, &mime) != 0)
        return -1;
    /* the limit is told elsewhere, nothing is released then */
    intact = mime.fault != MIME_OK ? 1 : intact_entity(node->entity.fd, &mime);
    if (intact == 0)
        intact = intact_text(&mime, entity->fd, entity->offset, entity->length);
    mime_free(&mime);
    return intact;
}

/* One attempt with these keys. false: outcome filled in. */
static bool attempt(struct opener *o, const struct ask_entry *const *keys, size_t count,
                    struct outcome *outcome)
{
    struct layer_request request = {.look = o->look, .keys = keys, .key_count = count};
    struct unwrap_node *node = unwrap_node_new(o->unwrap, o->outer, true, outcome);
    enum layer_end end;
    int fit = 1;

    if (node == NULL)
        return false;
    request.out = node->own_fd;
    request.limit = unwrap_limit(o->unwrap, o->outer);
    end = layer_open(o->unwrap->message, &request, &node->layer, outcome);
    if (end == LAYER_OPENED && unwrap_node_settle(node, outcome)) {
        fit = releasable(o, node);
        if (fit < 0)
            outcome_temporary(outcome, "4.3.1", "SPOOL: %s", strerror(errno));
    }
    if (end == LAYER_OPENED && fit > 0 && outcome->kind == OUTCOME_DONE) {
        unwrap_note(o->unwrap, "decrypted with %s (%s)", node->layer.key, node->layer.cipher);
        serve(o, find_key(o, node->layer.key), node);
        return true;
    }
    if (end == LAYER_OPENED && fit == 0)
        unwrap_note(
            o->unwrap,
            "what came out is not authenticated, and neither a whole MIME entity nor text: not released");
    unwrap_node_drop(o->unwrap, node);
    mark_tried(o, keys, count);
    if (end == LAYER_UNSUPPORTED) { /* no other key changes that */
        o->stop = UNWRAP_UNSUPPORTED;
        memset(o->tried, true, o->query.entry_count * sizeof(*o->tried));
    }
    return outcome->kind == OUTCOME_DONE;
}

/* Who is still waiting could not be served. If a key module could not tell, there may be a key: later, then.
 */
static bool give_rest(struct opener *o, size_t index, struct outcome *outcome)
{
    struct unwrap_strand *strand = &o->unwrap->strands[index];

    if (o->waiting.count > 0 && o->query.uncertain && o->stop == UNWRAP_UNDECRYPTABLE) {
        outcome_temporary(outcome, "4.3.0", "decryption key not found, but not all could be asked: %s",
                          o->query.uncertain_text);
        return false;
    }
    if (o->waiting.count > 0)
        unwrap_note(o->unwrap, "no key opens the encrypted layer for %zu recipient(s): %zu found",
                    o->waiting.count, o->query.entry_count);
    strlist_free(&strand->recipients);
    strand->recipients = o->waiting;
    memset(&o->waiting, 0, sizeof(o->waiting));
    strand->stop = o->stop;
    strand->done = true;
    return true;
}

/* What of the visible form is not the profile's, for people. NULL: nothing. */
static char *form_fault(const struct config_profile *profile, const struct layer_form *form)
{
    struct strlist faults = {0};
    char *text = NULL;

    for (size_t i = 0; i < form->keytrans.count; i++)
        if (!form_keytrans_fits(profile, form->keytrans.items[i]))
            strlist_add_take(&faults, form_keytrans_text(form->keytrans.items[i]));
    if (form->cipher != NULL && !form_cipher_fits(profile, form->cipher))
        strlist_add_take(&faults, form_cipher_text(form->cipher));
    if (faults.count > 0)
        text = strlist_join(&faults, "; ");
    strlist_free(&faults);
    return text;
}

/* A form is demanded, and everybody can see that this layer has another one: it stays closed. Found out
   before any key is looked for, because whoever hears of it must not learn from it what a key would find.
   What is in a disputed layer is only for the scanner. false: outcome filled in. */
static bool look_at_form(struct unwrap *unwrap, struct unwrap_strand *strand, const struct layer_look *look,
                         struct outcome *outcome)
{
    struct layer_form form;

    if (unwrap->profile == NULL || unwrap_encrypted(strand->inner) != NULL ||
        unwrap_undisputed(strand->inner) != strand->inner)
        return true;
    if (layer_inspect(unwrap->message, look, &form, outcome) == LAYER_OPENED)
        unwrap->wrong = form_fault(unwrap->profile, &form);
    layer_form_free(&form);
    if (unwrap->wrong != NULL) {
        strand->stop = UNWRAP_FORM;
        strand->done = true;
    }
    return outcome->kind == OUTCOME_DONE;
}

bool opener_run(struct unwrap *unwrap, size_t index, const struct layer_look *look, struct outcome *outcome)
{
    const struct ask_entry *keys[KEYS_PER_CALL];
    struct opener o = {.unwrap = unwrap, .look = look, .stop = UNWRAP_UNDECRYPTABLE};
    bool good = true;
    size_t count;

    if (!look_at_form(unwrap, &unwrap->strands[index], look, outcome))
        return false;
    if (unwrap->strands[index].done)
        return true;
    o.outer = unwrap->strands[index].inner;
    o.first_strand = unwrap->strand_count;
    for (size_t i = 0; i < unwrap->strands[index].recipients.count; i++)
        strlist_add(&o.waiting, unwrap->strands[index].recipients.items[i]);
    o.query.use = "decrypt";
    o.query.identifiers = look->outline.recipients;
    o.query.identifier_count = look->outline.recipient_count;
    if (o.query.identifier_count > 0)
        ask_find(unwrap->message, &o.query, 1);
    o.tried = mem_array(o.query.entry_count + 1, sizeof(*o.tried));
    while (good && o.waiting.count > 0 && (count = choose_keys(&o, keys)) > 0)
        good = attempt(&o, keys, count, outcome);
    good = good && give_rest(&o, index, outcome);
    ask_query_free(&o.query);
    strlist_free(&o.waiting);
    free(o.tried);
    return good;
}
