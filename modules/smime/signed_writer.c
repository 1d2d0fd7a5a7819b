#include "modules/smime/signed_writer.h"

#include <stdlib.h>

#include <openssl/ess.h>

#include "module/serve.h"
#include "modules/smime/asn1_types.h"
#include "modules/smime/capability.h"
#include "modules/smime/der.h"
#include "modules/smime/entity_id.h"
#include "util/mem.h"

struct signed_writer {
    SignedContentInfo *info;
    SignerInfo *signer;   /* in it */
    X509 *certificate;    /* the signer's, in it */
    EVP_PKEY *public_key; /* of that certificate */
    struct signature_scheme scheme;
};

/* The signer's first, each once. */
static bool add_certificates(SignedData *data, x509_list *certificates)
{
    X509 *certificate;
    bool known;

    for (int i = 0; i < sk_X509_num(certificates); i++) {
        certificate = sk_X509_value(certificates, i);
        known = false;
        for (int j = 0; !known && j < sk_X509_num(data->certificates); j++)
            known = X509_cmp(certificate, sk_X509_value(data->certificates, j)) == 0;
        if (!known && (X509_up_ref(certificate) <= 0 || !sk_X509_push(data->certificates, certificate)))
            return false;
    }
    return true;
}

/* Without parameters (RFC 5754 2). */
static bool set_digest(X509_ALGOR *algorithm, const struct digest_algorithm *digest)
{
    return X509_ALGOR_set0(algorithm, OBJ_nid2obj(digest->nid), V_ASN1_UNDEF, NULL) > 0;
}

static bool build_signer(struct signed_writer *writer)
{
    SignerInfo *signer = writer->signer;

    signer->sid->type = 0;
    signer->sid->d.issuer_serial = issuer_serial_new(writer->certificate);
    signer->signed_attributes = sk_X509_ATTRIBUTE_new_null();
    return signer->sid->d.issuer_serial != NULL && signer->signed_attributes != NULL &&
           ASN1_INTEGER_set(signer->version, 1) &&
           set_digest(signer->digest_algorithm, writer->scheme.digest) &&
           signature_set_algorithm(signer->signature_algorithm, &writer->scheme);
}

static bool build(struct signed_writer *writer, x509_list *certificates)
{
    X509_ALGOR *digest = X509_ALGOR_new();
    SignedData *data;

    writer->info = (SignedContentInfo *)ASN1_item_new(ASN1_ITEM_rptr(SignedContentInfo));
    writer->signer = (SignerInfo *)ASN1_item_new(ASN1_ITEM_rptr(SignerInfo));
    if (digest == NULL || writer->info == NULL || writer->signer == NULL ||
        !sk_SignerInfo_push(writer->info->content->signers, writer->signer)) {
        X509_ALGOR_free(digest);
        ASN1_item_free((ASN1_VALUE *)writer->signer, ASN1_ITEM_rptr(SignerInfo));
        return false;
    }
    data = writer->info->content;
    if (!sk_X509_ALGOR_push(data->digest_algorithms, digest)) {
        X509_ALGOR_free(digest);
        return false;
    }
    writer->info->type = OBJ_nid2obj(NID_pkcs7_signed);
    data->content->type = OBJ_nid2obj(NID_pkcs7_data);
    return ASN1_INTEGER_set(data->version, 1) && set_digest(digest, writer->scheme.digest) &&
           add_certificates(data, certificates) && build_signer(writer);
}

struct signed_writer *signed_writer_new(x509_list *certificates, const struct signature_scheme *scheme,
                                        struct serve_answer *answer)
{
    struct signed_writer *writer = mem_alloc(sizeof(*writer));

    writer->scheme = *scheme;
    writer->certificate = sk_X509_value(certificates, 0);
    writer->public_key = X509_get0_pubkey(writer->certificate);
    if (build(writer, certificates))
        return writer;
    serve_fail(answer, ANSWER_PERMANENT, "unsupported", "no signature can be built with this certificate");
    signed_writer_free(writer);
    return NULL;
}

void signed_writer_free(struct signed_writer *writer)
{
    if (writer != NULL)
        ASN1_item_free((ASN1_VALUE *)writer->info, ASN1_ITEM_rptr(SignedContentInfo));
    free(writer);
}

/* `len` -1: `value` is of the type itself, not its octets. */
static bool add_attribute(struct signed_writer *writer, int nid, int type, const void *value, int len)
{
    X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_create_by_NID(NULL, nid, type, value, len);

    if (attribute != NULL && sk_X509_ATTRIBUTE_push(writer->signer->signed_attributes, attribute))
        return true;
    X509_ATTRIBUTE_free(attribute);
    return false;
}

static bool add_capabilities(struct signed_writer *writer)
{
    algorithm_list *list = capability_own();
    struct buf der = {0};
    bool ok = list != NULL && der_append(&der, list, ASN1_ITEM_rptr(Capabilities)) &&
              add_attribute(writer, NID_SMIMECapabilities, V_ASN1_SEQUENCE, der.data, (int)der.len);

    sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
    buf_free(&der);
    return ok;
}

