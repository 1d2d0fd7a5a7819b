/* Leaves of the MIME tree in an encoding that relays leave alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mail/qp.h"
#include "mail/source.h"
#include "outgoing/prepare_private.h"
#include "util/base64.h"
#include "util/mem.h"

#define CHUNK    (24u << 10)
#define QP_WORTH 6 /* text stays readable while at most every sixth octet must be escaped */

bool prepare_leaf_unsafe(struct prepare *w, const struct mime_part *part)
{
    if (part->has_8bit || part->has_nul || part->has_bare_cr || part->has_bare_lf || part->has_long_line)
        return true;
    /* A multipart in which no part was found: all of it stands outside of parts. */
    return mime_type_is(part, "multipart/") && prepare_gap(w, part->body, part->end, false);
}

/* What the decoded octets of a leaf are like. */
struct survey {
    uint64_t total, escapes;
    bool binary; /* NUL, bare CR or LF: no text */
};

static struct source *leaf_source(const struct prepare *w, const struct mime_part *part, enum source_eol eol)
{
    return source_new(w->in, part->body, part->end - part->body, part->encoding, eol);
}

static void survey_leaf(struct prepare *w, const struct mime_part *part, struct survey *survey_r)
{
    unsigned char chunk[CHUNK], last = 0;
    struct source *source = leaf_source(w, part, SOURCE_EOL_KEEP);
    ssize_t n;
    memset(survey_r, 0, sizeof(*survey_r));
    while ((n = source_read(source, chunk, sizeof(chunk))) > 0) {
        survey_r->total += (uint64_t)n;
        for (ssize_t i = 0; i < n; i++) {
            unsigned char c = chunk[i];
            survey_r->escapes += c >= 0x80 || c == '=';
            if (c == '\0' || (last == '\r' && c != '\n') || (c == '\n' && last != '\r' && w->crlf))
                survey_r->binary = true;
            last = c;
        }
    }
    survey_r->binary = survey_r->binary || last == '\r';
    if (n < 0 && w->error == 0)
        w->error = errno;
    source_free(source);
}

static void write_base64(struct prepare *w, const struct mime_part *part)
{
    /* In a message with LF line ends each LF stands for the CRLF of the wire, except where base64 says which
     * octets are meant. */
    bool exact = w->crlf || part->encoding == MIME_BASE64;
    struct source *source = leaf_source(w, part, exact ? SOURCE_EOL_KEEP : SOURCE_EOL_CRLF);
    struct base64_encoder encoder = {.eol = w->eol};
    char chunk[CHUNK], *out = mem_alloc(BASE64_ENCODE_MAX(CHUNK));
    ssize_t n;
    while ((n = source_read(source, chunk, sizeof(chunk))) > 0)
        prepare_put(w, out, base64_encode_update(&encoder, chunk, (size_t)n, out));
    prepare_put(w, out, base64_encode_final(&encoder, out));
    if (n < 0 && w->error == 0)
        w->error = errno;
    free(out);
    source_free(source);
}

static void write_qp(struct prepare *w, const struct mime_part *part)
{
    struct source *source = leaf_source(w, part, SOURCE_EOL_KEEP);
    struct qp_encoder encoder = {.eol = w->eol};
    char chunk[CHUNK];
    struct buf out = {0};
    ssize_t n;
    while ((n = source_read(source, chunk, sizeof(chunk))) > 0) {
        qp_encode_update(&encoder, chunk, (size_t)n, &out);
        prepare_put(w, buf_text(&out), out.len);
        buf_clear(&out);
    }
    qp_encode_final(&encoder, &out);
    prepare_put(w, buf_text(&out), out.len);
    if (n < 0 && w->error == 0)
        w->error = errno;
    buf_free(&out);
    source_free(source);
}

/* Composite types must not be encoded (RFC 2045 6.4), and what an unknown encoding means nobody knows. */
static bool may_encode(const struct mime_part *part)
{
    return part->encoding != MIME_ENCODING_UNKNOWN && !mime_type_is(part, "multipart/") &&
           !mime_type_is(part, "message/");
}

void prepare_leaf(struct prepare *w, const struct mime_part *part, const struct header *header)
{
    bool unsafe = prepare_leaf_unsafe(w, part);
    if (!unsafe || !may_encode(part)) {
        w->fragile = w->fragile || unsafe;
        prepare_header(w, header, NULL);
        prepare_copy(w, part->body, part->end);
        return;
    }
    struct survey survey;
    survey_leaf(w, part, &survey);
    bool qp = mime_type_is(part, "text/") && !survey.binary && survey.escapes <= survey.total / QP_WORTH;
    prepare_header(w, header, qp ? "quoted-printable" : "base64");
    if (qp)
        write_qp(w, part);
    else
        write_base64(w, part);
}
