/* Five empty areas in a temporary directory, and certificates, CRLs and key files made on the spot. Every
   failure to make one ends the test. */
#ifndef JULIA_AREAS_FIXTURE_H
#define JULIA_AREAS_FIXTURE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "modules/areas/areas.h"

struct fixture {
    char root[64];
    struct areas_settings settings; /* all five areas, index in root/var, rescan after a day */
    struct areas *areas;
    char error[512];
};
void fixture_start(struct fixture *fixture); /* directories only; fixture_open() opens the areas */
void fixture_open(struct fixture *fixture);
void fixture_end(struct fixture *fixture);
void fixture_refresh(struct fixture *fixture);
/* Puts the clock forward for this test and the processes that it starts; time stamps of files stay real. */
void fixture_pass(unsigned int seconds);
/* From now on all stamps are of this moment, as on a file system with a coarse clock. */
void fixture_stop_ticking(void);
/* Makes directory and index look old, so that nothing is re-read for being young. */
void fixture_settle(struct fixture *fixture);

struct maker {           /* what a certificate is made of; unset fields have a sensible value */
    const char *subject; /* common name */
    const char *subject_address;
    const char *address; /* SAN rfc822Name */
    const char *utf8_mailbox;
    long serial;
    const unsigned char *serial_octets; /* instead of serial: contents octets */
    size_t serial_len;
    EVP_PKEY *key; /* NULL: one shared P-256 key */
    X509 *issuer;  /* NULL: self-signed */
    EVP_PKEY *issuer_key;
    bool ca, no_ski;
    const unsigned char *capabilities; /* DER for the extension of RFC 4262 */
    size_t capabilities_len;
};
EVP_PKEY *make_key(const char *type, unsigned int bits); /* "EC" (bits 256, 384), "RSA", "RSA-PSS" */
EVP_PKEY *shared_key(void);
X509 *make_certificate(const struct maker *maker);
X509_CRL *make_crl(X509 *issuer, EVP_PKEY *key);
void fingerprint_of(const X509 *certificate, char hex[65]);

/* Writing below root; `mode` 0 is 0644. */
void put_file(const struct fixture *fixture, const char *name, const void *data, size_t len,
              unsigned int mode);
void put_certificate(const struct fixture *fixture, const char *name, X509 *certificate);
void put_key(const struct fixture *fixture, const char *name, EVP_PKEY *key, const char *phrase);
void add_pem(struct buf *out, X509 *certificate);
void add_key_pem(struct buf *out, EVP_PKEY *key, const char *phrase, bool traditional);
void remove_file(const struct fixture *fixture, const char *name);
/* How many certificates the areas have for an address. */
size_t count_address(struct fixture *fixture, unsigned int mask, const char *address);

#define ALL_AREAS ((1u << AREA_COUNT) - 1)

#endif
