/* Small ASN.1 values through OpenSSL's templates, read strictly: what follows a value is an error. */
#ifndef SMIME_DER_H
#define SMIME_DER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/asn1t.h>
#include <openssl/x509.h>

#include "util/buf.h"

/* Octets. Templates take some thirty times that in memory, if the value is made of many small ones; real ones
 * are below 50 KB. */
#define DER_MAX (256u << 10)

/* The value of type `item` that fills all `len` octets, at most DER_MAX; else NULL. Free it with
 * ASN1_item_free(). */
void *der_decode(const void *der, size_t len, const ASN1_ITEM *item);

/* The parameters of an AlgorithmIdentifier that have to be a SEQUENCE of type `item`; NULL if they are not.
 */
void *der_decode_parameters(const X509_ALGOR *algorithm, const ASN1_ITEM *item);

/* The algorithm's NID when its parameters are absent or NULL, else NID_undef. */
int der_plain_algorithm(const X509_ALGOR *algorithm);

/* Appends the DER of `value`. */
bool der_append(struct buf *out, const void *value, const ASN1_ITEM *item);

/* The AlgorithmIdentifier's parameters become the DER of `value`. */
bool der_set_algorithm(X509_ALGOR *algorithm, int nid, const void *value, const ASN1_ITEM *item);

/* A new AlgorithmIdentifier of a hash with NULL parameters, as RFC 4055 wants it inside others; NULL when out
 * of memory. */
X509_ALGOR *der_hash_algorithm(int hash_nid);
/* mgf1 with that hash. */
X509_ALGOR *der_mgf1_algorithm(int hash_nid);
/* RSAES-OAEP with that hash throughout and no label (RFC 4055 4.1). */
bool der_set_oaep(X509_ALGOR *algorithm, int hash_nid);
/* Reads hash and mgf1 back: NID of the hash, NID_undef if unknown or damaged. NULL stands for the default,
 * SHA-1 (RFC 4055). */
int der_hash_nid(const X509_ALGOR *hash);
int der_mgf1_hash_nid(const X509_ALGOR *mgf);

/* The certificate in `der`; NULL unless it fills it. */
X509 *der_certificate(const void *der, size_t len);

#endif
