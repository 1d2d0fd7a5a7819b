/* The ASN.1 types of CMS that are read and written by own templates: OpenSSL's CMS interface gives no way to
   bring in a content key that another process decrypted, and hides what has to be checked. Used with
   der_decode() and der_append(). */
#ifndef SMIME_ASN1_TYPES_H
#define SMIME_ASN1_TYPES_H

#include <openssl/asn1t.h>
#include <openssl/x509.h>

/* Lists under names that read like types. */
typedef STACK_OF(X509) x509_list;
typedef STACK_OF(X509_ALGOR) algorithm_list;
typedef STACK_OF(X509_ATTRIBUTE) attribute_list;
typedef STACK_OF(ASN1_TYPE) any_list;

/* ---- RecipientInfo (RFC 5652 6.2, RFC 5753) ---- */

typedef struct {
    X509_NAME *issuer;
    ASN1_INTEGER *serial;
} IssuerAndSerial;

typedef struct {
    int type; /* 0 issuer_serial, 1 key_id */
    union {
        IssuerAndSerial *issuer_serial;
        ASN1_OCTET_STRING *key_id;
    } d;
} EntityId; /* RecipientIdentifier and SignerIdentifier */

typedef struct {
    ASN1_INTEGER *version;
    EntityId *rid;
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *encrypted_key;
} KeyTrans;

typedef struct {
    ASN1_OCTET_STRING *key_id;
    ASN1_GENERALIZEDTIME *date;
    ASN1_TYPE *other;
} RecipientKeyId;

typedef struct {
    int type; /* 0 issuer_serial, 1 key_id */
    union {
        IssuerAndSerial *issuer_serial;
        RecipientKeyId *key_id;
    } d;
} AgreeRecipientId;

typedef struct {
    AgreeRecipientId *rid;
    ASN1_OCTET_STRING *encrypted_key;
} RecipientEncryptedKey;
DEFINE_STACK_OF(RecipientEncryptedKey)
typedef STACK_OF(RecipientEncryptedKey) encrypted_key_list;

typedef struct {
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *point;
} OriginatorKey;

typedef struct {
    int type; /* 0 issuer_serial, 1 key_id, 2 key */
    union {
        IssuerAndSerial *issuer_serial;
        ASN1_OCTET_STRING *key_id;
        OriginatorKey *key;
    } d;
} Originator;

typedef struct {
    ASN1_INTEGER *version;
    Originator *originator;
    ASN1_OCTET_STRING *ukm;
    X509_ALGOR *algorithm;
    encrypted_key_list *keys;
} KeyAgree;

enum { RECIPIENT_TRANS, RECIPIENT_AGREE, RECIPIENT_KEK, RECIPIENT_PASSWORD, RECIPIENT_OTHER };

typedef struct {
    int type;
    union {
        KeyTrans *trans;
        KeyAgree *agree;
        ASN1_STRING *other;
    } d;
} RecipientInfo;

DEFINE_STACK_OF(RecipientInfo)
typedef STACK_OF(RecipientInfo) recipient_info_list;

typedef struct {
    X509_ALGOR *wrap;
    ASN1_OCTET_STRING *ukm;
    ASN1_OCTET_STRING *kek_bits;
} SharedInfo; /* ECC-CMS-SharedInfo, RFC 5753 7.2 */

/* ---- SignerInfo (RFC 5652 5.3), ESS signingCertificateV2 (RFC 5035) ---- */

typedef struct {
    ASN1_INTEGER *version;
    EntityId *sid;
    X509_ALGOR *digest_algorithm;
    attribute_list *signed_attributes; /* NULL: none at all; an empty set is something else */
    X509_ALGOR *signature_algorithm;
    ASN1_OCTET_STRING *signature;
    attribute_list *unsigned_attributes;
} SignerInfo;

DEFINE_STACK_OF(SignerInfo)
typedef STACK_OF(SignerInfo) signer_info_list;

/* What is written: signed mail without its content, which goes in between later (RFC 5652 5.1). */
typedef struct {
    ASN1_OBJECT *type;
} EncapsulatedContent;

typedef struct {
    ASN1_INTEGER *version;
    algorithm_list *digest_algorithms;
    EncapsulatedContent *content;
    x509_list *certificates; /* in this order */
    signer_info_list *signers;
} SignedData;

typedef struct {
    ASN1_OBJECT *type;
    SignedData *content;
} SignedContentInfo;

typedef struct {
    X509_ALGOR *hash;
    ASN1_OCTET_STRING *digest;
    ASN1_TYPE *issuer_serial;
} EssCertificateId; /* ESSCertIDv2 */

typedef struct {
    any_list *certificates; /* EssCertificateId each */
    ASN1_TYPE *policies;
} EssSigningCertificate;

/* ---- parameters of content ciphers (RFC 5084 3, RFC 2268 6) ---- */

typedef struct {
    ASN1_OCTET_STRING *nonce;
    ASN1_INTEGER *tag_len;
} AeadParameters; /* OpenSSL 3.0 refuses an absent tag_len, so EVP_CIPHER_asn1_to_param() is no help */

typedef struct {
    ASN1_INTEGER *version;
    ASN1_OCTET_STRING *iv;
} Rc2Parameters;

DECLARE_ASN1_ITEM(IssuerAndSerial)
DECLARE_ASN1_ITEM(EntityId)
DECLARE_ASN1_ITEM(KeyTrans)
DECLARE_ASN1_ITEM(OriginatorKey)
DECLARE_ASN1_ITEM(RecipientEncryptedKey)
DECLARE_ASN1_ITEM(KeyAgree)
DECLARE_ASN1_ITEM(RecipientInfo)
DECLARE_ASN1_ITEM(SharedInfo)
DECLARE_ASN1_ITEM(SignerInfo)
DECLARE_ASN1_ITEM(SignedContentInfo)
DECLARE_ASN1_ITEM(EssCertificateId)
DECLARE_ASN1_ITEM(EssSigningCertificate)
DECLARE_ASN1_ITEM(AeadParameters)
DECLARE_ASN1_ITEM(Rc2Parameters)

DECLARE_ASN1_ITEM(RecipientInfos) /* SET OF RecipientInfo */
DECLARE_ASN1_ITEM(Algorithms)     /* SET OF AlgorithmIdentifier: digestAlgorithms */
DECLARE_ASN1_ITEM(
    Capabilities)             /* SEQUENCE OF SMIMECapability, which has the form of an AlgorithmIdentifier */
DECLARE_ASN1_ITEM(Attributes) /* SET OF Attribute, sorted as DER wants it */
DECLARE_ASN1_ITEM(ReceivedAttributes) /* the same in the order received, which is what some signers hash */

#endif
