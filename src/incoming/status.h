/* What the reader sees (DESIGN section 10a): one word each for encryption and signature, and the header
 * fields that say them. */
#ifndef JULIA_STATUS_H
#define JULIA_STATUS_H

#include "incoming/layer.h"
#include "incoming/unwrap.h"

enum status_encryption {
    STATUS_ENCRYPTION_NONE,
    STATUS_DECRYPTED,
    STATUS_NOT_INTEGRITY_PROTECTED,
    STATUS_UNDECRYPTABLE,
    STATUS_ENCRYPTION_UNSUPPORTED
};
enum status_signature {
    STATUS_SIGNATURE_NONE,
    STATUS_VALID,
    STATUS_VALID_OTHER_ADDRESS,
    STATUS_INVALID,
    STATUS_UNTRUSTED,
    STATUS_REVOKED,
    STATUS_EXPIRED,
    STATUS_UNKNOWN,
    STATUS_SIGNATURE_UNSUPPORTED
};

/* How a reader should take it, whatever the words are. */
enum status_level { STATUS_LEVEL_NONE, STATUS_LEVEL_GOOD, STATUS_LEVEL_CAUTION, STATUS_LEVEL_BAD };

struct status {
    enum status_encryption encryption;
    enum status_signature signature;
    const struct layer_signer *signer; /* the one that `signature` speaks of; NULL */
    bool missing;                      /* STATUS_UNKNOWN because his certificate was not found */
    const char *address; /* his address: the one in From if he has it; NULL if he has none. Borrowed. */
    const char *weak;    /* weak algorithms that were accepted; NULL. Borrowed. */
    const char *outer_from,
        *inner_from;    /* From differs outside and inside: the one that is not shown; NULL. Borrowed. */
    const char *header; /* what is said of protected header fields (protected.h); NULL. Borrowed. */
};

const char *status_encryption_word(enum status_encryption encryption);
const char *status_signature_word(enum status_signature signature);
enum status_level status_encryption_level(const struct status *status);
enum status_level status_signature_level(const struct status *status);
/* Of Authentication-Results (RFC 7281 3.2). `missing`: as in struct status. */
const char *status_smime_result(enum status_signature signature, bool missing);

/* Encryption by the layers opened and by why it went no further. */
enum status_encryption status_encryption_of(const struct unwrap_strand *strand);
/* When no signed layer could be opened: none, or what the unreadable one is. */
enum status_signature status_signature_of_stop(enum unwrap_stop stop);

/* Appends the fields, each with `eol`. Values can never add a field. */
void status_fields(const struct status *status, const char *authserv_id, const char *eol, struct buf *out);

#endif
