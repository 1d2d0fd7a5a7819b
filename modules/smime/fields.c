#include "modules/smime/fields.h"

#include <string.h>

#include "modules/smime/der.h"

bool fields_is(const struct xml_node *node, const char *attribute, const char *value)
{
    const char *got = xml_attribute(node, attribute);

    return got != NULL && strcmp(got, value) == 0;
}

const char *fields_eol(const struct xml_node *node)
{
    return fields_is(node, "eol", "crlf") ? "\r\n" : "\n";
}

X509 *fields_certificate(const struct xml_node *node, struct serve_answer *answer)
{
    struct buf der = {0};
    X509 *certificate = NULL;

    if (xml_base64(node, &der))
        certificate = der_certificate(der.data, der.len);
    if (certificate == NULL)
        serve_fail(answer, ANSWER_PERMANENT, "invalid", "element %s holds no X.509 certificate", node->name);
    buf_free(&der);
    return certificate;
}

x509_list *fields_certificates(const struct xml_node *parent, struct serve_answer *answer)
{
    x509_list *list = sk_X509_new_reserve(NULL, 4);
    const struct xml_node *node = xml_child(parent, "certificate");
    X509 *certificate;

    for (; list != NULL && node != NULL; node = xml_next(node, "certificate")) {
        if (sk_X509_num(list) == FIELDS_CERTIFICATES_MAX)
            break;
        certificate = fields_certificate(node, answer);
        if (certificate == NULL || !sk_X509_push(list, certificate)) {
            X509_free(certificate);
            sk_X509_pop_free(list, X509_free);
            return NULL;
        }
    }
    if (list != NULL && node == NULL)
        return list;
    serve_fail(answer, ANSWER_PERMANENT, "invalid", "more than %d certificates", FIELDS_CERTIFICATES_MAX);
    sk_X509_pop_free(list, X509_free);
    return NULL;
}
