#include "incoming/status.h"

const char *status_encryption_word(enum status_encryption encryption)
{
    static const char *const words[] = {"none", "decrypted", "not-integrity-protected", "undecryptable",
                                        "unsupported"};

    return words[encryption];
}

const char *status_signature_word(enum status_signature signature)
{
    static const char *const words[] = {"none",    "valid",     "valid-other-address",
                                        "invalid", "untrusted", "revoked",
                                        "expired", "unknown",   "unsupported"};

    return words[signature];
}

/* A cipher that proves nothing is good enough where a signature proves the content. */
enum status_level status_encryption_level(const struct status *status)
{
    switch (status->encryption) {
    case STATUS_ENCRYPTION_NONE:
        return STATUS_LEVEL_NONE;
    case STATUS_DECRYPTED:
        return STATUS_LEVEL_GOOD;
    case STATUS_NOT_INTEGRITY_PROTECTED:
        return status->signature == STATUS_VALID ? STATUS_LEVEL_GOOD : STATUS_LEVEL_CAUTION;
    default:
        return STATUS_LEVEL_CAUTION;
    }
}

enum status_level status_signature_level(const struct status *status)
{
    switch (status->signature) {
    case STATUS_SIGNATURE_NONE:
        return STATUS_LEVEL_NONE;
    case STATUS_VALID:
        return STATUS_LEVEL_GOOD;
    case STATUS_INVALID:
    case STATUS_REVOKED:
        return STATUS_LEVEL_BAD;
    default:
        return STATUS_LEVEL_CAUTION;
    }
}

/* pass: good in every respect. policy: the signature is good, its certificate is not (for this sender, for
   us). fail: somebody tampered, or the key is known to be lost. temperror: a later attempt may find out;
   permerror: none will, without the certificate. */
const char *status_smime_result(enum status_signature signature, bool missing)
{
    static const char *const results[] = {"none", "pass",   "policy",    "fail",   "policy",
                                          "fail", "policy", "temperror", "neutral"};

    return signature == STATUS_UNKNOWN && missing ? "permerror" : results[signature];
}

/* The weakest encrypted layer counts. */
static enum status_encryption opened(const struct unwrap_node *node)
{
    enum status_encryption status = STATUS_ENCRYPTION_NONE;

    for (; node != NULL; node = node->outer) {
        if (node->layer.kind != LAYER_ENCRYPTED)
            continue;
        if (!node->layer.authenticated)
            return STATUS_NOT_INTEGRITY_PROTECTED;
        status = STATUS_DECRYPTED;
    }
    return status;
}

enum status_encryption status_encryption_of(const struct unwrap_strand *strand)
{
    switch (strand->stop) {
    case UNWRAP_UNDECRYPTABLE:
        return STATUS_UNDECRYPTABLE;
    case UNWRAP_UNSUPPORTED:
    case UNWRAP_LIMIT:
    case UNWRAP_FORM:
        return STATUS_ENCRYPTION_UNSUPPORTED;
    default:
        return opened(strand->inner);
    }
}

enum status_signature status_signature_of_stop(enum unwrap_stop stop)
{
    switch (stop) {
    case UNWRAP_BROKEN:
        return STATUS_INVALID;
    case UNWRAP_UNASKED:
        return STATUS_UNKNOWN;
    case UNWRAP_UNCHECKED:
    case UNWRAP_LIMIT:
        return STATUS_SIGNATURE_UNSUPPORTED;
    default:
        return STATUS_SIGNATURE_NONE;
    }
}
