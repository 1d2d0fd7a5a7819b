/* One layer of an incoming message: what it is by its DER, and opening it by the smime module. */
#ifndef JULIA_LAYER_H
#define JULIA_LAYER_H

#include "core/ask.h"
#include "core/message.h"
#include "mail/cms.h"
#include "mail/smime_part.h"

/* A message or MIME entity: octets of a file that somebody else closes. */
struct layer_entity {
    int fd;
    uint64_t offset, length;
};

enum layer_kind {
    LAYER_NONE,
    LAYER_SIGNED,
    LAYER_DISPUTED, /* signed, but others may take it apart differently, or it is damaged: nobody's signature;
                       or any that only others take for a layer */
    LAYER_ENCRYPTED,
    LAYER_COMPRESSED,
    LAYER_WRAPPED, /* a message/rfc822 that only protects the header (wrapped.h) */
    LAYER_OTHER
};

/* What stands outermost. By its DER; only what is no CMS at all goes by its label. A signature around
   something that readers may understand differently (readings.h) is none; there may be something inside all
   the same. */
struct layer_look {
    enum layer_kind kind;  /* LAYER_NONE: no S/MIME; LAYER_OTHER: CMS of a type that nobody checks */
    enum layer_kind label; /* LAYER_DISPUTED: what it says that it is, unless that is a signature */
    bool readable;         /* false: the label says S/MIME, the octets are no such CMS */
    bool too_much;         /* it is one, but beyond a limit: CMS_RECIPIENTS_MAX */
    bool detached;
    struct layer_entity content; /* the CMS object in its transfer encoding */
    enum mime_encoding encoding;
    struct layer_entity covered; /* detached: the signed entity */
    struct cms_outline outline;  /* recipients of an encrypted one */
};
/* layer_look.c: 0, or -1 with errno on read errors. `fd` is the file that `mime` was parsed from. */
int layer_look(struct layer_look *look, int fd, const struct mime *mime);
void layer_look_free(struct layer_look *look);
/* What it is to those who do not look into what is disputed. */
enum layer_kind layer_look_label(const struct layer_look *look);

enum layer_signature { LAYER_SIGNATURE_BAD, LAYER_SIGNATURE_UNSUPPORTED, LAYER_SIGNATURE_GOOD };

struct layer_signer {
    enum layer_signature result;
    char *reason, *fingerprint, *scheme, *signing_time;
    char *mgf1; /* with `scheme` and `salt` as in core/form.h */
    uint64_t salt;
    bool missing; /* its certificate was not found; `identifier` says which it is */
    struct cms_recipient identifier;
    const struct buf *certificate; /* among layer.certificates; NULL */
    struct buf capabilities;       /* SMIMECapabilities */
    struct ask_verdict verdict;    /* verdict.verdict NULL until validated */
};

struct layer { /* what opening it told */
    enum layer_kind kind;
    bool authenticated;  /* encrypted: by an AEAD tag */
    char *cipher, *weak; /* weak: names of weak algorithms that were accepted */
    char *keytrans;      /* encrypted: of the key that opened it */
    char *key;           /* the key that opened it */
    char *key_fingerprint;
    struct strlist key_addresses; /* of its certificate */
    size_t recipient_count;       /* encrypted: to how many keys */
    struct layer_signer *signers;
    size_t signer_count;
    struct buf *certificates, *crls;
    size_t certificate_count, crl_count;
};
void layer_free(struct layer *layer);

enum layer_end {
    LAYER_OPENED,
    LAYER_UNDECRYPTABLE,
    LAYER_UNSUPPORTED, /* algorithm, content type, or a limit */
    LAYER_DAMAGED,
    LAYER_EMPTY,    /* SignedData that carries certificates only */
    LAYER_TEMPORARY /* outcome filled in */
};

struct layer_request {
    const struct layer_look *look;
    int out;                             /* gets the inner octets; unused for detached signatures */
    uint64_t limit;                      /* most octets to write */
    const struct ask_entry *const *keys; /* candidates, best first, all of one module */
    size_t key_count;
    const struct buf *const *certificates; /* signers' certificates that are missing inside */
    size_t certificate_count;
};
/* Asks the smime module once. `layer_r` is filled in for LAYER_OPENED only; on anything else `out` holds
 * nothing new. */
enum layer_end layer_open(struct message *message, const struct layer_request *request, struct layer *layer_r,
                          struct outcome *outcome);

/* What everybody can see of an encrypted object (core/form.h has the words). */
struct layer_form {
    char *cipher;
    struct strlist keytrans; /* each that is used for any recipient, once */
};
void layer_form_free(struct layer_form *form);
/* Asks the smime module once; no key is asked for anything. Ends with LAYER_OPENED when `form_r` is filled
   in, LAYER_DAMAGED or LAYER_UNSUPPORTED when there is nothing to see, or LAYER_TEMPORARY: outcome filled in.
   A module that cannot do this is a temporary fault, too: what was not seen cannot be judged. */
enum layer_end layer_inspect(struct message *message, const struct layer_look *look,
                             struct layer_form *form_r, struct outcome *outcome);

/* layer_answer.c: reads an <unwrap> answer. False when it is not what was asked for. */
bool layer_answer_read(const struct xml_node *body, const struct layer_request *request,
                       struct layer *layer_r, uint64_t *length_r);

#endif
