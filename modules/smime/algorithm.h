/* The algorithms this module knows; whatever stands in no table here is unsupported. Names are those of
 * julia-module(7). */
#ifndef SMIME_ALGORITHM_H
#define SMIME_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#define CONTENT_KEY_MAX 32 /* octets: AES-256 */

struct digest_algorithm {
    const char *name;   /* "sha256" */
    const char *micalg; /* RFC 8551 3.5.3.2; NULL: never written */
    int nid;
    bool weak;      /* read only where weak algorithms are allowed */
    size_t xof_len; /* octets to take of one without an end; 0: it has an end */
};
const struct digest_algorithm *digest_by_name(const char *name);
const struct digest_algorithm *digest_by_nid(int nid);
/* As an AlgorithmIdentifier names it; NULL if unknown, or the parameters are odd. */
const struct digest_algorithm *digest_read(const X509_ALGOR *algorithm);
const EVP_MD *digest_md(const struct digest_algorithm *digest);

enum cipher_mode { CIPHER_CBC, CIPHER_GCM, CIPHER_CCM, CIPHER_CHACHA20_POLY1305 };

struct cipher_algorithm {
    const char *name;         /* "aes-256-gcm" */
    const char *openssl_name; /* for EVP_CIPHER_fetch() */
    int nid;                  /* or number of modules/smime/oid.h */
    size_t key_len;           /* octets; 0: its parameters say */
    size_t iv_len;            /* octets of the IV, or of the nonce that is written */
    enum cipher_mode mode;
    bool weak;
};
bool cipher_authenticates(const struct cipher_algorithm *cipher);
const struct cipher_algorithm *cipher_by_name(const char *name);
const struct cipher_algorithm *cipher_by_nid(int nid);

/* Key transport by RSA: PKCS #1 v1.5, or OAEP with one hash for everything. */
struct keytrans_scheme {
    const char *name; /* "rsa-oaep-sha256" */
    int hash_nid;     /* NID_undef: PKCS #1 v1.5 */
};
const struct keytrans_scheme *keytrans_by_name(const char *name);
/* OAEP only; NULL for NID_undef. */
const struct keytrans_scheme *keytrans_by_hash(int hash_nid);

/* Key agreement by ephemeral-static ECDH (RFC 5753, RFC 8418) and the key wrap behind it (RFC 3565). */
struct ecdh_scheme {
    const char *name; /* "ecdh-sha256" */
    int nid;          /* dhSinglePass-stdDH-..., or number of modules/smime/oid.h */
    int cofactor_nid; /* dhSinglePass-cofactorDH-..., NID_undef: there is none */
    bool hkdf;
};
/* `cofactor_r`: the cofactor variant, the same on curves with cofactor 1. */
const struct ecdh_scheme *ecdh_by_nid(int nid, bool *cofactor_r);

struct wrap_algorithm {
    const char *name; /* "aes256" */
    const char *openssl_name;
    int nid;
    size_t key_len;
    bool weak;
};
const struct wrap_algorithm *wrap_by_nid(int nid);

enum signature_family {
    SIGNATURE_RSA_PKCS1,
    SIGNATURE_RSA_PSS,
    SIGNATURE_ECDSA,
    SIGNATURE_DSA,
    SIGNATURE_ED25519,
    SIGNATURE_ED448
};
const char *signature_family_name(enum signature_family family); /* "rsa-pss" */

#endif
