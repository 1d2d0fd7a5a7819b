/* Certificates and CRLs made on the spot. Every failure to make one ends the test. All times are days
   relative to one fixed moment, PKI_NOW. */
#ifndef JULIA_TRUST_PKI_H
#define JULIA_TRUST_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

#define PKI_NOW 1780315200 /* 2026-06-01T12:00:00Z */

struct pki {
    X509 *certificate;
    EVP_PKEY *key;
};

struct pki_spec {
    const char *name;         /* common name */
    const char *addresses[2]; /* SAN rfc822Name */
    const char *mailbox;      /* SAN SmtpUTF8Mailbox */
    bool ca;                  /* basicConstraints and keyUsage of a CA */
    const char *usage;        /* keyUsage, instead of what ca says or (end certificates) none */
    const char *purpose;      /* extendedKeyUsage */
    const char *more[8];      /* further extensions: name, value (as in openssl.cnf), ... */
    int from, until;          /* days; both 0: a year before and after */
    long serial;              /* 0: a new one */
    const EVP_MD *digest;
    EVP_PKEY *key;           /* NULL: a new P-256 key */
    const char *issuer_name; /* instead of the issuer's subject */
    bool no_akid;
};

/* `issuer` NULL: self-signed. Kept until pki_end(). */
struct pki *pki_issue(const struct pki *issuer, const struct pki_spec *spec);
EVP_PKEY *pki_key(const char *type,
                  unsigned int bits);               /* "EC", "RSA", "RSA-PSS", "ED25519", "X25519"; kept */
X509 *pki_break_signature(const X509 *certificate); /* a copy whose signature is wrong; kept */

struct pki_crl_spec {
    const X509 *revoked[4];
    int reason[4];     /* CRLReason + 1; 0: no extension */
    int from, until;   /* days; both 0: a day before and after. until -9999: no nextUpdate */
    long number, base; /* 0: none; base makes it a delta CRL */
    const char *point; /* issuingDistributionPoint: URI of the distribution point */
    bool only_users, only_cas, indirect, unknown_critical;
    const char *reasons; /* onlySomeReasons: "compromise" or "other" */
    const EVP_MD *digest;
    bool break_signature;
};
X509_CRL *pki_crl(const struct pki *issuer, const struct pki_crl_spec *spec); /* kept */

void pki_end(void); /* frees everything kept */

#endif
