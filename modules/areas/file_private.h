/* Shared by the readers of the single formats. */
#ifndef JULIA_AREAS_FILE_PRIVATE_H
#define JULIA_AREAS_FILE_PRIVATE_H

#include <stddef.h>

#include "modules/areas/file.h"

/* One piece of work: the octets of a file, and whether keys in it may be used. */
struct file_work {
    const struct file_reader *reader;
    struct file_content *content;
    const unsigned char *data;
    size_t len;
    bool secret; /* its mode keeps others out */
    unsigned int mode;
};

void areas_file_fault(struct file_content *content, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Each takes ownership; what is not wanted or too much becomes a fault. */
void areas_file_add_certificate(struct file_work *work, X509 *certificate);
void areas_file_add_crl(struct file_work *work, struct areas_crl *crl);
void areas_file_add_key(struct file_work *work, EVP_PKEY *key);
/* False, with a fault, when private keys of this file are not to be used. */
bool areas_file_keys_allowed(struct file_work *work);
const char *areas_file_pass_phrase(const struct file_work *work); /* NULL if there is none */

void areas_file_read_pem(struct file_work *work);
void areas_file_read_der(struct file_work *work);
/* One private key in DER: `encrypted` for EncryptedPrivateKeyInfo. False: not such a thing. */
bool areas_file_read_key(struct file_work *work, const unsigned char *der, size_t len, bool encrypted);
/* False: not a PKCS#12 object. */
bool areas_file_read_pkcs12(struct file_work *work);

#endif
