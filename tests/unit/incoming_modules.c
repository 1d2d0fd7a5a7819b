#include "incoming_modules.h"

#include <stdlib.h>
#include <string.h>

#include "incoming/layer.h"
#include "util/fdio.h"
#include "util/mem.h"

const struct incoming_key *incoming_keys;
bool incoming_uncertain;
const char *incoming_fault;
unsigned int incoming_opens;

/* Two of them, told apart by their addresses only. */
static char modules[2];

static char *read_words(int fd, uint64_t offset, uint64_t len)
{
    char *words = mem_alloc((size_t)len + 1);

    if (fdio_pread_all(fd, words, (size_t)len, offset) != 0)
        abort();
    return words;
}

int layer_look(struct layer_look *look, int fd, const struct mime *mime)
{
    const struct mime_part *root = mime->root;
    char *words, *word, *save = NULL;

    memset(look, 0, sizeof(*look));
    if (!mime_type_is(root, "application/pkcs7-mime"))
        return 0;
    words = read_words(fd, root->body, root->end - root->body);
    look->readable = true;
    look->content = (struct layer_entity){fd, root->body, root->end - root->body};
    look->kind = words[0] == 's' || words[0] == 'b' ? LAYER_SIGNED
                 : words[0] == 'c'                  ? LAYER_COMPRESSED
                                                    : LAYER_ENCRYPTED;
    word = strtok_r(words, " ", &save);
    for (word = strtok_r(strchr(word, ':'), ":,", &save); word != NULL; word = strtok_r(NULL, ",", &save)) {
        struct cms_recipient *recipient =
            mem_push(&look->outline.recipients, &look->outline.recipient_count, sizeof(*recipient));

        buf_add_text(&recipient->ski, word);
    }
    free(words);
    return 0;
}

void layer_look_free(struct layer_look *look)
{
    cms_outline_free(&look->outline);
}

void ask_find(struct message *message, struct ask_query *queries, size_t count)
{
    (void)message;
    (void)count;
    queries[0].uncertain = incoming_uncertain;
    queries[0].uncertain_text = incoming_uncertain ? mem_strdup("it is asleep") : NULL;
    for (const struct incoming_key *key = incoming_keys; key->key != NULL; key++)
        for (size_t i = 0; i < queries[0].identifier_count; i++) {
            struct ask_entry *entry;

            if (strcmp(buf_text(&queries[0].identifiers[i].ski), key->key) != 0)
                continue;
            entry = mem_push(&queries[0].entries, &queries[0].entry_count, sizeof(*entry));
            entry->key = mem_strdup(key->key);
            entry->fingerprint = mem_strdup(key->key);
            entry->gateway = key->gateway;
            entry->module = (struct call_module *)(void *)&modules[key->module];
            strlist_add(&entry->addresses, key->address);
        }
}

/* What is inside: the other layers, or the content. */
static void write_rest(int out, const char *rest)
{
    struct buf text = {0};

    if (strcmp(rest, "plain") == 0)
        buf_add_text(&text, "Content-Type: text/plain\r\n\r\nhi\r\n");
    else if (strcmp(rest, "raw") == 0)
        buf_add_text(&text, "\001\002 no entity");
    else
        buf_printf(&text, "Content-Type: application/pkcs7-mime\n\n%s", rest);
    if (fdio_write_all(out, text.data, text.len) != 0)
        abort();
    buf_free(&text);
}

static const struct ask_entry *working_key(const struct layer_request *request)
{
    const struct ask_entry *works = NULL;

    for (size_t i = 0; i < request->key_count; i++) {
        if (request->keys[i]->module != request->keys[0]->module)
            abort(); /* a channel leads to one module */
        if (works == NULL && strncmp(request->keys[i]->key, "bad", 3) != 0)
            works = request->keys[i];
    }
    return works;
}

enum layer_end layer_open(struct message *message, const struct layer_request *request, struct layer *layer_r,
                          struct outcome *outcome)
{
    const struct layer_entity *content = &request->look->content;
    char *words = read_words(content->fd, content->offset, content->length);
    const struct ask_entry *key = working_key(request);
    enum layer_end end = LAYER_OPENED;

    (void)message;
    incoming_opens++;
    memset(layer_r, 0, sizeof(*layer_r));
    layer_r->kind = request->look->kind;
    layer_r->authenticated = words[0] == 'E';
    for (size_t i = 0; i < request->key_count && incoming_fault != NULL; i++)
        if (strcmp(request->keys[i]->key, incoming_fault) == 0) {
            outcome_temporary(outcome, "4.3.0", "stand-in");
            end = LAYER_TEMPORARY;
        }
    if (end == LAYER_OPENED && words[0] == 'u')
        end = LAYER_UNSUPPORTED;
    else if (end == LAYER_OPENED && words[0] == 'b')
        end = LAYER_DAMAGED;
    else if (end == LAYER_OPENED && layer_r->kind == LAYER_ENCRYPTED && key == NULL)
        end = LAYER_UNDECRYPTABLE;
    if (end == LAYER_OPENED) {
        layer_r->key = key == NULL ? NULL : mem_strdup(key->key);
        write_rest(request->out, strchr(words, ' ') + 1);
    }
    free(words);
    return end;
}

void layer_form_free(struct layer_form *form)
{
    free(form->cipher);
    strlist_free(&form->keytrans);
}

enum layer_end layer_inspect(struct message *message, const struct layer_look *look,
                             struct layer_form *form_r, struct outcome *outcome)
{
    char *words = read_words(look->content.fd, look->content.offset, look->content.length);

    (void)message;
    (void)outcome;
    *form_r = (struct layer_form){.cipher = mem_strdup(words[0] == 'E' ? "aes-256-gcm" : "aes-128-cbc")};
    strlist_add(&form_r->keytrans, "rsa-oaep-sha256");
    free(words);
    return LAYER_OPENED;
}
