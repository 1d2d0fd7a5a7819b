#include "modules/smime/signer_info.h"

#include <string.h>

#include "modules/smime/algorithm.h"
#include "modules/smime/der.h"

SignerInfo *signer_info_decode(const void *der, size_t len)
{
    SignerInfo *info = der_decode(der, len, ASN1_ITEM_rptr(SignerInfo));
    long version = info != NULL ? ASN1_INTEGER_get(info->version) : 0;

    if (info != NULL && version != 1 && version != 3) {
        signer_info_free(info);
        info = NULL;
    }
    return info;
}

void signer_info_free(SignerInfo *info)
{
    ASN1_item_free((ASN1_VALUE *)info, ASN1_ITEM_rptr(SignerInfo));
}

/* The attribute's only value, as found among the signed attributes: 1 once, 0 not at all, -1 more than once,
   or with none or several values. */
static int single_value(const SignerInfo *info, int nid, const ASN1_TYPE **value_r)
{
    X509_ATTRIBUTE *attribute;
    int found = 0;

    for (int i = 0; i < sk_X509_ATTRIBUTE_num(info->signed_attributes); i++) {
        attribute = sk_X509_ATTRIBUTE_value(info->signed_attributes, i);
        if (OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute)) != nid)
            continue;
        if (found != 0 || X509_ATTRIBUTE_count(attribute) != 1)
            return -1;
        *value_r = X509_ATTRIBUTE_get0_type(attribute, 0);
        found = 1;
    }
    return found;
}

static bool has_attribute(const attribute_list *attributes, int nid)
{
    for (int i = 0; i < sk_X509_ATTRIBUTE_num(attributes); i++)
        if (OBJ_obj2nid(X509_ATTRIBUTE_get0_object(sk_X509_ATTRIBUTE_value(attributes, i))) == nid)
            return true;
    return false;
}

bool signer_info_attributes_in_place(const SignerInfo *info)
{
    return !has_attribute(info->unsigned_attributes, NID_pkcs9_contentType) &&
           !has_attribute(info->unsigned_attributes, NID_pkcs9_messageDigest) &&
           !has_attribute(info->unsigned_attributes, NID_pkcs9_signingTime) &&
           !has_attribute(info->signed_attributes, NID_pkcs9_countersignature);
}

static bool read_signing_time(const ASN1_TYPE *value, const ASN1_TIME **time_r)
{
    struct tm tm;

    if (value->type != V_ASN1_UTCTIME && value->type != V_ASN1_GENERALIZEDTIME)
        return false;
    *time_r = value->type == V_ASN1_UTCTIME ? value->value.utctime : value->value.generalizedtime;
    return ASN1_TIME_to_tm(*time_r, &tm) > 0;
}

/* Once or not at all, and then a SEQUENCE. */
static bool read_sequence(const SignerInfo *info, int nid, const ASN1_STRING **sequence_r)
{
    const ASN1_TYPE *value = NULL;
    int found = single_value(info, nid, &value);

    if (found == 1 && value->type == V_ASN1_SEQUENCE)
        *sequence_r = value->value.sequence;
    return found == 0 || *sequence_r != NULL;
}

bool signer_info_attributes(const SignerInfo *info, struct signed_attributes *attributes_r)
{
    const ASN1_TYPE *value = NULL;
    int found;

    memset(attributes_r, 0, sizeof(*attributes_r));
    if (single_value(info, NID_pkcs9_contentType, &value) != 1 || value->type != V_ASN1_OBJECT)
        return false;
    attributes_r->content_type = value->value.object;
    if (single_value(info, NID_pkcs9_messageDigest, &value) != 1 || value->type != V_ASN1_OCTET_STRING)
        return false;
    attributes_r->message_digest = value->value.octet_string;
    found = single_value(info, NID_pkcs9_signingTime, &value);
    if (found < 0 || (found == 1 && !read_signing_time(value, &attributes_r->signing_time)))
        return false;
    if (single_value(info, NID_SMIMECapabilities, &value) == 1 && value->type == V_ASN1_SEQUENCE)
        attributes_r->capabilities = value->value.sequence;
    return read_sequence(info, NID_id_smime_aa_signingCertificateV2, &attributes_r->signing_certificate_v2) &&
           read_sequence(info, NID_id_smime_aa_signingCertificate, &attributes_r->signing_certificate);
}

static EssCertificateId *first_certificate_id(const ASN1_STRING *der)
{
    EssSigningCertificate *list = der_decode(ASN1_STRING_get0_data(der), (size_t)ASN1_STRING_length(der),
                                             ASN1_ITEM_rptr(EssSigningCertificate));
    const ASN1_TYPE *first = list != NULL ? sk_ASN1_TYPE_value(list->certificates, 0) : NULL;
    EssCertificateId *id = NULL;

    if (first != NULL && first->type == V_ASN1_SEQUENCE)
        id = der_decode(ASN1_STRING_get0_data(first->value.sequence),
                        (size_t)ASN1_STRING_length(first->value.sequence), ASN1_ITEM_rptr(EssCertificateId));
    ASN1_item_free((ASN1_VALUE *)list, ASN1_ITEM_rptr(EssSigningCertificate));
    return id;
}

/* `default_nid` where the identifier names no hash. */
static bool names(const ASN1_STRING *list, int default_nid, X509 *certificate)
{
    EssCertificateId *id = first_certificate_id(list);
    const struct digest_algorithm *hash =
        id == NULL ? NULL : digest_by_nid(id->hash == NULL ? default_nid : der_plain_algorithm(id->hash));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    bool same = hash != NULL && X509_digest(certificate, digest_md(hash), digest, &len) > 0 &&
                ASN1_STRING_length(id->digest) == (int)len &&
                memcmp(ASN1_STRING_get0_data(id->digest), digest, len) == 0;

    ASN1_item_free((ASN1_VALUE *)id, ASN1_ITEM_rptr(EssCertificateId));
    return same;
}

bool signed_attributes_name(const struct signed_attributes *attributes, X509 *certificate)
{
    return (attributes->signing_certificate_v2 == NULL ||
            names(attributes->signing_certificate_v2, NID_sha256, certificate)) &&
           (attributes->signing_certificate == NULL ||
            names(attributes->signing_certificate, NID_sha1, certificate));
}

bool signer_info_encode_attributes(const SignerInfo *info, bool sorted, struct buf *der)
{
    return der_append(der, info->signed_attributes,
                      sorted ? ASN1_ITEM_rptr(Attributes) : ASN1_ITEM_rptr(ReceivedAttributes));
}
