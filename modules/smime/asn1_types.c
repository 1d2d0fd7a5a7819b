#include "modules/smime/asn1_types.h"

/* The macros of OpenSSL's template language look like nothing a formatter knows. */
/* clang-format off */

/* ---- RecipientInfo ---- */

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
} ASN1_SEQUENCE_END(SharedInfo)

/* ---- SignerInfo ---- */

ASN1_SEQUENCE(SignerInfo) = {
    ASN1_SIMPLE(SignerInfo, version, ASN1_INTEGER),
    ASN1_SIMPLE(SignerInfo, sid, EntityId),
    ASN1_SIMPLE(SignerInfo, digest_algorithm, X509_ALGOR),
    ASN1_IMP_SET_OF_OPT(SignerInfo, signed_attributes, X509_ATTRIBUTE, 0),
    ASN1_SIMPLE(SignerInfo, signature_algorithm, X509_ALGOR),
    ASN1_SIMPLE(SignerInfo, signature, ASN1_OCTET_STRING),
    ASN1_IMP_SET_OF_OPT(SignerInfo, unsigned_attributes, X509_ATTRIBUTE, 1)
} ASN1_SEQUENCE_END(SignerInfo)

ASN1_SEQUENCE(EncapsulatedContent) = {
    ASN1_SIMPLE(EncapsulatedContent, type, ASN1_OBJECT)
} static_ASN1_SEQUENCE_END(EncapsulatedContent)

/* Certificates are a SET by definition. DER would sort them; this is BER, and some readers take the first one for the
   signer's. */
ASN1_SEQUENCE(SignedData) = {
    ASN1_SIMPLE(SignedData, version, ASN1_INTEGER),
    ASN1_SET_OF(SignedData, digest_algorithms, X509_ALGOR),
    ASN1_SIMPLE(SignedData, content, EncapsulatedContent),
    ASN1_IMP_SEQUENCE_OF(SignedData, certificates, X509, 0),
    ASN1_SET_OF(SignedData, signers, SignerInfo)
} static_ASN1_SEQUENCE_END(SignedData)

ASN1_SEQUENCE(SignedContentInfo) = {
    ASN1_SIMPLE(SignedContentInfo, type, ASN1_OBJECT),
    ASN1_EXP(SignedContentInfo, content, SignedData, 0)
} ASN1_SEQUENCE_END(SignedContentInfo)

ASN1_SEQUENCE(EssCertificateId) = {
    ASN1_OPT(EssCertificateId, hash, X509_ALGOR),
    ASN1_SIMPLE(EssCertificateId, digest, ASN1_OCTET_STRING),
    ASN1_OPT(EssCertificateId, issuer_serial, ASN1_ANY)
} ASN1_SEQUENCE_END(EssCertificateId)

ASN1_SEQUENCE(EssSigningCertificate) = {
    ASN1_SEQUENCE_OF(EssSigningCertificate, certificates, ASN1_ANY),
    ASN1_OPT(EssSigningCertificate, policies, ASN1_ANY)
} ASN1_SEQUENCE_END(EssSigningCertificate)

/* ---- parameters of content ciphers ---- */

ASN1_SEQUENCE(AeadParameters) = {
    ASN1_SIMPLE(AeadParameters, nonce, ASN1_OCTET_STRING),
    ASN1_OPT(AeadParameters, tag_len, ASN1_INTEGER)
} ASN1_SEQUENCE_END(AeadParameters)

ASN1_SEQUENCE(Rc2Parameters) = {
    ASN1_SIMPLE(Rc2Parameters, version, ASN1_INTEGER),
    ASN1_SIMPLE(Rc2Parameters, iv, ASN1_OCTET_STRING)
} ASN1_SEQUENCE_END(Rc2Parameters)

/* ---- lists ---- */

ASN1_ITEM_TEMPLATE(RecipientInfos) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, RecipientInfos, RecipientInfo)
ASN1_ITEM_TEMPLATE_END(RecipientInfos)

ASN1_ITEM_TEMPLATE(Algorithms) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, Algorithms, X509_ALGOR)
ASN1_ITEM_TEMPLATE_END(Algorithms)

ASN1_ITEM_TEMPLATE(Capabilities) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, Capabilities, X509_ALGOR)
ASN1_ITEM_TEMPLATE_END(Capabilities)

ASN1_ITEM_TEMPLATE(Attributes) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, Attributes, X509_ATTRIBUTE)
ASN1_ITEM_TEMPLATE_END(Attributes)

ASN1_ITEM_TEMPLATE(ReceivedAttributes) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF | ASN1_TFLG_IMPTAG | ASN1_TFLG_UNIVERSAL, V_ASN1_SET,
                          ReceivedAttributes, X509_ATTRIBUTE)
ASN1_ITEM_TEMPLATE_END(ReceivedAttributes)
