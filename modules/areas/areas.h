/* The certificate areas as plain directories (DESIGN section 9, keys-file):
   BASE/etc/{public,trusted,untrusted,private,ca}, one or more objects a file: PEM (certificates, keys, CRLs,
   text around them), DER, PKCS#12. Copying a file in is all it takes. A derived SQLite index makes look-up
   time independent of the size of the store; it can be deleted at any time, follows the directories by
   itself, and is safe with many readers at once. Linked by keys-file and trust (each with its own index file,
   as they may run as different users). A file that cannot be read or understood never stops the others: it is
   logged once per change. Links to files are followed; directories inside an area, hidden files and backups
   (~, .bak, .old, .orig, .tmp, .part, .swp, #...) are left alone. While a directory cannot be read,
   areas_refresh() fails: a store that cannot be seen is not an empty one; of single files areas_unseen()
   tells. An index that can be read but not written is used as long as nothing changed, then a copy of it in
   memory. No private key material is ever put into the index. */
#ifndef JULIA_AREAS_H
#define JULIA_AREAS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"
#include "util/strlist.h"

enum area { AREA_PUBLIC, AREA_TRUSTED, AREA_UNTRUSTED, AREA_PRIVATE, AREA_CA, AREA_COUNT };
const char *area_name(enum area area);

struct areas_settings {
    const char *directories[AREA_COUNT]; /* absolute; NULL: this program does not look there */
    const char *index_file; /* absolute, e.g. BASE/var/index/trust.sqlite; its directory must exist */
    unsigned int
        rescan_seconds; /* files overwritten in place are noticed at the latest after this; 0: each time */
    /* Pass phrase for PKCS#12 files and encrypted keys, NULL if none. Borrowed. */
    const char *(*pass_phrase)(void *context);
    void *context;
};

struct areas;
/* NULL when the index can neither be opened nor made anew: error_r says why. */
struct areas *areas_open(const struct areas_settings *settings, char *error_r, size_t size);
void areas_close(struct areas *areas);

/* Is there a file in these areas that could not be read, or (if one looks for keys) whose private key is
   refused because others can read it? What is not found may be in it. 1: text_r names one and says why; 0:
   no; -1: text_r says why not even that is known. Files that can be read but not understood are not meant. */
int areas_unseen(struct areas *areas, unsigned int areas_mask, bool keys, char *text_r, size_t size);

/* Brings the index up to date if a directory changed. Call once per request. 0, or -1: error_r (the old state
 * stays usable). */
int areas_refresh(struct areas *areas, char *error_r, size_t size);

struct areas_certificate {
    enum area area;
    X509 *certificate;    /* owned by the list */
    char fingerprint[65]; /* SHA-256, hex */
    char *file;           /* absolute path it was read from */
    char *key_file;       /* AREA_PRIVATE: file that holds the matching private key; NULL if none was found */
    struct strlist addresses; /* normalised (address_normalise): SAN rfc822Name and SmtpUTF8Mailbox; subject
                                 emailAddress only when there is neither */
    struct buf capabilities;  /* DER SMIMECapabilities stored with it, or from its extension (RFC 4262); empty
                                 if unknown */
};
struct areas_list {
    struct areas_certificate *items;
    size_t count;
};
void areas_list_free(struct areas_list *list);

/* Each returns 0 (list may be empty) or -1 with errno-like text in error_r: "cannot tell" differs from
   "none". `areas_mask` is a set of 1u << AREA_x. */
int areas_find_address(struct areas *areas, unsigned int areas_mask, const char *address,
                       struct areas_list *list, char *error_r, size_t size);
int areas_find_serial(struct areas *areas, unsigned int areas_mask, const struct buf *issuer_der,
                      const struct buf *serial, struct areas_list *list, char *error_r, size_t size);
int areas_find_ski(struct areas *areas, unsigned int areas_mask, const struct buf *ski,
                   struct areas_list *list, char *error_r,
                   size_t size); /* the extension, or SHA-1 of the key where there is none */
int areas_find_fingerprint(struct areas *areas, unsigned int areas_mask, const char *fingerprint,
                           struct areas_list *list, char *error_r, size_t size);
int areas_find_subject(struct areas *areas, unsigned int areas_mask, const X509_NAME *subject,
                       struct areas_list *list, char *error_r, size_t size); /* to build paths */
/* In order of fingerprint, behind `after` (NULL: from the start), at most `max`. */
int areas_list_area(struct areas *areas, enum area area, const char *after, size_t max,
                    struct areas_list *list, char *error_r, size_t size);
/* CRLs of the area (AREA_CA) by issuer name; areas_crl_list_free() it. */
struct areas_crl_list {
    struct areas_crl **items;
    size_t count;
};
void areas_crl_list_free(struct areas_crl_list *list);
int areas_find_crls(struct areas *areas, enum area area, const X509_NAME *issuer, struct areas_crl_list *list,
                    char *error_r, size_t size);
/* The private key of a certificate found in AREA_PRIVATE, read from key_file now (files readable by group or
   others are refused). NULL: error_r. */
EVP_PKEY *areas_private_key(struct areas *areas, const struct areas_certificate *certificate, char *error_r,
                            size_t size);

#endif
