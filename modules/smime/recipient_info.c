#include "modules/smime/recipient_info.h"

#include <openssl/x509v3.h>

#include "modules/smime/der.h"

typedef struct {
    X509_ALGOR *wrap;
    ASN1_OCTET_STRING *ukm;
    ASN1_OCTET_STRING *kek_bits;
} SharedInfo;

/* clang-format off */
ASN1_SEQUENCE(IssuerAndSerial) = {
    ASN1_SIMPLE(IssuerAndSerial, issuer, X509_NAME),
    ASN1_SIMPLE(IssuerAndSerial, serial, ASN1_INTEGER)
} ASN1_SEQUENCE_END(IssuerAndSerial)

ASN1_CHOICE(EntityId) = {
    ASN1_SIMPLE(EntityId, d.issuer_serial, IssuerAndSerial),
    ASN1_IMP(EntityId, d.key_id, ASN1_OCTET_STRING, 0)
} ASN1_CHOICE_END(EntityId)

ASN1_SEQUENCE(KeyTrans) = {
    ASN1_SIMPLE(KeyTrans, version, ASN1_INTEGER),
    ASN1_SIMPLE(KeyTrans, rid, EntityId),
    ASN1_SIMPLE(KeyTrans, algorithm, X509_ALGOR),
    ASN1_SIMPLE(KeyTrans, encrypted_key, ASN1_OCTET_STRING)
} ASN1_SEQUENCE_END(KeyTrans)

ASN1_SEQUENCE(RecipientKeyId) = {
    ASN1_SIMPLE(RecipientKeyId, key_id, ASN1_OCTET_STRING),
    ASN1_OPT(RecipientKeyId, date, ASN1_GENERALIZEDTIME),
    ASN1_OPT(RecipientKeyId, other, ASN1_ANY)
} static_ASN1_SEQUENCE_END(RecipientKeyId)

ASN1_CHOICE(AgreeRecipientId) = {
    ASN1_SIMPLE(AgreeRecipientId, d.issuer_serial, IssuerAndSerial),
    ASN1_IMP(AgreeRecipientId, d.key_id, RecipientKeyId, 0)
} static_ASN1_CHOICE_END(AgreeRecipientId)

ASN1_SEQUENCE(RecipientEncryptedKey) = {
    ASN1_SIMPLE(RecipientEncryptedKey, rid, AgreeRecipientId),
    ASN1_SIMPLE(RecipientEncryptedKey, encrypted_key, ASN1_OCTET_STRING)
} ASN1_SEQUENCE_END(RecipientEncryptedKey)

/* Not X509_PUBKEY: the curve is often left out of the parameters, which X509_PUBKEY refuses. */
ASN1_SEQUENCE(OriginatorKey) = {
    ASN1_SIMPLE(OriginatorKey, algorithm, X509_ALGOR),
    ASN1_SIMPLE(OriginatorKey, point, ASN1_BIT_STRING)
} ASN1_SEQUENCE_END(OriginatorKey)

ASN1_CHOICE(Originator) = {
    ASN1_SIMPLE(Originator, d.issuer_serial, IssuerAndSerial),
    ASN1_IMP(Originator, d.key_id, ASN1_OCTET_STRING, 0),
    ASN1_IMP(Originator, d.key, OriginatorKey, 1)
} static_ASN1_CHOICE_END(Originator)

ASN1_SEQUENCE(KeyAgree) = {
    ASN1_SIMPLE(KeyAgree, version, ASN1_INTEGER),
    ASN1_EXP(KeyAgree, originator, Originator, 0),
    ASN1_EXP_OPT(KeyAgree, ukm, ASN1_OCTET_STRING, 1),
    ASN1_SIMPLE(KeyAgree, algorithm, X509_ALGOR),
    ASN1_SEQUENCE_OF(KeyAgree, keys, RecipientEncryptedKey)
} ASN1_SEQUENCE_END(KeyAgree)

ASN1_CHOICE(RecipientInfo) = {
    ASN1_SIMPLE(RecipientInfo, d.trans, KeyTrans),
    ASN1_IMP(RecipientInfo, d.agree, KeyAgree, 1),
    ASN1_IMP(RecipientInfo, d.other, ASN1_SEQUENCE, 2),
    ASN1_IMP(RecipientInfo, d.other, ASN1_SEQUENCE, 3),
    ASN1_IMP(RecipientInfo, d.other, ASN1_SEQUENCE, 4)
} ASN1_CHOICE_END(RecipientInfo)

ASN1_SEQUENCE(SharedInfo) = {
    ASN1_SIMPLE(SharedInfo, wrap, X509_ALGOR),
    ASN1_EXP_OPT(SharedInfo, ukm, ASN1_OCTET_STRING, 0),
    ASN1_EXP(SharedInfo, kek_bits, ASN1_OCTET_STRING, 2)
} static_ASN1_SEQUENCE_END(SharedInfo)
    /* clang-format on */

    bool issuer_serial_names(const IssuerAndSerial *id, X509 *certificate)
{
    return ASN1_INTEGER_cmp(id->serial, X509_get0_serialNumber(certificate)) == 0 &&
           X509_NAME_cmp(id->issuer, X509_get_issuer_name(certificate)) == 0;
}

bool key_id_names(const ASN1_OCTET_STRING *id, X509 *certificate)
{
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(certificate);

    return own != NULL && ASN1_OCTET_STRING_cmp(id, own) == 0;
}

bool entity_names(const EntityId *id, X509 *certificate)
{
    return id->type == 0 ? issuer_serial_names(id->d.issuer_serial, certificate)
                         : key_id_names(id->d.key_id, certificate);
}

bool shared_info_append(struct buf *out, X509_ALGOR *wrap, ASN1_OCTET_STRING *ukm, size_t kek_len)
{
    unsigned int kek_bits = (unsigned int)kek_len * 8;
    unsigned char octets[4] = {0, 0, (unsigned char)(kek_bits >> 8), (unsigned char)kek_bits};
    ASN1_OCTET_STRING *bits = ASN1_OCTET_STRING_new();
    SharedInfo info = {wrap, ukm, bits};
    bool ok = bits != NULL && ASN1_OCTET_STRING_set(bits, octets, sizeof(octets)) &&
              der_append(out, &info, ASN1_ITEM_rptr(SharedInfo));

    ASN1_OCTET_STRING_free(bits);
    return ok;
}
