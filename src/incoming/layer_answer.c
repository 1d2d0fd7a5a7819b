/* The smime module's answer to `unwrap`. */
#include <stdlib.h>
#include <string.h>

#include "incoming/layer.h"
#include "util/base64.h"
#include "util/mem.h"

#define CERTIFICATES_MAX 100 /* of one layer; a message that carries more is no letter */
#define CRLS_MAX         20
#define SIGNERS_MAX      20

static enum layer_kind kind_of(const char *type)
{
    if (strcmp(type, "signed") == 0)
        return LAYER_SIGNED;
    if (strcmp(type, "enveloped") == 0 || strcmp(type, "auth-enveloped") == 0)
        return LAYER_ENCRYPTED;
    if (strcmp(type, "compressed") == 0)
        return LAYER_COMPRESSED;
    return LAYER_NONE;
}

static void read_ders(const struct xml_node *body, const char *name, size_t max, struct buf **items,
                      size_t *count)
{
    for (const struct xml_node *node = xml_child(body, name); node != NULL && *count < max;
         node = xml_next(node, name)) {
        struct buf der = {0}, *added;

        if (!xml_base64(node, &der) || der.len == 0) {
            buf_free(&der);
            continue;
        }
        added = mem_push(items, count, sizeof(**items));
        *added = der;
    }
}

static char *attribute(const struct xml_node *node, const char *name)
{
    return mem_strdup(xml_attribute(node, name));
}

static void read_identifier(const struct xml_node *node, struct layer_signer *signer)
{
    const char *issuer, *serial, *ski;

    if (node == NULL)
        return;
    issuer = xml_attribute(node, "issuer");
    serial = xml_attribute(node, "serial");
    ski = xml_attribute(node, "ski");
    if (issuer != NULL && serial != NULL)
        signer->missing = base64_decode_buf(&signer->identifier.issuer, issuer) &&
                          hex_decode_buf(&signer->identifier.serial, serial);
    else if (ski != NULL)
        signer->missing = hex_decode_buf(&signer->identifier.ski, ski);
}

/* The certificate with this fingerprint, computed here. */
static const struct buf *find_certificate(const struct layer *layer, const char *fingerprint)
{
    char hex[SHA256_HEX_LEN + 1];

    for (size_t i = 0; fingerprint != NULL && i < layer->certificate_count; i++) {
        sha256_hex(layer->certificates[i].data, layer->certificates[i].len, hex);
        if (strcmp(hex, fingerprint) == 0)
            return &layer->certificates[i];
    }
    return NULL;
}

static bool read_signer(const struct xml_node *node, struct layer *layer)
{
    struct layer_signer *signer = mem_push(&layer->signers, &layer->signer_count, sizeof(*signer));
    const char *result = xml_attribute(node, "result");
    const struct xml_node *capabilities = xml_child(node, "capabilities");

    if (result == NULL)
        return false;
    signer->result = strcmp(result, "good") == 0  ? LAYER_SIGNATURE_GOOD
                     : strcmp(result, "bad") == 0 ? LAYER_SIGNATURE_BAD
                                                  : LAYER_SIGNATURE_UNSUPPORTED;
    signer->reason = attribute(node, "reason");
    signer->fingerprint = attribute(node, "fingerprint");
    signer->scheme = attribute(node, "scheme");
    signer->mgf1 = attribute(node, "mgf1");
    if (!xml_attribute_number(node, "salt", UINT64_MAX, &signer->salt))
        signer->salt = 0;
    signer->signing_time = attribute(node, "signing-time");
    if (capabilities != NULL && !xml_base64(capabilities, &signer->capabilities))
        buf_clear(&signer->capabilities);
    if (signer->fingerprint == NULL)
        read_identifier(xml_child(node, "identifier"), signer);
    return true;
}

/* Certificates that were given along are kept with the layer: the caller's own copy goes away. */
static void keep_given(struct layer *layer, const struct layer_request *request)
{
    for (size_t i = 0; i < request->certificate_count; i++) {
        struct buf *added = mem_push(&layer->certificates, &layer->certificate_count, sizeof(*added));

        buf_add(added, request->certificates[i]->data, request->certificates[i]->len);
    }
}

static bool key_was_candidate(const struct layer_request *request, struct layer *layer)
{
    for (size_t i = 0; i < request->key_count; i++)
        if (layer->key != NULL && strcmp(request->keys[i]->key, layer->key) == 0) {
            layer->key_fingerprint = mem_strdup(request->keys[i]->fingerprint);
            for (size_t k = 0; k < request->keys[i]->addresses.count; k++)
                strlist_add(&layer->key_addresses, request->keys[i]->addresses.items[k]);
            layer->recipient_count = request->look->outline.recipient_count;
            return true;
        }
    return false;
}

bool layer_answer_read(const struct xml_node *body, const struct layer_request *request,
                       struct layer *layer_r, uint64_t *length_r)
{
    const char *type = body == NULL ? NULL : xml_attribute(body, "type");
    const char *authenticated;

    if (type == NULL || !xml_attribute_number(body, "length", UINT64_MAX / 2, length_r))
        return false;
    layer_r->kind = kind_of(type);
    if (layer_r->kind != request->look->kind && strcmp(type, "certs-only") != 0)
        return false;
    authenticated = xml_attribute(body, "authenticated");
    layer_r->authenticated = authenticated != NULL && strcmp(authenticated, "yes") == 0;
    layer_r->cipher = attribute(body, "cipher");
    layer_r->keytrans = attribute(body, "keytrans");
    layer_r->weak = attribute(body, "weak");
    layer_r->key = attribute(body, "key");
    if (layer_r->kind == LAYER_ENCRYPTED)
        return key_was_candidate(request, layer_r);
    read_ders(body, "certificate", CERTIFICATES_MAX, &layer_r->certificates, &layer_r->certificate_count);
    read_ders(body, "crl", CRLS_MAX, &layer_r->crls, &layer_r->crl_count);
    keep_given(layer_r, request);
    for (const struct xml_node *node = xml_child(body, "signer"); node != NULL;
         node = xml_next(node, "signer"))
        if (layer_r->signer_count == SIGNERS_MAX || !read_signer(node, layer_r))
            return false;
    for (size_t i = 0; i < layer_r->signer_count; i++)
        layer_r->signers[i].certificate = find_certificate(layer_r, layer_r->signers[i].fingerprint);
    return true;
}

static void signer_free(struct layer_signer *signer)
{
    free(signer->reason);
    free(signer->fingerprint);
    free(signer->scheme);
    free(signer->mgf1);
    free(signer->signing_time);
    buf_free(&signer->identifier.issuer);
    buf_free(&signer->identifier.serial);
    buf_free(&signer->identifier.ski);
    buf_free(&signer->capabilities);
    ask_verdict_free(&signer->verdict);
}

void layer_free(struct layer *layer)
{
    for (size_t i = 0; i < layer->signer_count; i++)
        signer_free(&layer->signers[i]);
    for (size_t i = 0; i < layer->certificate_count; i++)
        buf_free(&layer->certificates[i]);
    for (size_t i = 0; i < layer->crl_count; i++)
        buf_free(&layer->crls[i]);
    free(layer->signers);
    free(layer->certificates);
    free(layer->crls);
    free(layer->cipher);
    free(layer->keytrans);
    free(layer->weak);
    free(layer->key);
    free(layer->key_fingerprint);
    strlist_free(&layer->key_addresses);
    memset(layer, 0, sizeof(*layer));
}
