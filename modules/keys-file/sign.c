/* Operation sign: digest or message in, signature out. */
#include "modules/keys-file/grant.h"
#include "modules/keys-file/private_key.h"
#include "modules/keys-file/signing.h"
#include "util/base64.h"

static void fail(struct serve_answer *answer, enum signing_result result, const char *scheme)
{
    if (result == SIGNING_WRONG_SCHEME)
        serve_fail(answer, ANSWER_PERMANENT, "wrong-scheme", "%s is not for this kind of key", scheme);
    else if (result == SIGNING_WRONG_DIGEST)
        serve_fail(answer, ANSWER_PERMANENT, "wrong-digest", "the digest's length is not that of %s", scheme);
    else
        serve_fail(answer, ANSWER_TEMPORARY, "signing-failed", "the key could not be used for %s", scheme);
}

static void write_signature(struct xml_writer *w, const struct buf *signature)
{
    xml_open(w, "sign");
    xml_add_base64(w, "signature", signature->data, signature->len);
    xml_close(w);
}

/* The digest, or the message of a scheme that signs it whole. False: `answer` is filled in. */
static bool read_input(const struct xml_node *body, struct buf *input, struct serve_answer *answer)
{
    const struct xml_node *message = xml_child(body, "message");

    if (message == NULL ? hex_decode_buf(input, xml_attribute(body, "digest"))
                        : xml_base64(message, input) && input->len <= SIGNING_MESSAGE_MAX)
        return true;
    serve_fail(answer, ANSWER_PERMANENT, "invalid", "a message to sign has at most %d octets",
               SIGNING_MESSAGE_MAX);
    return false;
}

void sign_run(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    const char *reference = xml_attribute(request->body, "key"),
               *scheme = xml_attribute(request->body, "scheme");
    struct buf input = {0}, signature = {0};
    enum signing_result result;
    EVP_PKEY *key = NULL;

    if (!grant_use(request, "sign", reference, answer))
        return;
    if (read_input(request->body, &input, answer) &&
        (key = private_key_get(module, reference, answer)) != NULL) {
        result = signing_run(key, scheme, &input, &signature);
        if (result == SIGNING_OK)
            write_signature(&answer->writer, &signature);
        else
            fail(answer, result, scheme);
    }
    EVP_PKEY_free(key);
    buf_free(&input);
    buf_free(&signature);
}