/* ESS signingCertificateV2 by SHA-256, its default (RFC 5035 4). */
static bool add_signing_certificate(struct signed_writer *writer)
{
    ESS_SIGNING_CERT_V2 *named =
        OSSL_ESS_signing_cert_v2_new_init(EVP_sha256(), writer->certificate, NULL, 1);
    unsigned char *der = NULL;
    int len = named != NULL ? i2d_ESS_SIGNING_CERT_V2(named, &der) : 0;
    bool ok =
        len > 0 && add_attribute(writer, NID_id_smime_aa_signingCertificateV2, V_ASN1_SEQUENCE, der, len);

    OPENSSL_free(der);
    ESS_SIGNING_CERT_V2_free(named);
    return ok;
}

/* UTCTime before 2050, as RFC 5652 11.3 wants it. */
static bool add_signing_time(struct signed_writer *writer)
{
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    bool ok = now != NULL && add_attribute(writer, NID_pkcs9_signingTime, now->type, now, -1);

    ASN1_TIME_free(now);
    return ok;
}

static bool add_attributes(struct signed_writer *writer, const void *digest, size_t len)
{
    return add_attribute(writer, NID_pkcs9_contentType, V_ASN1_OBJECT, writer->info->content->content->type,
                         -1) &&
           add_attribute(writer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, digest, (int)len) &&
           add_signing_time(writer) && add_capabilities(writer) && add_signing_certificate(writer);
}

/* A key that is not the certificate's, or a faulty signature (which could betray an RSA key), never leaves.
 */
static bool take_signature(struct signed_writer *writer, bool fits, const struct keychannel_answer *got,
                           struct serve_answer *answer)
{
    if (!fits) {
        serve_fail(
            answer, ANSWER_TEMPORARY, "key-mismatch",
            "the key module's signature does not fit the certificate; check that key and certificate belong "
            "together");
        return false;
    }
    if (ASN1_STRING_set(writer->signer->signature, got->value.data, (int)got->value.len))
        return true;
    serve_fail(answer, ANSWER_TEMPORARY, "memory", "out of memory");
    return false;
}

static bool fits(const struct signed_writer *writer, const void *input, size_t len,
                 const struct buf *signature)
{
    return (signature_is_of_message(&writer->scheme)
                ? signature_verify_message(&writer->scheme, writer->public_key, input, len, signature->data,
                                           signature->len)
                : signature_verify(&writer->scheme, writer->public_key, input, len, signature->data,
                                   signature->len)) == SIGNATURE_GOOD;
}

/* Has `input` signed: the digest of the attributes, or themselves. */
static bool ask_signature(struct signed_writer *writer, const void *input, size_t len,
                          struct keychannel *channel, const char *key, struct serve_answer *answer)
{
    struct keychannel_answer got;
    char scheme[32];
    bool ok = false;

    signature_scheme_name(&writer->scheme, scheme, sizeof(scheme));
    keychannel_sign(channel, key, scheme, signature_is_of_message(&writer->scheme), input, len, &got);
    if (got.status == ANSWER_OK)
        ok = take_signature(writer, fits(writer, input, len, &got.value), &got, answer);
    else
        keychannel_pass_on(&got, answer);
    keychannel_answer_free(&got);
    return ok;
}

bool signed_writer_sign(struct signed_writer *writer, const void *digest, size_t len,
                        struct keychannel *channel, const char *key, struct serve_answer *answer)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;
    struct buf der = {0};
    bool ok = false;

    if (!add_attributes(writer, digest, len) ||
        !der_append(&der, writer->signer->signed_attributes, ASN1_ITEM_rptr(Attributes)) ||
        !EVP_Digest(der.data, der.len, hash, &hash_len, digest_md(writer->scheme.digest), NULL))
        serve_fail(answer, ANSWER_TEMPORARY, "memory", "the signed attributes cannot be built");
    else if (signature_is_of_message(&writer->scheme))
        ok = ask_signature(writer, der.data, der.len, channel, key, answer);
    else
        ok = ask_signature(writer, hash, hash_len, channel, key, answer);
    buf_free(&der);
    return ok;
}

bool signed_writer_encode(const struct signed_writer *writer, struct buf *der)
{
    return der_append(der, writer->info, ASN1_ITEM_rptr(SignedContentInfo));
}

bool signed_writer_parts(const struct buf *der, struct signed_parts *parts_r)
{
    const unsigned char *start = (const unsigned char *)der->data, *end = start + der->len, *p = start;
    const unsigned char *encap = NULL;
    long len;
    int tag, class;

    for (int i = 0; i < 4; i++) { /* ContentInfo, its type (skipped), [0], SignedData */
        if ((ASN1_get_object(&p, &len, &tag, &class, end - p) & 0x80) != 0)
            return false;
        if (i == 1)
            p += len;
    }
    parts_r->before = p;
    for (int i = 0; i < 3; i++) { /* version, digestAlgorithms, encapContentInfo */
        encap = p;
        if ((ASN1_get_object(&p, &len, &tag, &class, end - p) & 0x80) != 0)
            return false;
        p += len;
    }
    parts_r->before_len = (size_t)(encap - parts_r->before);
    parts_r->after = p;
    parts_r->after_len = (size_t)(end - p);
    return true;
}
