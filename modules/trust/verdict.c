#include "modules/trust/verdict.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "modules/trust/certificate.h"
#include "util/buf.h"
#include "util/mem.h"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_VALID] = "valid",
        [VERDICT_WRONG_ADDRESS] = "wrong-address",
        [VERDICT_STATUS_UNKNOWN] = "status-unknown",
        [VERDICT_EXPIRED] = "expired",
        [VERDICT_NOT_YET_VALID] = "not-yet-valid",
        [VERDICT_WEAK] = "weak",
        [VERDICT_WRONG_USE] = "wrong-use",
        [VERDICT_NO_PATH] = "no-path",
        [VERDICT_UNTRUSTED_ROOT] = "untrusted-root",
        [VERDICT_BAD_SIGNATURE] = "bad-signature",
        [VERDICT_REVOKED] = "revoked",
        [VERDICT_DISTRUSTED] = "distrusted",
    };

    return names[verdict];
}

void faults_add(struct faults *faults, enum verdict verdict, enum fault_kind kind, const X509 *certificate,
                const char *format, ...)
{
    struct fault *fault = mem_push(&faults->items, &faults->count, sizeof(*fault));
    va_list ap;

    va_start(ap, format);
    fault->reason = mem_vprintf(format, ap);
    va_end(ap);
    fault->verdict = verdict;
    fault->kind = kind;
    if (certificate != NULL)
        certificate_fingerprint(certificate, fault->deciding);
}

const struct fault *faults_worst(const struct faults *faults, bool trusted)
{
    const struct fault *worst = NULL;

    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];
        if (trusted && fault->kind == FAULT_OF_PATH)
            continue;
        if (worst == NULL || fault->verdict > worst->verdict)
            worst = fault;
    }
    return worst;
}

void faults_free(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        free(faults->items[i].reason);
    free(faults->items);
    memset(faults, 0, sizeof(*faults));
}
