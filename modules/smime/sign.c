/* The operation sign. */
#include "modules/smime/fields.h"
#include "modules/smime/operations.h"
#include "modules/smime/signing.h"

static void signing_end(struct signing *signing)
{
    pieces_free(&signing->content);
    sk_X509_pop_free(signing->certificates, X509_free);
    signed_writer_free(signing->writer);
}

/* What the request says of keys and algorithms. */
static bool read_scheme(struct signing *signing, const struct xml_node *body, struct serve_answer *answer)
{
    const struct digest_algorithm *digest = digest_by_name(xml_attribute(body, "digest"));

    signing->key = xml_attribute(body, "key");
    signing->certificates = fields_certificates(body, answer);
    if (signing->certificates == NULL)
        return false;
    if (signing->key == NULL || digest == NULL || digest->micalg == NULL ||
        sk_X509_num(signing->certificates) == 0) {
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "a key, its certificate and a digest are needed");
        return false;
    }
    if (signature_scheme_choose(sk_X509_value(signing->certificates, 0), fields_is(body, "rsa", "pss"),
                                digest, &signing->scheme))
        return true;
    serve_fail(answer, ANSWER_PERMANENT, "unsupported",
               "the key in this certificate makes no RSA or ECDSA signatures with SHA-2");
    return false;
}

static bool read_request(struct signing *signing, const struct serve_request *request,
                         struct serve_answer *answer)
{
    const struct xml_node *body = request->body;

    if (!read_scheme(signing, body, answer) || !pieces_parse(&signing->content, request, body, answer))
        return false;
    signing->channel.fd = serve_fd_socket(request, body, "channel", answer);
    signing->channel.until = request->until;
    if (signing->channel.fd < 0 || !output_open(&signing->output, request, body, answer))
        return false;
    signing->output.eol = fields_eol(body);
    signing->writer = signed_writer_new(signing->certificates, &signing->scheme, answer);
    return signing->writer != NULL;
}

static void answer_signed(const struct signing *signing, struct serve_answer *answer)
{
    char scheme[32];

    signature_scheme_name(&signing->scheme, scheme, sizeof(scheme));
    xml_open(&answer->writer, "sign");
    xml_put(&answer->writer, "scheme", scheme);
    xml_put_number(&answer->writer, "length", signing->output.written);
    xml_close(&answer->writer);
}

void smime_sign(const struct serve_request *request, struct serve_answer *answer, void *module)
{
    struct signing signing = {.output = {.fd = -1}};
    bool clear = fields_is(request->body, "form", "clear");

    (void)module;
    if (read_request(&signing, request, answer)) {
        if (clear ? signing_write_clear(&signing, answer) : signing_write_opaque(&signing, answer))
            answer_signed(&signing, answer);
        else
            output_undo(&signing.output);
    }
    signing_end(&signing);
}
