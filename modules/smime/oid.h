/* Numbers for object identifiers. OpenSSL 3.0 has none for some that this module reads or writes; these get
   one here, below zero. */
#ifndef SMIME_OID_H
#define SMIME_OID_H

#include <openssl/objects.h>

enum {
    OID_CHACHA20_POLY1305 = -1, /* RFC 8103 */
    OID_HKDF_SHA256 = -2,       /* dhSinglePass-stdDH-hkdf-sha256-scheme, RFC 8418 */
    OID_HKDF_SHA384 = -3,
    OID_HKDF_SHA512 = -4,
    OID_SHAKE256_LEN = -5 /* RFC 8419 */
};

/* NID_undef when nobody knows it. */
int oid_number(const ASN1_OBJECT *oid);
/* The object of either kind of number, to be handed over or freed; NULL when out of memory. */
ASN1_OBJECT *oid_object(int number);

#endif
