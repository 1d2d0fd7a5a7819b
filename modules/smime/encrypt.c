/* The operation encrypt. */
#include "modules/smime/asn1_types.h"
#include "modules/smime/capability.h"
#include "modules/smime/enveloping.h"
#include "modules/smime/fields.h"
#include "modules/smime/operations.h"

static void enveloping_end(struct enveloping *enveloping)
{
    pieces_free(&enveloping->content);
    recipient_writer_free(enveloping->recipients);
    OPENSSL_cleanse(enveloping->key, sizeof(enveloping->key));
}

/* Does the recipient say to read AES-256-GCM? What he last said in a signature stands above his certificate.
 */
static bool offers_gcm(const struct xml_node *recipient, X509 *certificate)
{
    const struct xml_node *list = xml_child(recipient, "capabilities");
    struct buf der = {0};
    bool offers;

    if (list == NULL)
        return capability_certificate_offers_gcm(certificate);
    offers = xml_base64(list, &der) && capability_offers_gcm(der.data, der.len);
    buf_free(&der);
    return offers;
}

static bool all_offer_gcm(const struct xml_node *body, x509_list *certificates)
{
    int i = 0;

    for (const struct xml_node *node = xml_child(body, "recipient"); node != NULL;
         node = xml_next(node, "recipient"))
        if (!offers_gcm(node, sk_X509_value(certificates, i++)))
            return false;
    return true;
}

/* One certificate per recipient, in their order. */
static x509_list *read_certificates(const struct xml_node *body, struct serve_answer *answer)
{
    x509_list *list = sk_X509_new_null();
    const struct xml_node *inner;
    X509 *certificate;

    for (const struct xml_node *node = xml_child(body, "recipient"); list != NULL && node != NULL;
         node = xml_next(node, "recipient")) {
        inner = xml_child(node, "certificate");
        certificate = inner != NULL ? fields_certificate(inner, answer) : NULL;
        if (certificate == NULL || !sk_X509_push(list, certificate)) {
            X509_free(certificate);
            sk_X509_pop_free(list, X509_free);
            return NULL;
        }
    }
    if (sk_X509_num(list) > 0)
        return list;
    serve_fail(answer, ANSWER_PERMANENT, "invalid", "no recipient to encrypt to");
    sk_X509_free(list);
    return NULL;
}

static bool choose_cipher(struct enveloping *enveloping, const struct xml_node *body, x509_list *certificates,
                          struct serve_answer *answer)
{
    const char *name = xml_attribute(body, "cipher");
    const struct cipher_algorithm *algorithm;

    if (fields_is(body, "cipher", "auto"))
        name = all_offer_gcm(body, certificates) ? "aes-256-gcm" : "aes-256-cbc";
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
                           x509_list *certificates, struct serve_answer *answer)
{
    const struct keytrans_scheme *keytrans = keytrans_by_name(xml_attribute(body, "keytrans"));

    if (keytrans == NULL) {
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "unknown keytrans");
        return false;
    }
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (!recipient_writer_add(enveloping->recipients, sk_X509_value(certificates, i), keytrans,
                                  enveloping->key, enveloping->cipher.key_len, answer))
            return false;
    return true;
}

static bool read_request(struct enveloping *enveloping, const struct serve_request *request,
                         struct serve_answer *answer)
{
    const struct xml_node *body = request->body;
    x509_list *certificates = read_certificates(body, answer);
    bool ok = certificates != NULL && choose_cipher(enveloping, body, certificates, answer) &&
              add_recipients(enveloping, body, certificates, answer) &&
              pieces_parse(&enveloping->content, request, body, answer) &&
              output_open(&enveloping->output, request, body, answer);

    sk_X509_pop_free(certificates, X509_free);
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
                    enveloping.cipher.algorithm->aead ? "auth-enveloped" : "enveloped");
            xml_put(&answer->writer, "cipher", enveloping.cipher.algorithm->name);
            xml_put_number(&answer->writer, "length", enveloping.output.written);
            xml_close(&answer->writer);
        } else {
            output_undo(&enveloping.output);
        }
    }
    enveloping_end(&enveloping);
}
