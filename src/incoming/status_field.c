/* The header fields of DESIGN section 10a. */
#include <string.h>

#include "incoming/status.h"
#include "mail/header.h"
#include "util/base64.h"

#define VALUE_MAX    500 /* octets of one name from a certificate */
#define PROPERTY_MAX 400 /* ... in Authentication-Results: header_write() must not encode it (RFC 2047) */

/* A quoted string (RFC 5322 3.2.4). */
static void put_quoted(struct buf *out, const char *text)
{
    size_t len = strnlen(text, VALUE_MAX);

    buf_add_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, c < ' ' || c == 0x7f ? '?' : (char)c);
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
    put_quoted(out, or_empty(verdict->issuer));
    buf_add_text(out, "; serial=");
    hex_encode_buf(out, buf_text(&verdict->serial), verdict->serial.len);
    buf_printf(out, "; sha256=%s", or_empty(status->signer->fingerprint));
}

/* A character of a name in RFC 4514 form, inside of a quoted string. What is not ASCII stands as hexadecimal
   pairs (RFC 4514 2.4), a second blank too, since folding may take it away. "=?" must not look like an
   encoded word, which a quoted string cannot have (RFC 2047 5). */
static void put_name_char(struct buf *out, unsigned char c, unsigned char before)
{
    if (c < ' ' || c >= 0x7f || (c == ' ' && before == ' '))
        buf_printf(out, "\\\\%02X", c);
    else if (c == '"' || c == '\\' || (c == '?' && before == '='))
        buf_printf(out, "\\%c", c);
    else
        buf_add_char(out, (char)c);
}

/* " property="value"", unless that becomes longer than a header line should. Part of a name is another name.
 */
static void put_property(struct buf *out, const char *property, const char *value)
{
    struct buf text = {0};
    unsigned char before = ' ';

    for (; value != NULL && *value != '\0' && text.len <= PROPERTY_MAX; value++) {
        put_name_char(&text, (unsigned char)*value, before);
        before = (unsigned char)*value;
    }
    if (text.len > 0 && text.len <= PROPERTY_MAX)
        buf_printf(out, " body.%s=\"%s\"", property, text.data);
    buf_free(&text);
}

/* An address has no such form: it is told as it is, or not at all. */
static bool is_plain(const char *address)
{
    for (char before = ' '; *address != '\0'; before = *address++)
        if (*address < ' ' || *address > '~' || (*address == ' ' && before == ' '))
            return false;
    return true;
}

/* RFC 8601 2.2, RFC 7281 3.2: authserv-id; smime=result reason="..." body.smime-identifier=...
 * body.smime-serial=... */
static void results_value(const struct status *status, const char *authserv_id, struct buf *out)
{
    const struct ask_verdict *verdict = status->signer == NULL ? NULL : &status->signer->verdict;

    buf_printf(out, "%s; smime=%s", authserv_id, status_smime_result(status->signature, status->missing));
    if (status->signature != STATUS_VALID)
        buf_printf(out, " reason=\"%s\"", status_signature_word(status->signature));
    if (verdict == NULL)
        return;
    if (status->address != NULL && is_plain(status->address))
        put_property(out, "smime-identifier", status->address);
    if (verdict->serial.len > 0) {
        buf_add_text(out, " body.smime-serial=");
        hex_encode_buf(out, verdict->serial.data, verdict->serial.len);
    }
    put_property(out, "smime-issuer", verdict->issuer);
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
