/* ECC-CMS-SharedInfo (RFC 5753 7.2): what the key derivation of a key agreement takes in beside the secret.
 */
#ifndef SMIME_SHARED_INFO_H
#define SMIME_SHARED_INFO_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include "util/buf.h"

/* Appends its DER. The wrap algorithm stands there as received, `ukm` may be NULL. */
bool shared_info_append(struct buf *out, X509_ALGOR *wrap, ASN1_OCTET_STRING *ukm, size_t kek_len);

#endif
