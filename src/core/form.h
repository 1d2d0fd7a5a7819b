/* The form of a message: key transport, content cipher, signature. Does what was found have the form that a
   profile asks for, and what are the names of both that people know? Words are those of julia-module(7). */
#ifndef JULIA_FORM_H
#define JULIA_FORM_H

#include "core/config.h"

/* A signature as smime tells it. */
struct form_signature {
    const char *scheme; /* rsa-pss-sha256; NULL: unknown, fits nothing */
    const char *mgf1;   /* RSASSA-PSS: the hash of the mask; NULL */
    uint64_t salt;      /* RSASSA-PSS: octets */
};

/* The key transport exactly. The content cipher in its mode, by AES with a key of any length: a profile names
   the one that is written. The signature exactly: RSASSA-PSS with MGF1 by the same hash and a salt as long as
   it (RFC 4055 3.1). Where the profile is not strict, elliptic curves are right too, as they are when julia
   writes: ECDH, and ECDSA with the digest of the profile. */
bool form_keytrans_fits(const struct config_profile *profile, const char *keytrans);
bool form_cipher_fits(const struct config_profile *profile, const char *cipher);
bool form_signature_fits(const struct config_profile *profile, const struct form_signature *signature);

/* "RSAES-OAEP (SHA-256, MGF1-SHA-256)", "AES-256-CBC", "RSASSA-PSS (SHA-256, MGF1-SHA-256, saltLength 32)"; a
   word that is not known stays as it is. Newly allocated. */
char *form_keytrans_text(const char *keytrans);
char *form_cipher_text(const char *cipher);
char *form_signature_text(const struct form_signature *signature);

/* What the profile asks for, in the same names. */
struct form_text {
    char *keytrans, *cipher, *signature;
};
void form_wanted(const struct config_profile *profile, struct form_text *text_r);
void form_text_free(struct form_text *text);

#endif
