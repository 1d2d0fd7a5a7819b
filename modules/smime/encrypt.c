/* The operation encrypt. */
#include <stdlib.h>

#include "modules/smime/capability.h"
#include "modules/smime/enveloping.h"
#include "modules/smime/fields.h"
#include "modules/smime/operations.h"
#include "util/mem.h"

static void enveloping_end(struct enveloping *enveloping)
{
    pieces_free(&enveloping->content);
    recipient_writer_free(enveloping->recipients);
    OPENSSL_cleanse(enveloping->key, sizeof(enveloping->key));
}

/* One recipient, and what he says to read. What he last said in a signature stands above his certificate. */
struct recipient {
    X509 *certificate;
    struct capabilities capabilities;
};

struct recipients {
    struct recipient *items;
    size_t count;
};

static void recipients_free(struct recipients *recipients)
{
    for (size_t i = 0; i < recipients->count; i++) {
        X509_free(recipients->items[i].certificate);
        capabilities_free(&recipients->items[i].capabilities);
    }
    free(recipients->items);
}

/* Capabilities that are no base64 offer nothing. */
static void read_capabilities(struct recipient *recipient, const struct xml_node *node)
{
    const struct xml_node *list = xml_child(node, "capabilities");
    struct buf der = {0};

    if (list != NULL && !xml_base64(list, &der))
        buf_clear(&der);
    capabilities_read(&recipient->capabilities, list != NULL ? &der : NULL, recipient->certificate);
    buf_free(&der);
}

/* In their order. False: `answer` is filled in. */
static bool recipients_read(struct recipients *recipients, const struct xml_node *body,
                            struct serve_answer *answer)
{
    const struct xml_node *certificate;
    struct recipient *recipient;

    for (const struct xml_node *node = xml_child(body, "recipient"); node != NULL;
         node = xml_next(node, "recipient")) {
        recipient = mem_push(&recipients->items, &recipients->count, sizeof(*recipient));
        certificate = xml_child(node, "certificate");
        recipient->certificate = certificate != NULL ? fields_certificate(certificate, answer) : NULL;
        if (recipient->certificate == NULL)
            return false;
        read_capabilities(recipient, node);
    }
    if (recipients->count == 0)
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "no recipient to encrypt to");
    return recipients->count > 0;
}

static bool all_offer_gcm(const struct recipients *recipients)
{
    for (size_t i = 0; i < recipients->count; i++)
        if (!capabilities_offer_gcm(&recipients->items[i].capabilities))
            return false;
    return true;
}

static bool choose_cipher(struct enveloping *enveloping, const struct xml_node *body,
                          const struct recipients *recipients, struct serve_answer *answer)
{
    const char *name = xml_attribute(body, "cipher");
    const struct cipher_algorithm *algorithm;

    if (fields_is(body, "cipher", "auto"))
        name = all_offer_gcm(recipients) ? "aes-256-gcm" : "aes-256-cbc";
    algorithm = cipher_by_name(name);
    if (algorithm == NULL || algorithm->weak) {
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "this cipher is never written");
        return false;
    }
    if (content_cipher_new(&enveloping->cipher, algorithm) &&
        RAND_priv_bytes(enveloping->key, (int)algorithm->key_len) > 0)
        return true;
    serve_fail(answer, ANSWER_TEMPORARY, "crypto", "OpenSSL has no random numbers");
    return false;
}

static bool add_recipients(struct enveloping *enveloping, const struct xml_node *body,
                           const struct recipients *recipients, struct serve_answer *answer)
{
    const bool automatic = fields_is(body, "keytrans", "auto");
    const struct keytrans_scheme *keytrans = keytrans_by_name(xml_attribute(body, "keytrans"));

    if (keytrans == NULL && !automatic) {
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "unknown keytrans");
        return false;
    }
    for (size_t i = 0; i < recipients->count; i++) {
        if (automatic)
            keytrans = capabilities_keytrans(&recipients->items[i].capabilities,
                                             X509_get0_pubkey(recipients->items[i].certificate));
        if (!recipient_writer_add(enveloping->recipients, recipients->items[i].certificate, keytrans,
                                  enveloping->key, enveloping->cipher.key_len, answer))
            return false;
    }
    return true;
}

static bool read_request(struct enveloping *enveloping, const struct serve_request *request,
                         struct serve_answer *answer)
{
    const struct xml_node *body = request->body;
    struct recipients recipients = {NULL, 0};
    bool ok = recipients_read(&recipients, body, answer) &&
              choose_cipher(enveloping, body, &recipients, answer) &&
              add_recipients(enveloping, body, &recipients, answer) &&
              pieces_parse(&enveloping->content, request, body, answer) &&
              output_open(&enveloping->output, request, body, answer);

    recipients_free(&recipients);
    enveloping->output.eol = fields_eol(body);
    return ok;
}

void smime_encrypt(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    struct enveloping enveloping = {.output = {.fd = -1}};

    (void)module;
    enveloping.recipients = recipient_writer_new();
    if (read_request(&enveloping, request, answer)) {
        if (enveloping_write(&enveloping, answer)) {
            xml_open(&answer->writer, "encrypt");
            xml_put(&answer->writer, "type",
                    cipher_authenticates(enveloping.cipher.algorithm) ? "auth-enveloped" : "enveloped");
            xml_put(&answer->writer, "cipher", enveloping.cipher.algorithm->name);
            xml_put_number(&answer->writer, "length", enveloping.output.written);
            xml_close(&answer->writer);
        } else {
            output_undo(&enveloping.output);
        }
    }
    enveloping_end(&enveloping);
}
