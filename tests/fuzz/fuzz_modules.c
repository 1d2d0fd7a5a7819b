/* In the place of the modules, for the way of a message through its layers: an "encrypted" layer is opened by
   taking out what stands where the ciphertext would, if a key with identifier "id" (a gateway's) or serial
   number 1 (of inside@x.example) is named; a signature is good, and its certificate is that of a@y.example.
 */
#include <string.h>

#include "incoming/layer.h"
#include "mail/ber.h"
#include "mail/source.h"
#include "tests/fuzz/fuzz.h"
#include "util/fdio.h"
#include "util/mem.h"

static ssize_t read_source(void *context, void *out, size_t size)
{
    return source_read(context, out, size);
}

void ask_find(struct message *message, struct ask_query *queries, size_t count)
{
    (void)message;
    for (size_t q = 0; q < count; q++)
        for (size_t i = 0; strcmp(queries[q].use, "decrypt") == 0 && i < queries[q].identifier_count; i++) {
            const struct cms_recipient *identifier = &queries[q].identifiers[i];
            bool gateway = strcmp(buf_text(&identifier->ski), "id") == 0;
            struct ask_entry *entry;

            if (!gateway && strcmp(buf_text(&identifier->serial), "\1") != 0)
                continue;
            entry = mem_push(&queries[q].entries, &queries[q].entry_count, sizeof(*entry));
            entry->key = mem_strdup(gateway ? "m:id" : "m:1");
            entry->fingerprint = mem_strdup(gateway ? "id" : "01");
            entry->gateway = gateway;
            strlist_add(&entry->addresses, "inside@x.example");
        }
}

/* Nothing here signs, or wonders whether a module is alive. */
struct call_grant *ask_grant(struct call_module *module, const char *operation, const char *const *keys,
                             size_t key_count, unsigned int count, struct call_answer *answer_r)
{
    (void)module;
    (void)operation;
    (void)keys;
    (void)key_count;
    (void)count;
    (void)answer_r;
    abort();
}

void ask_hello(struct call_module *module, struct call_answer *answer_r)
{
    (void)module;
    (void)answer_r;
    abort();
}

/* No form is demanded. */
enum layer_end layer_inspect(struct message *message, const struct layer_look *look,
                             struct layer_form *form_r, struct outcome *outcome)
{
    (void)message;
    (void)look;
    (void)form_r;
    (void)outcome;
    abort();
}

void layer_form_free(struct layer_form *form)
{
    (void)form;
    abort();
}

/* From the inside of the object up to the octets of its content. 1: there are some; 0: there are none; -1. */
static int go_to_content(struct ber *ber, enum cms_type type)
{
    if (!ber_enter(ber, 0x30, NULL) || !ber_skip(ber) || !ber_enter(ber, 0xa0, NULL) ||
        !ber_enter(ber, 0x30, NULL) || !ber_skip(ber))
        return -1;
    if (ber_peek(ber) == 0xa0)
        ber_skip(ber);
    if (!ber_skip(ber) || !ber_enter(ber, 0x30, NULL) || !ber_skip(ber))
        return -1;
    if (type == CMS_ENVELOPED || type == CMS_AUTH_ENVELOPED)
        return ber_skip(ber) && ber_octets_enter(ber, 0x80) ? 1 : -1;
    if (!ber_more(ber))
        return 0;
    return ber_enter(ber, 0xa0, NULL) && ber_octets_enter(ber, 0x04) ? 1 : -1;
}

static enum layer_end copy_content(const struct layer_request *request)
{
    const struct layer_look *look = request->look;
    struct source *source = source_new(look->content.fd, look->content.offset, look->content.length,
                                       look->encoding, SOURCE_EOL_KEEP);
    struct ber *ber = ber_new(read_source, source);
    int found = go_to_content(ber, look->outline.type);
    uint64_t written = 0;
    char chunk[512];
    ssize_t n = found;

    while (found > 0 && (n = ber_octets_read(ber, chunk, sizeof(chunk))) > 0 && written <= request->limit) {
        FUZZ_HOLDS(fdio_write_all(request->out, chunk, (size_t)n) == 0);
        written += (uint64_t)n;
    }
    ber_free(ber);
    source_free(source);
    if (written > request->limit)
        return LAYER_UNSUPPORTED;
    return n < 0 ? LAYER_DAMAGED : found == 0 ? LAYER_EMPTY : LAYER_OPENED;
}

static void add_signer(struct layer *layer)
{
    struct layer_signer *signer = mem_push(&layer->signers, &layer->signer_count, sizeof(*signer));

    signer->result = LAYER_SIGNATURE_GOOD;
    signer->fingerprint = mem_strdup("aa");
    signer->verdict.verdict = mem_strdup("valid");
    signer->verdict.issuer = mem_strdup("CN=CA");
    strlist_add(&signer->verdict.addresses, "a@y.example");
}

enum layer_end layer_open(struct message *message, const struct layer_request *request, struct layer *layer_r,
                          struct outcome *outcome)
{
    const struct layer_look *look = request->look;
    enum layer_end end = look->detached ? LAYER_OPENED : copy_content(request);

    (void)message;
    (void)outcome;
    memset(layer_r, 0, sizeof(*layer_r));
    if (end != LAYER_OPENED)
        return end;
    layer_r->kind = look->kind;
    if (look->kind == LAYER_SIGNED)
        add_signer(layer_r);
    if (look->kind != LAYER_ENCRYPTED)
        return end;
    FUZZ_HOLDS(request->key_count > 0);
    layer_r->authenticated = look->outline.type == CMS_AUTH_ENVELOPED;
    layer_r->key = mem_strdup(request->keys[0]->key);
    layer_r->key_fingerprint = mem_strdup(request->keys[0]->fingerprint);
    return end;
}
