/* One file of an area, read into the objects it holds. A file never fails as a whole: what was understood is
   there, what was not is told in `faults`. */
#ifndef JULIA_AREAS_FILE_H
#define JULIA_AREAS_FILE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "modules/areas/crl.h"
#include "modules/areas/stamp.h"
#include "util/buf.h"

/* CRLs of large CAs have tens of megabytes; anything above is not meant for here. */
#define FILE_SIZE_MAX (64u << 20)
/* Objects of one file; the bundles of all browsers' roots have about 200 certificates. */
#define FILE_OBJECTS_MAX 20000u
/* The PEM block behind a certificate that keeps its owner's SMIMECapabilities (DER, RFC 8551 2.5.2). */
#define FILE_PEM_CAPABILITIES "SMIME CAPABILITIES"

/* What is welcome in a file; anything else is named in `faults`. */
enum file_want { FILE_WANT_CERTIFICATES = 1, FILE_WANT_KEYS = 2, FILE_WANT_CRLS = 4 };

struct file_certificate {
    X509 *certificate;
    struct buf capabilities;
};

struct file_content {
    struct file_certificate *certificates;
    size_t certificate_count;
    struct areas_crl **crls;
    size_t crl_count;
    EVP_PKEY **keys;
    size_t key_count;
    struct buf faults;        /* for people; empty when everything was understood */
    bool pass_phrase;         /* a fault that another pass phrase might heal */
    bool unseen;              /* it could not be read: nobody knows what it holds */
    bool refused;             /* a private key was not taken, because others can read the file */
    struct areas_stamp stamp; /* of what was read */
};

/* How the reader asks for the central pass phrase, and what it accepts. */
struct file_reader {
    unsigned int want;                         /* file_want */
    const char *(*pass_phrase)(void *context); /* NULL: none */
    void *context;
};

/* Reads `name` below the directory `dirfd` (links are followed). `content` is overwritten; release it with
   areas_file_content_free(), which wipes keys. */
void areas_file_read(const struct file_reader *reader, int dirfd, const char *name,
                     struct file_content *content);
void areas_file_content_free(struct file_content *content);
/* True when `st` is of a file that nobody but its owner can read. */
bool areas_file_is_secret(const struct stat *st);

#endif
