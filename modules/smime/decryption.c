/* The content of (Auth)EnvelopedData with one content key, streaming (RFC 5652 6.3, RFC 5083 2.2, RFC 5084,
 * RFC 8103). */
#include <limits.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "modules/smime/asn1_types.h"
#include "modules/smime/content_reader.h"
#include "modules/smime/der.h"
#include "modules/smime/enveloped.h"
#include "util/mem.h"

#define CHUNK 65536

/* From the beginning again, to the encrypted octets. */
static bool rewind_to_octets(struct enveloped *e)
{
    struct cms_input *input = &e->u->input;
    int type;

    return cms_input_begin(input, &type) && enveloped_enter(e) && ber_skip(input->ber) &&
           ber_enter(input->ber, 0x30, NULL) && ber_skip(input->ber) && ber_skip(input->ber) &&
           ber_octets_enter(input->ber, 0x80);
}

/* Fills the chunk as far as there are octets: the reader gives them in smaller ones. */
static ssize_t read_chunk(struct ber *ber, unsigned char *chunk)
{
    size_t filled = 0;
    ssize_t n = 0;

    while (filled < CHUNK && (n = ber_octets_read(ber, chunk + filled, CHUNK - filled)) > 0)
        filled += (size_t)n;
    return n < 0 ? -1 : (ssize_t)filled;
}

static enum decryption decrypt_octets(struct enveloped *e, struct content_reader *reader,
                                      struct serve_answer *answer)
{
    unsigned char *in = mem_alloc(CHUNK), *out = mem_alloc(CHUNK + EVP_MAX_BLOCK_LENGTH);
    enum decryption result = DECRYPTION_DONE;
    ssize_t n;
    int len = 0;

    while (result == DECRYPTION_DONE && (n = read_chunk(e->u->input.ber, in)) != 0) {
        if (n < 0) {
            cms_input_fail(&e->u->input, answer);
            result = DECRYPTION_FAILED;
        } else if (!content_reader_decrypt(reader, in, (size_t)n, out, &len)) {
            result = DECRYPTION_UNDECRYPTABLE;
        } else if (!output_put(&e->u->output, out, (size_t)len)) {
            output_fail(&e->u->output, answer);
            result = DECRYPTION_FAILED;
        }
    }
    OPENSSL_cleanse(out, CHUNK + EVP_MAX_BLOCK_LENGTH);
    free(in);
    free(out);
    return result;
}

/* The DER of authAttrs as SET OF, which is what was authenticated (RFC 5083 2.2). */
static bool read_auth_attributes(struct ber *ber, struct buf *der)
{
    struct buf raw = {0};
    void *attributes = NULL;
    bool ok;

    if (ber_peek(ber) != 0xa1)
        return true;
    ok = ber_copy(ber, &raw);
    if (ok) {
        raw.data[0] = 0x31;
        attributes = der_decode(raw.data, raw.len, ASN1_ITEM_rptr(Attributes));
    }
    ok = attributes != NULL && der_append(der, attributes, ASN1_ITEM_rptr(Attributes)) && der->len <= INT_MAX;
    ASN1_item_free(attributes, ASN1_ITEM_rptr(Attributes));
    buf_free(&raw);
    return ok;
}

/* What stands behind encryptedContentInfo, to the very end. `again_r`: authAttrs were met that the pass did
 * not use. */
static bool read_tail(struct enveloped *e, struct buf *tag, bool *again_r)
{
    struct cms_input *input = &e->u->input;
    struct buf attributes = {0};
    bool ok = cms_input_leave(input);

    *again_r = false;
    if (ok && e->authenticated) {
        ok = read_auth_attributes(input->ber, &attributes);
        *again_r = ok && attributes.len > 0 && e->auth_attributes.len == 0;
        if (*again_r)
            buf_add(&e->auth_attributes, attributes.data, attributes.len);
        ok = ok && ber_primitive(input->ber, 0x04, e->cipher.tag_len, tag);
    }
    buf_free(&attributes);
    if (ok && ber_peek(input->ber) == (e->authenticated ? 0xa2 : 0xa1)) /* unauthenticated attributes */
        ok = ber_skip(input->ber);
    return ok && cms_input_leave(input) && cms_input_end(input);
}

static enum decryption finish(struct enveloped *e, struct content_reader *reader, const struct buf *tag,
                              struct serve_answer *answer)
{
    unsigned char last[EVP_MAX_BLOCK_LENGTH];
    enum decryption result = DECRYPTION_DONE;
    int len = 0;

    if (!content_reader_end(reader, tag, last, &len)) {
        result = DECRYPTION_UNDECRYPTABLE;
    } else if (!output_put(&e->u->output, last, (size_t)len)) {
        output_fail(&e->u->output, answer);
        result = DECRYPTION_FAILED;
    }
    OPENSSL_cleanse(last, sizeof(last));
    return result;
}

/* Decrypts everything with one content key, in one pass. */
static enum decryption decrypt_pass(struct enveloped *e, const unsigned char *key,
                                    struct serve_answer *answer)
{
    struct content_reader *reader = content_reader_new(&e->cipher, key, &e->auth_attributes, e->content_len);
    struct buf tag = {0};
    enum decryption result;
    bool again = false;

    if (reader == NULL) {
        serve_fail(answer, ANSWER_PERMANENT, "unsupported", "content encryption %s is not available here",
                   e->cipher.algorithm->name);
        return DECRYPTION_FAILED;
    }
    result = decrypt_octets(e, reader, answer);
    if (result == DECRYPTION_DONE && !read_tail(e, &tag, &again)) {
        cms_input_fail(&e->u->input, answer);
        result = DECRYPTION_FAILED;
    }
    if (result == DECRYPTION_DONE && again)
        result = DECRYPTION_AGAIN;
    else if (result == DECRYPTION_DONE)
        result = finish(e, reader, &tag, answer);
    content_reader_free(reader);
    buf_free(&tag);
    return result;
}

/* The length of the content, and on the way the authenticated attributes behind it. */
static bool measure(struct enveloped *e)
{
    unsigned char *chunk = mem_alloc(CHUNK);
    struct buf tag = {0};
    bool again, ok = rewind_to_octets(e);
    ssize_t n = 0;

    e->content_len = 0;
    while (ok && (n = read_chunk(e->u->input.ber, chunk)) > 0)
        e->content_len += (uint64_t)n;
    ok = ok && n == 0 && read_tail(e, &tag, &again);
    buf_free(&tag);
    free(chunk);
    return ok;
}

enum decryption enveloped_decrypt(struct enveloped *e, const unsigned char *key, struct serve_answer *answer)
{
    enum decryption result = DECRYPTION_AGAIN;

    for (int i = 0; i < 2 && result == DECRYPTION_AGAIN; i++) {
        output_undo(&e->u->output);
        if ((content_reader_needs_length(&e->cipher) && !measure(e)) || !rewind_to_octets(e)) {
            cms_input_fail(&e->u->input, answer);
            return DECRYPTION_FAILED;
        }
        result = decrypt_pass(e, key, answer);
    }
    return result == DECRYPTION_AGAIN ? DECRYPTION_UNDECRYPTABLE : result;
}
