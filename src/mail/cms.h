/* What the core may know of CMS (RFC 5652): the outermost type, the RecipientInfo identifiers, and the
   encapsulated content of SignedData; enough to look up decryption keys and for the last check before
   hand-off, no cryptography. */
#ifndef JULIA_CMS_H
#define JULIA_CMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/source.h"
#include "util/sha256.h"

enum cms_type {
    CMS_NONE, /* not a ContentInfo */
    CMS_DATA,
    CMS_SIGNED,
    CMS_ENVELOPED,
    CMS_AUTH_ENVELOPED,
    CMS_COMPRESSED,
    CMS_DIGESTED,
    CMS_ENCRYPTED,
    CMS_OTHER
};

/* Identifiers of recipients in one message. Each is looked up, so this bounds time; lists in the wild have
   some hundred, the largest a few thousand. */
#define CMS_RECIPIENTS_MAX 10000

/* Entries for one and the same recipient that are tried: one that is garbage must not hide a good one behind
   it. Each costs a private key operation and a decryption. */
#define CMS_SAME_RECIPIENT_MAX 4

struct cms_recipient {
    struct buf issuer; /* DER Name; empty when identified by key identifier */
    struct buf serial; /* contents octets of the INTEGER */
    struct buf ski;    /* subjectKeyIdentifier; empty when by issuer and serial */
};

struct cms_outline {
    enum cms_type type;
    struct cms_recipient *recipients; /* KeyTrans and KeyAgree; in order */
    size_t recipient_count;
    struct buf *issuers; /* owner of the recipients' issuers, which share it */
    size_t issuer_count;
    size_t other_recipients; /* KEK, password, other RecipientInfos, and what is damaged or of absurd size
                                inside */
    bool has_content;        /* SignedData: eContent present */
    unsigned char content_digest[SHA256_LEN]; /* SHA-256 over eContent's octets, when present and asked for */
    uint64_t content_length;
    unsigned int signer_count; /* SignedData: SignerInfos */
    bool complete;             /* read to the end of the ContentInfo without damage */
    bool trailing;             /* octets follow the ContentInfo */
    bool too_much;             /* not damaged, but beyond a limit of this reader */
    const char *error;         /* static text when not complete */
};

/* Reads a ContentInfo from `source`. With `whole` false it stops once type and recipients are known
   (`complete` then means "so far"). Returns 0, or -1 with errno on read errors; damage is no read error: look
   at `complete` and `error`. */
int cms_outline_read(struct cms_outline *outline, struct source *source, bool whole);
void cms_outline_free(struct cms_outline *outline);

#endif
