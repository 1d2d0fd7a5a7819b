/* Typed questions to the modules, batched (julia-module(7)): find over all key modules, validate, grants.
   Used by outgoing and incoming alike. */
#ifndef JULIA_ASK_H
#define JULIA_ASK_H

#include "core/message.h"
#include "mail/cms.h"

struct ask_entry {          /* one certificate that a key module knows */
    struct buf certificate; /* DER */
    char *fingerprint, *area;
    char *key;    /* NULL: no private key there */
    bool gateway; /* scope gateway: may decrypt for its whole domain */
    char *source;
    struct strlist addresses;
    struct buf capabilities;
    struct buf *chain;
    size_t chain_count;
    struct call_module *module; /* where it came from */
};
struct ask_query {
    const char *use;                         /* encrypt, sign, decrypt, signer */
    const char *address;                     /* for encrypt, sign */
    const struct cms_recipient *identifiers; /* for decrypt, signer */
    size_t identifier_count;
    /* answers */
    struct ask_entry *entries;
    size_t entry_count;
    bool uncertain; /* some module could not tell (temporary, dead, interaction): "none found" proves nothing
                     */
    char *uncertain_text; /* which and why */
};
/* One `find` per key module with all queries, more where they are hundreds. A query by identifiers stands
   alone. Never fails as a whole: see `uncertain`. Entries of several modules are appended in the order of
   MODULES_KEYS; the same certificate twice is listed once (the one with a key wins). */
void ask_find(struct message *message, struct ask_query *queries, size_t count);
/* ask_query.c */
void ask_entry_free(struct ask_entry *entry); /* what it holds */
void ask_query_free(struct ask_query *query);

struct ask_verdict {
    char *verdict, *reason, *fingerprint, *area, *subject, *issuer;
    struct buf serial, issuer_der, ski;
    char *not_before, *not_after; /* ISO: compare as text */
    char *key;                    /* rsa, rsa-pss, ec, ed25519, ed448, x25519, x448, other */
    uint64_t bits;
    struct strlist addresses;
    char *evidence;      /* one line */
    struct strlist path; /* subjects, the certificate's own first; empty where no path was found */
    size_t answers;      /* evidence about revocation: how many CRLs and OCSP answers there are, */
    char *oldest_answer; /* and of when the oldest is (ISO); NULL */
};
struct ask_check {
    const struct buf *certificate; /* DER, borrowed */
    const char *use;               /* encrypt, sign, any */
    const char *address;           /* NULL: no address wanted */
    struct ask_verdict verdict;    /* answer */
};
/* One batched validate. `extra` and `crls` may be NULL. false: outcome filled in (temporary). */
bool ask_validate(struct message *message, struct ask_check *checks, size_t count, const struct buf *extra,
                  size_t extra_count, const struct buf *crls, size_t crl_count, struct outcome *outcome);
void ask_verdict_free(struct ask_verdict *verdict);

/* A grant for `operation` ("sign" or "open") on these keys, all of one module, `count` times each. NULL:
 * answer_r says why. */
struct call_grant *ask_grant(struct call_module *module, const char *operation, const char *const *keys,
                             size_t key_count, unsigned int count, struct call_answer *answer_r);

/* Does the module answer at all? */
void ask_hello(struct call_module *module, struct call_answer *answer_r);

#endif
