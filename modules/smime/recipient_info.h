/* RecipientInfo (RFC 5652 6.2, RFC 5753) as own ASN.1 types, for reading and writing. OpenSSL's CMS interface
   gives no way to bring in a content key that another process decrypted. */
#ifndef SMIME_RECIPIENT_INFO_H
#define SMIME_RECIPIENT_INFO_H

#include <stdbool.h>

#include <openssl/asn1t.h>
#include <openssl/x509.h>

#include "util/buf.h"

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
DECLARE_ASN1_ITEM(RecipientEncryptedKey)
DEFINE_STACK_OF(RecipientEncryptedKey)

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
    STACK_OF(RecipientEncryptedKey) * keys;
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

DECLARE_ASN1_ITEM(IssuerAndSerial)
DECLARE_ASN1_ITEM(EntityId)
DECLARE_ASN1_ITEM(KeyTrans)
DECLARE_ASN1_ITEM(OriginatorKey)
DECLARE_ASN1_ITEM(KeyAgree)
DECLARE_ASN1_ITEM(RecipientInfo)

/* Does the identifier name this certificate? */
bool entity_names(const EntityId *id, X509 *certificate);
bool issuer_serial_names(const IssuerAndSerial *id, X509 *certificate);
bool key_id_names(const ASN1_OCTET_STRING *id, X509 *certificate);

/* Appends the DER of ECC-CMS-SharedInfo (RFC 5753 7.2). The wrap algorithm stands there as received, `ukm`
 * may be NULL. */
bool shared_info_append(struct buf *out, X509_ALGOR *wrap, ASN1_OCTET_STRING *ukm, size_t kek_len);

#endif
