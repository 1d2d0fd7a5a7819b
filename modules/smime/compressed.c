/* CompressedData (RFC 3274): zlib only, never more than the request's limit comes out. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include <openssl/objects.h>

#include "modules/smime/der.h"
#include "modules/smime/unwrapping.h"
#include "util/mem.h"

#define CHUNK 65536

enum step { STEP_MORE, STEP_DONE, STEP_DAMAGED, STEP_OUTPUT };

struct inflating {
    z_stream z;
    unsigned char in[CHUNK], out[CHUNK];
};

/* Everything in front of the compressed octets. */
static bool read_head(struct cms_input *input, struct serve_answer *answer)
{
    struct buf der = {0};
    X509_ALGOR *algorithm = NULL;
    int compression, type;
    bool ok;

    ok = ber_enter(input->ber, 0x30, NULL) && cms_input_version(input, 0, 0) &&
         ber_peek(input->ber) == 0x30 && ber_copy(input->ber, &der);
    if (ok)
        algorithm = der_decode(der.data, der.len, ASN1_ITEM_rptr(X509_ALGOR));
    ok = algorithm != NULL && ber_enter(input->ber, 0x30, NULL);
    compression = ok ? der_plain_algorithm(algorithm) : NID_undef;
    type = ok ? cms_input_oid(input) : NID_undef;
    X509_ALGOR_free(algorithm);
    buf_free(&der);
    if (ok && ber_error(input->ber) == NULL &&
        (compression != NID_zlib_compression || type != NID_pkcs7_data)) {
        serve_fail(answer, ANSWER_PERMANENT, "unsupported",
                   "this compression or its content type is not supported");
        return false;
    }
    ok = ok && ber_enter(input->ber, 0xa0, NULL) && ber_octets_enter(input->ber, 0x04);
    if (!ok)
        cms_input_fail(input, answer);
    return ok;
}

/* Takes the `len` octets in w->in. Behind the end of the stream there may be none. */
static enum step inflate_some(struct inflating *w, size_t len, struct output *output)
{
    int rc = Z_OK;

    w->z.next_in = w->in;
    w->z.avail_in = (uInt)len;
    do {
        w->z.next_out = w->out;
        w->z.avail_out = CHUNK;
        rc = inflate(&w->z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return STEP_DAMAGED;
        if (!output_put(output, w->out, CHUNK - w->z.avail_out))
            return STEP_OUTPUT;
    } while (rc == Z_OK && (w->z.avail_in > 0 || w->z.avail_out == 0));
    if (rc != Z_STREAM_END)
        return w->z.avail_in == 0 ? STEP_MORE : STEP_DAMAGED;
    return w->z.avail_in == 0 ? STEP_DONE : STEP_DAMAGED;
}

static enum step inflate_all(struct cms_input *input, struct inflating *w, struct output *output)
{
    enum step step = STEP_MORE;
    ssize_t n;

    while ((n = ber_octets_read(input->ber, w->in, CHUNK)) > 0) {
        step = inflate_some(w, (size_t)n, output);
        if (step == STEP_DAMAGED || step == STEP_OUTPUT)
            return step;
    }
    return n == 0 && step == STEP_DONE ? STEP_DONE : STEP_DAMAGED;
}

static bool inflate_content(struct unwrapping *u, struct serve_answer *answer)
{
    struct inflating *w = mem_alloc(sizeof(*w));
    enum step step = STEP_DAMAGED;

    if (inflateInit(&w->z) == Z_OK) {
        step = inflate_all(&u->input, w, &u->output);
        if (step == STEP_OUTPUT)
            output_fail(&u->output, answer);
        inflateEnd(&w->z);
    }
    free(w);
    if (step == STEP_DAMAGED)
        cms_input_fail(&u->input, answer);
    return step == STEP_DONE;
}

void compressed_unwrap(struct unwrapping *u, struct serve_answer *answer)
{
    struct cms_input *input = &u->input;

    if (!unwrapping_needs_output(u, answer) || !read_head(input, answer) || !inflate_content(u, answer))
        return;
    /* [0], encapContentInfo, CompressedData, then the frame around it */
    if (!cms_input_leave(input) || !cms_input_leave(input) || !cms_input_leave(input) ||
        !cms_input_end(input)) {
        cms_input_fail(input, answer);
        return;
    }
    xml_open(&answer->writer, "unwrap");
    xml_put(&answer->writer, "type", "compressed");
    xml_put_number(&answer->writer, "length", u->output.written);
    xml_close(&answer->writer);
}
