/* The header fields of DESIGN section 10a. */
#include <string.h>

#include "incoming/status.h"
#include "mail/header.h"
#include "util/base64.h"

#define VALUE_MAX 500 /* octets of one name from a certificate */

/* A quoted string (RFC 5322 3.2.4); with `ascii`, for fields that programs read, other characters become '?'.
 */
static void put_quoted(struct buf *out, const char *text, bool ascii)
{
    size_t len = strnlen(text, VALUE_MAX);

    buf_add_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, c < ' ' || c == 0x7f || (ascii && c >= 0x80) ? '?' : (char)c);
    }
    buf_add_char(out, '"');
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

/* "address; issuer="..."; serial=...; sha256=..." */
static void signer_value(const struct status *status, struct buf *out)
{
    const struct ask_verdict *verdict = &status->signer->verdict;

    buf_add_text(out, status->address == NULL ? "-" : status->address);
    buf_add_text(out, "; issuer=");
    put_quoted(out, or_empty(verdict->issuer), false);
    buf_add_text(out, "; serial=");
    hex_encode_buf(out, buf_text(&verdict->serial), verdict->serial.len);
    buf_printf(out, "; sha256=%s", or_empty(status->signer->fingerprint));
}

/* RFC 8601 2.2, RFC 7281 3.2: authserv-id; smime=result reason="..." body.smime-identifier=...
 * body.smime-serial=... */
static void results_value(const struct status *status, const char *authserv_id, struct buf *out)
{
    buf_printf(out, "%s; smime=%s", authserv_id, status_smime_result(status->signature));
    if (status->signature != STATUS_VALID) {
        buf_add_text(out, " reason=");
        put_quoted(out, status_signature_word(status->signature), true);
    }
    if (status->signer == NULL)
        return;
    if (status->address != NULL) {
        buf_add_text(out, " body.smime-identifier=");
        put_quoted(out, status->address, true);
    }
    buf_add_text(out, " body.smime-serial=");
    hex_encode_buf(out, buf_text(&status->signer->verdict.serial), status->signer->verdict.serial.len);
    buf_add_text(out, " body.smime-issuer=");
    put_quoted(out, or_empty(status->signer->verdict.issuer), true);
}

void status_fields(const struct status *status, const char *authserv_id, const char *eol, struct buf *out)
{
    struct buf value = {0};

    header_write(out, "X-JULIA-Encryption", status_encryption_word(status->encryption), eol);
    header_write(out, "X-JULIA-Signature", status_signature_word(status->signature), eol);
    if (status->signer != NULL) {
        signer_value(status, &value);
        header_write(out, "X-JULIA-Signer", buf_text(&value), eol);
        buf_clear(&value);
    }
    if (status->weak != NULL)
        header_write(out, "X-JULIA-Weak", status->weak, eol);
    if (status->header != NULL)
        header_write(out, "X-JULIA-Header", status->header, eol);
    if (status->outer_from != NULL)
        header_write(out, "X-JULIA-Outer-From", status->outer_from, eol);
    if (status->inner_from != NULL)
        header_write(out, "X-JULIA-Inner-From", status->inner_from, eol);
    if (status->signature != STATUS_SIGNATURE_NONE) {
        results_value(status, authserv_id, &value);
        header_write(out, "Authentication-Results", buf_text(&value), eol);
    }
    buf_free(&value);
}
