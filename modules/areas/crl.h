/* A certificate revocation list in its DER (RFC 5280, section 5.1). OpenSSL needs half a kilobyte for each
   entry that it parses, and lists have hundreds of thousands; here the entries stay octets, and only what
   stands around them is parsed. What the list means is for others. */
#ifndef JULIA_AREAS_CRL_H
#define JULIA_AREAS_CRL_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

struct areas_crl {
    unsigned char *der; /* the whole list */
    size_t len;
    X509_CRL *frame; /* the same without entries: issuer, times, extensions; its own signature fits nothing */
    size_t signed_at, signed_len;   /* tbsCertList in `der` */
    size_t entries_at, entries_len; /* contents of revokedCertificates; nothing: no entry */
    bool one_algorithm;             /* named inside of what is signed as outside */
    bool unknown;                   /* some entry has a critical extension that nobody knows here */
};

/* Reads one list at *p and moves *p behind it. NULL: it is none, or damaged anywhere, entries included. */
struct areas_crl *areas_crl_parse(const unsigned char **p, size_t len);
void areas_crl_free(struct areas_crl *crl);
/* Did this key make the signature? */
bool areas_crl_verify(const struct areas_crl *crl, EVP_PKEY *key);

struct areas_crl_entry {
    const unsigned char *der; /* the whole entry, for d2i_X509_REVOKED() */
    size_t len;
    const unsigned char *serial; /* contents octets, as they came */
    size_t serial_len;
    bool names_issuer; /* it has the extension certificateIssuer */
};
/* The entries in their order; *at is 0 for the first. False: there is none left. */
bool areas_crl_next(const struct areas_crl *crl, size_t *at, struct areas_crl_entry *entry_r);

#endif
