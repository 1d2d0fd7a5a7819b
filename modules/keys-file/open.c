/* Operation open: an encrypted content key in, the content key out. */
#include <string.h>

#include "modules/keys-file/grant.h"
#include "modules/keys-file/opening.h"
#include "modules/keys-file/private_key.h"
#include "util/base64.h"
#include "util/mem.h"

static bool child_octets(const struct xml_node *body, const char *name, struct buf *out)
{
    const struct xml_node *node = xml_child(body, name);

    return node == NULL || xml_base64(node, out);
}

static bool attribute_octets(const struct xml_node *body, const char *name, struct buf *out)
{
    const char *hex = xml_attribute(body, name);

    return hex == NULL || hex_decode_buf(out, hex);
}

/* False: `answer` says what is wrong with the request. */
static bool read_opening(const struct xml_node *body, struct opening *opening, struct serve_answer *answer)
{
    uint64_t length = 0;

    opening->scheme = xml_attribute(body, "scheme");
    opening->mgf1 = xml_attribute(body, "mgf1");
    opening->wrap = xml_attribute(body, "wrap");
    xml_attribute_number(body, "length", OPENING_KEY_MAX, &length);
    opening->length = (size_t)length;
    if (length > 0 && child_octets(body, "encrypted", &opening->encrypted) &&
        child_octets(body, "originator", &opening->originator) &&
        child_octets(body, "shared-info", &opening->shared_info) &&
        attribute_octets(body, "label", &opening->label) && attribute_octets(body, "salt", &opening->salt))
        return true;
    serve_fail(answer, ANSWER_PERMANENT, "invalid", "a content key has 1 to %d octets", OPENING_KEY_MAX);
    return false;
}

static void opening_free(struct opening *opening)
{
    buf_free(&opening->encrypted);
    buf_free(&opening->originator);
    buf_free(&opening->shared_info);
    buf_free(&opening->label);
    buf_free(&opening->salt);
}

static void write_key(struct xml_writer *w, const unsigned char *content_key, size_t len)
{
    xml_open(w, "open");
    xml_add_base64(w, "content-key", content_key, len);
    xml_close(w);
}

static void open_with(EVP_PKEY *key, const struct opening *opening, struct serve_answer *answer)
{
    unsigned char content_key[OPENING_KEY_MAX] = {0};
    bool ecdh = strncmp(opening->scheme, "ecdh-", 5) == 0;
    enum opening_result result =
        ecdh ? opening_ecdh(key, opening, content_key) : opening_rsa(key, opening, content_key);

    if (result == OPENING_OK)
        write_key(&answer->writer, content_key, opening->length);
    else if (result == OPENING_WRONG_SCHEME)
        serve_fail(answer, ANSWER_PERMANENT, "wrong-scheme", "%s is not for this kind of key",
                   opening->scheme);
    else
        serve_fail(answer, ANSWER_PERMANENT, "undecryptable", "the content key could not be decrypted");
    mem_wipe(content_key, sizeof(content_key));
}

void open_run(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    const char *reference = xml_attribute(request->body, "key");
    struct opening opening = {0};
    EVP_PKEY *key;

    if (!grant_use(request, "open", reference, answer))
        return;
    if (read_opening(request->body, &opening, answer) &&
        (key = private_key_get(module, reference, answer)) != NULL) {
        open_with(key, &opening, answer);
        EVP_PKEY_free(key);
    }
    opening_free(&opening);
}
