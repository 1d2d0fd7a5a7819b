/* A SignerInfo as it came (RFC 5652 5.3), and what its signed attributes say. */
#ifndef SMIME_SIGNER_INFO_H
#define SMIME_SIGNER_INFO_H

#include <stdbool.h>

#include "modules/smime/asn1_types.h"
#include "util/buf.h"

/* NULL when `der` is none, or is not of a version this module knows. */
SignerInfo *signer_info_decode(const void *der, size_t len);
void signer_info_free(SignerInfo *info);

struct signed_attributes {
    const ASN1_OBJECT *content_type;
    const ASN1_OCTET_STRING *message_digest;
    const ASN1_TIME *signing_time;             /* NULL: not there */
    const ASN1_STRING *capabilities;           /* DER of the SEQUENCE; NULL: not there */
    const ASN1_STRING *signing_certificate_v2; /* ESS signingCertificateV2, DER; NULL: not there */
    const ASN1_STRING *signing_certificate;    /* the older signingCertificate (RFC 2634), by SHA-1 */
};
/* contentType and messageDigest exactly once, signingTime at most once, each with one value of the right type
   (RFC 5652 11); else false. What is returned is borrowed from `info`. */
bool signer_info_attributes(const SignerInfo *info, struct signed_attributes *attributes_r);
/* Each attribute stands where RFC 5652 11 allows it: those three are never unsigned, a countersignature is
 * never signed. */
bool signer_info_attributes_in_place(const SignerInfo *info);
/* Do signingCertificateV2 (RFC 5035) and signingCertificate, as far as they are there, name this certificate
 * first? */
bool signed_attributes_name(const struct signed_attributes *attributes, X509 *certificate);

/* Appends the DER of the signed attributes as SET OF: `sorted`, which is what is signed (RFC 5652 5.4), or in
   the order they came. */
bool signer_info_encode_attributes(const SignerInfo *info, bool sorted, struct buf *der);

#endif
