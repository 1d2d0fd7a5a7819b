/* What a signature says about the message: which signer counts, and which word it gets. */
#ifndef JULIA_SIGNERSTATUS_H
#define JULIA_SIGNERSTATUS_H

#include "incoming/status.h"

/* Validates the signers of all these layers with one question to trust. false: outcome filled in. */
bool signerstatus_validate(struct message *message, struct unwrap_node *const *nodes, size_t count,
                           struct outcome *outcome);

/* The word for one signature. `verdict` is NULL when it was not validated; `own`: the certificate carries the
 * address in From. */
enum status_signature signerstatus_word(const struct layer_signer *signer, bool own);

/* Whose message it says it is (RFC 8550 3); each NULL when there is no single address in the field. */
struct signerstatus_author {
    const char *from, *sender;
};
/* Judges a signed layer. One bad signature makes all invalid; otherwise the signer counts who says most: a
   valid one with the address in From, then any other valid one, then the rest. A signer for Sender alone is
   valid-other-address, and shown with that address. Fills in signature, signer, address and missing of
   status_r; a signer of an invalid or unchecked signature is nobody: signer stays NULL. */
void signerstatus_judge(const struct layer *layer, const struct signerstatus_author *author,
                        struct status *status_r);

/* Does the certificate of a valid signature in `layer` carry this address? */
bool signerstatus_vouches(const struct layer *layer, const char *address);

#endif
