/* What paths are built from: area ca, kept parsed while the areas are unchanged, and what came along with one
   request. Everything handed out belongs to the store and lives until the next store_begin(). A failing
   look-up is remembered: whoever decides must ask store_error() before answering anything. */
#ifndef JULIA_TRUST_STORE_H
#define JULIA_TRUST_STORE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "modules/trust/crl.h"
#include "modules/trust/settings.h"

#define STORE_EXTRAS_MAX                                                                                     \
    100 /* certificates of one request that help to build paths; S/MIME messages carry below ten */
#define STORE_CRLS_MAX 50 /* CRLs of one request */
/* Signatures that are checked with keys that came along: in one request, and more for each certificate that
   is judged, whose path has one to three. Without that bound each of many signers costs as much as one may.
 */
#define STORE_FOREIGN_MAX  128
#define STORE_FOREIGN_MORE 4
#define STORE_NAMES_MAX    1000 /* names kept parsed; more (a hostile sender asks for many) empty the cache */

struct ca {
    X509 *certificate;
    char fingerprint[FINGERPRINT_SIZE];
    bool ours;   /* lies in area ca; otherwise it came with the request */
    bool anchor; /* ours, and self-signed (or, by PARTIAL_CHAIN, a CA) */
    enum { DISTRUST_NOT_ASKED, DISTRUST_NO, DISTRUST_YES } distrust; /* store_is_distrusted() asks once */
};
struct ca_list {
    struct ca **items;
    size_t count;
};
struct crl_list {
    struct crl **items;
    size_t count;
};

struct store;
struct store *store_open(const struct settings *settings, char *error_r, size_t size);
void store_close(struct store *store);

/* Begins a request: forgets the one before, notices changes of the areas. False: store_error(). */
bool store_begin(struct store *store);
/* False when there are too many already (the surplus is left out). Both take ownership. */
bool store_add_extra(struct store *store, X509 *take);
bool store_add_crl(struct store *store, struct crl *take);

/* By subject and by issuer, those of the area first. The caller frees `items` of the list, nothing else. */
void store_find(struct store *store, const X509_NAME *subject, struct ca_list *list_r);
void store_find_crls(struct store *store, const X509_NAME *issuer, struct crl_list *list_r);

/* The certificate to be judged itself, with what area ca knows of it; store_leaf_free() when done. */
struct ca *store_leaf(struct store *store, X509 *certificate);
void store_leaf_free(struct ca *leaf);

/* One more signature is to be checked with a key that came along. False: that were too many. */
bool store_take_foreign(struct store *store);

bool store_is_trusted(struct store *store, const char *fingerprint); /* that very certificate */
/* Area untrusted holds it, or another certificate with its issuer and serial number (so that no altered copy
   slips through); for a CA (`is_ca`) also one with its name and key. */
bool store_is_distrusted(struct store *store, struct ca *ca, bool is_ca);

/* Self-signed by its own key: a name is not enough. */
bool store_self_signed(X509 *certificate);

const char *
store_error(const struct store *store); /* NULL: every look-up since store_begin() could be answered */

#endif
