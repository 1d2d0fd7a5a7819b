#include "modules/smime/entity_id.h"

#include <string.h>

#include <openssl/x509v3.h>

bool issuer_serial_names(const IssuerAndSerial *id, X509 *certificate)
{
    return ASN1_INTEGER_cmp(id->serial, X509_get0_serialNumber(certificate)) == 0 &&
           X509_NAME_cmp(id->issuer, X509_get_issuer_name(certificate)) == 0;
}

/* Where the extension is missing, senders take the SHA-1 of the key (RFC 5280 4.2.1.2). */
bool key_id_names(const ASN1_OCTET_STRING *id, X509 *certificate)
{
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(certificate);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    if (own != NULL)
        return ASN1_OCTET_STRING_cmp(id, own) == 0;
    return X509_pubkey_digest(certificate, EVP_sha1(), digest, &len) > 0 &&
           ASN1_STRING_length(id) == (int)len && memcmp(ASN1_STRING_get0_data(id), digest, len) == 0;
}

static bool set_issuer_serial(IssuerAndSerial *id, X509 *certificate)
{
    ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(certificate));

    if (serial == NULL || !X509_NAME_set(&id->issuer, X509_get_issuer_name(certificate))) {
        ASN1_INTEGER_free(serial);
        return false;
    }
    ASN1_INTEGER_free(id->serial);
    id->serial = serial;
    return true;
}

IssuerAndSerial *issuer_serial_new(X509 *certificate)
{
    IssuerAndSerial *id = (IssuerAndSerial *)ASN1_item_new(ASN1_ITEM_rptr(IssuerAndSerial));

    if (id != NULL && !set_issuer_serial(id, certificate)) {
        ASN1_item_free((ASN1_VALUE *)id, ASN1_ITEM_rptr(IssuerAndSerial));
        id = NULL;
    }
    return id;
}

bool entity_names(const EntityId *id, X509 *certificate)
{
    return id->type == 0 ? issuer_serial_names(id->d.issuer_serial, certificate)
                         : key_id_names(id->d.key_id, certificate);
}
