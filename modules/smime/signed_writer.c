#include "modules/smime/signed_writer.h"

#include <stdlib.h>

#include <openssl/cms.h>

#include "module/serve.h"
#include "modules/smime/asn1_types.h"
#include "modules/smime/capability.h"
#include "modules/smime/der.h"
#include "util/mem.h"

struct signed_writer {
    CMS_ContentInfo *cms;
    CMS_SignerInfo *signer;
    EVP_PKEY *public_key; /* of the signer's certificate */
    struct signature_scheme scheme;
};

/* Without the signer's own: CMS_add1_signer() adds it, and fails if it
                                          is there already. Duplicates fail too. */
static x509_list *rest_of_chain(x509_list *certificates)
{
    x509_list *rest = sk_X509_new_null();
    X509 *certificate;
    bool known;

    for (int i = 1; rest != NULL && i < sk_X509_num(certificates); i++) {
        certificate = sk_X509_value(certificates, i);
        known = X509_cmp(certificate, sk_X509_value(certificates, 0)) == 0;
        for (int j = 0; !known && j < sk_X509_num(rest); j++)
            known = X509_cmp(certificate, sk_X509_value(rest, j)) == 0;
        if (!known && !sk_X509_push(rest, certificate)) {
            sk_X509_free(rest);
            return NULL;
        }
    }
    return rest;
}

/* The default list, left out by CMS_NOSMIMECAP, offers DES and RC2-40. */
static bool add_capabilities(CMS_SignerInfo *signer)
{
    algorithm_list *list = capability_own();
    bool ok = list != NULL && CMS_add_smimecap(signer, list) > 0;

    sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
    return ok;
}

static bool build(struct signed_writer *writer, x509_list *certificates)
{
    const unsigned int flags = CMS_PARTIAL | CMS_DETACHED | CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP;
    x509_list *rest = rest_of_chain(certificates);
    X509_ALGOR *algorithm = NULL;

    if (rest != NULL)
        writer->cms = CMS_sign(NULL, NULL, rest, NULL, flags);
    sk_X509_free(rest);
    if (writer->cms == NULL)
        return false;
    writer->signer = CMS_add1_signer(writer->cms, sk_X509_value(certificates, 0), writer->public_key,
                                     digest_md(writer->scheme.digest), flags);
    if (writer->signer == NULL)
        return false;
    /* CMS_KEY_PARAM would leave the algorithm empty until CMS_SignerInfo_sign(), which is never called */
    CMS_SignerInfo_get0_algs(writer->signer, NULL, NULL, NULL, &algorithm);
    return signature_set_algorithm(algorithm, &writer->scheme) && add_capabilities(writer->signer);
}

struct signed_writer *signed_writer_new(x509_list *certificates, const struct signature_scheme *scheme,
                                        struct serve_answer *answer)
{
    struct signed_writer *writer = mem_alloc(sizeof(*writer));

    writer->scheme = *scheme;
    writer->public_key = X509_get0_pubkey(sk_X509_value(certificates, 0));
    if (build(writer, certificates))
        return writer;
    serve_fail(answer, ANSWER_PERMANENT, "unsupported", "no signature can be built with this certificate");
    signed_writer_free(writer);
    return NULL;
}

void signed_writer_free(struct signed_writer *writer)
{
    if (writer != NULL)
        CMS_ContentInfo_free(writer->cms);
    free(writer);
}

/* Nobody else adds these while CMS_final() is not called. */
static bool add_attributes(struct signed_writer *writer, const void *digest, size_t len)
{
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    bool ok = now != NULL &&
              CMS_signed_add1_attr_by_NID(writer->signer, NID_pkcs9_contentType, V_ASN1_OBJECT,
                                          CMS_get0_eContentType(writer->cms), -1) > 0 &&
              CMS_signed_add1_attr_by_NID(writer->signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING,
                                          digest, (int)len) > 0 &&
              CMS_signed_add1_attr_by_NID(writer->signer, NID_pkcs9_signingTime, now->type, now, -1) > 0;

    ASN1_TIME_free(now);
    return ok;
}

/* What is signed; OpenSSL has no call that gives it. */
static bool encode_attributes(const CMS_SignerInfo *signer, struct buf *der)
{
    attribute_list *attributes = sk_X509_ATTRIBUTE_new_null();
    bool ok = attributes != NULL;

    for (int i = 0; ok && i < CMS_signed_get_attr_count(signer); i++)
        ok = sk_X509_ATTRIBUTE_push(attributes, CMS_signed_get_attr(signer, i)) > 0;
    ok = ok && der_append(der, attributes, ASN1_ITEM_rptr(Attributes));
    sk_X509_ATTRIBUTE_free(attributes);
    return ok;
}

/* A key that is not the certificate's, or a faulty signature (which could betray an RSA key), never leaves.
 */
static bool take_signature(struct signed_writer *writer, const void *digest, size_t len,
                           const struct keychannel_answer *got, struct serve_answer *answer)
{
    if (got->status != ANSWER_OK) {
        keychannel_pass_on(got, answer);
        return false;
    }
    if (signature_verify(&writer->scheme, writer->public_key, digest, len, got->value.data, got->value.len) !=
        SIGNATURE_GOOD) {
        serve_fail(
            answer, ANSWER_TEMPORARY, "key-mismatch",
            "the key module's signature does not fit the certificate; check that key and certificate belong "
            "together");
        return false;
    }
    if (ASN1_STRING_set(CMS_SignerInfo_get0_signature(writer->signer), got->value.data, (int)got->value.len))
        return true;
    serve_fail(answer, ANSWER_TEMPORARY, "memory", "out of memory");
    return false;
}

bool signed_writer_sign(struct signed_writer *writer, const void *digest, size_t len,
                        struct keychannel *channel, const char *key, struct serve_answer *answer)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;
    struct buf der = {0};
    struct keychannel_answer got;
    char scheme[32];
    bool ok;

    if (!add_attributes(writer, digest, len) || !encode_attributes(writer->signer, &der) ||
        !EVP_Digest(der.data, der.len, hash, &hash_len, digest_md(writer->scheme.digest), NULL)) {
        serve_fail(answer, ANSWER_TEMPORARY, "memory", "the signed attributes cannot be built");
        buf_free(&der);
        return false;
    }
    signature_scheme_name(&writer->scheme, scheme, sizeof(scheme));
    keychannel_sign(channel, key, scheme, hash, hash_len, &got);
    ok = take_signature(writer, hash, hash_len, &got, answer);
    keychannel_answer_free(&got);
    buf_free(&der);
    return ok;
}

bool signed_writer_encode(const struct signed_writer *writer, struct buf *der)
{
    unsigned char *octets = NULL;
    int len = i2d_CMS_ContentInfo(writer->cms, &octets);

    if (len > 0)
        buf_add(der, octets, (size_t)len);
    OPENSSL_free(octets);
    return len > 0;
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
