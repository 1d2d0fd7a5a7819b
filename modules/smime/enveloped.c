/* EnvelopedData and AuthEnvelopedData (RFC 5652 6, RFC 5083, RFC 5084). Whatever makes decryption fail looks
   the same from outside: no key, a refused key, wrong padding, a wrong tag. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/rand.h>

#include "modules/smime/content_cipher.h"
#include "modules/smime/der.h"
#include "modules/smime/recipient_reader.h"
#include "modules/smime/unwrapping.h"
#include "util/mem.h"

#define CHUNK          65536
#define RECIPIENTS_MAX 2000 /* RecipientInfos; the largest lists in the wild have some hundred */

/* clang-format off */
ASN1_ITEM_TEMPLATE(AuthAttributes) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, AuthAttributes, X509_ATTRIBUTE)
static_ASN1_ITEM_TEMPLATE_END(AuthAttributes)
    /* clang-format on */

    struct enveloped {
    struct unwrapping *u;
    bool authenticated;
    struct candidates candidates;
    struct content_cipher cipher;
    /* authAttrs stand behind the content but go first into GCM: found in one pass, used in a second */
    struct buf auth_attributes;
};

enum pass { PASS_OK, PASS_AGAIN, PASS_UNDECRYPTABLE, PASS_FAILED /* answer is filled in */ };

/* ---- in front of the encrypted octets ---- */

static bool enter_content(const struct enveloped *e)
{
    struct ber *ber = e->u->input.ber;

    return ber_enter(ber, 0x30, NULL) && cms_input_version(&e->u->input, 0, e->authenticated ? 0 : 4) &&
           (ber_peek(ber) != 0xa0 || ber_skip(ber)); /* originatorInfo */
}

static bool read_recipients(struct enveloped *e)
{
    struct ber *ber = e->u->input.ber;
    struct buf der = {0};
    size_t count = 0;
    bool ok = ber_enter(ber, 0x31, NULL);

    while (ok && ber_more(ber)) {
        buf_clear(&der);
        ok = ++count <= RECIPIENTS_MAX && ber_copy(ber, &der);
        if (ok)
            candidates_match(&e->candidates, der.data, der.len);
    }
    buf_free(&der);
    return ok && cms_input_leave(&e->u->input);
}

/* encryptedContentInfo up to its algorithm. */
static bool read_algorithm(struct enveloped *e, int *type_r, X509_ALGOR **algorithm_r)
{
    struct ber *ber = e->u->input.ber;
    struct buf der = {0};

    *algorithm_r = NULL;
    *type_r = NID_undef;
    if (!ber_enter(ber, 0x30, NULL))
        return false;
    *type_r = cms_input_oid(&e->u->input);
    if (ber_error(ber) == NULL && ber_peek(ber) == 0x30 && ber_copy(ber, &der))
        *algorithm_r = der_decode(der.data, der.len, ASN1_ITEM_rptr(X509_ALGOR));
    buf_free(&der);
    return *algorithm_r != NULL;
}

static bool read_head(struct enveloped *e, struct serve_answer *answer)
{
    X509_ALGOR *algorithm = NULL;
    int type;
    bool ok;

    if (!enter_content(e) || !read_recipients(e) || !read_algorithm(e, &type, &algorithm)) {
        cms_input_fail(&e->u->input, answer);
        return false;
    }
    ok = type == NID_pkcs7_data;
    if (!ok)
        serve_fail(answer, ANSWER_PERMANENT, "unsupported", "the encrypted content is no MIME entity");
    else
        ok = content_cipher_read(&e->cipher, algorithm, e->authenticated, e->u->weak, answer);
    X509_ALGOR_free(algorithm);
    return ok;
}

/* From the beginning again, to the encrypted octets. */
static bool rewind_to_octets(struct enveloped *e)
{
    struct cms_input *input = &e->u->input;
    int type;

    return cms_input_begin(input, &type) && enter_content(e) && ber_skip(input->ber) &&
           ber_enter(input->ber, 0x30, NULL) && ber_skip(input->ber) && ber_skip(input->ber) &&
           ber_octets_enter(input->ber, 0x80);
}

/* ---- the encrypted octets and what follows ---- */

/* Fills the chunk as far as there are octets: the reader gives them in smaller ones. */
static ssize_t read_chunk(struct ber *ber, unsigned char *chunk)
{
    size_t filled = 0;
    ssize_t n = 0;

    while (filled < CHUNK && (n = ber_octets_read(ber, chunk + filled, CHUNK - filled)) > 0)
        filled += (size_t)n;
    return n < 0 ? -1 : (ssize_t)filled;
}

static enum pass decrypt_octets(struct enveloped *e, EVP_CIPHER_CTX *ctx, struct serve_answer *answer)
{
    unsigned char *in = mem_alloc(CHUNK), *out = mem_alloc(CHUNK + EVP_MAX_BLOCK_LENGTH);
    enum pass pass = PASS_OK;
    ssize_t n;
    int len = 0;

    while (pass == PASS_OK && (n = read_chunk(e->u->input.ber, in)) != 0) {
        if (n < 0) {
            cms_input_fail(&e->u->input, answer);
            pass = PASS_FAILED;
        } else if (EVP_DecryptUpdate(ctx, out, &len, in, (int)n) <= 0) {
            pass = PASS_UNDECRYPTABLE;
        } else if (!output_put(&e->u->output, out, (size_t)len)) {
            output_fail(&e->u->output, answer);
            pass = PASS_FAILED;
        }
    }
    OPENSSL_cleanse(out, CHUNK + EVP_MAX_BLOCK_LENGTH);
    free(in);
    free(out);
    return pass;
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
        attributes = der_decode(raw.data, raw.len, ASN1_ITEM_rptr(AuthAttributes));
    }
    ok = attributes != NULL && der_append(der, attributes, ASN1_ITEM_rptr(AuthAttributes)) &&
         der->len <= INT_MAX;
    ASN1_item_free(attributes, ASN1_ITEM_rptr(AuthAttributes));
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

static enum pass finish(struct enveloped *e, EVP_CIPHER_CTX *ctx, const struct buf *tag,
                        struct serve_answer *answer)
{
    unsigned char last[EVP_MAX_BLOCK_LENGTH];
    enum pass pass = PASS_OK;
    int len = 0;

    if (e->authenticated && (tag->len != e->cipher.tag_len ||
                             EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)tag->len, tag->data) <= 0))
        return PASS_UNDECRYPTABLE;
    if (EVP_DecryptFinal_ex(ctx, last, &len) <= 0) {
        pass = PASS_UNDECRYPTABLE;
    } else if (!output_put(&e->u->output, last, (size_t)len)) {
        output_fail(&e->u->output, answer);
        pass = PASS_FAILED;
    }
    OPENSSL_cleanse(last, sizeof(last));
    return pass;
}

/* Decrypts everything with one content key, in one pass. */
static enum pass decrypt_pass(struct enveloped *e, const unsigned char *key, struct serve_answer *answer)
{
    EVP_CIPHER_CTX *ctx = content_cipher_start(&e->cipher, key, false);
    struct buf tag = {0};
    enum pass pass;
    bool again = false;
    int n = 0;

    if (ctx == NULL) {
        serve_fail(answer, ANSWER_PERMANENT, "unsupported", "content encryption %s is not available here",
                   e->cipher.algorithm->name);
        return PASS_FAILED;
    }
    if (e->auth_attributes.len > 0 &&
        EVP_DecryptUpdate(ctx, NULL, &n, (unsigned char *)e->auth_attributes.data,
                          (int)e->auth_attributes.len) <= 0)
        pass = PASS_UNDECRYPTABLE;
    else
        pass = decrypt_octets(e, ctx, answer);
    if (pass == PASS_OK && !read_tail(e, &tag, &again)) {
        cms_input_fail(&e->u->input, answer);
        pass = PASS_FAILED;
    }
    if (pass == PASS_OK && again)
        pass = PASS_AGAIN;
    else if (pass == PASS_OK)
        pass = finish(e, ctx, &tag, answer);
    EVP_CIPHER_CTX_free(ctx);
    buf_free(&tag);
    return pass;
}

static enum pass decrypt_content(struct enveloped *e, const unsigned char *key, struct serve_answer *answer)
{
    enum pass pass = PASS_AGAIN;

    for (int i = 0; i < 2 && pass == PASS_AGAIN; i++) {
        output_undo(&e->u->output);
        if (!rewind_to_octets(e)) {
            cms_input_fail(&e->u->input, answer);
            return PASS_FAILED;
        }
        pass = decrypt_pass(e, key, answer);
    }
    return pass == PASS_AGAIN ? PASS_UNDECRYPTABLE : pass;
}

/* ---- keys ---- */

/* One candidate: asks for the content key and decrypts. A refusal goes the whole way too, with a random key,
   so that it costs what a wrong key costs. */
static enum pass try_candidate(struct enveloped *e, struct keychannel *channel,
                               const struct candidate *candidate, struct keychannel_answer *refusal,
                               struct serve_answer *answer)
{
    unsigned char key[CONTENT_KEY_MAX];
    struct keychannel_answer got;
    enum pass pass;
    bool opened;

    keychannel_open_key(channel, candidate->key, &candidate->open, e->cipher.key_len, &got);
    opened = got.status == ANSWER_OK;
    if (!opened && got.status != ANSWER_PERMANENT && got.status != ANSWER_NONE) {
        keychannel_answer_free(refusal);
        *refusal = got;
        return PASS_UNDECRYPTABLE;
    }
    if (opened)
        memcpy(key, got.value.data, e->cipher.key_len);
    else if (RAND_priv_bytes(key, sizeof(key)) <= 0)
        memset(key, 0, sizeof(key));
    keychannel_answer_free(&got);
    pass = decrypt_content(e, key, answer);
    OPENSSL_cleanse(key, sizeof(key));
    return pass == PASS_OK && !opened ? PASS_UNDECRYPTABLE : pass;
}

static void answer_decrypted(const struct enveloped *e, const struct candidate *candidate,
                             struct serve_answer *answer)
{
    struct xml_writer *w = &answer->writer;

    if (e->cipher.algorithm->weak)
        unwrapping_note_weak(e->u, e->cipher.algorithm->name);
    xml_open(w, "unwrap");
    xml_put(w, "type", e->authenticated ? "auth-enveloped" : "enveloped");
    xml_put_number(w, "length", e->u->output.written);
    xml_put(w, "cipher", e->cipher.algorithm->name);
    xml_put(w, "keytrans", candidate->keytrans);
    xml_put(w, "key", candidate->key);
    xml_put(w, "authenticated", e->authenticated ? "yes" : "no");
    unwrapping_put_weak(e->u, answer);
    xml_close(w);
}

static void fail_undecryptable(struct serve_answer *answer)
{
    serve_fail(answer, ANSWER_PERMANENT, "undecryptable", "the message cannot be decrypted");
}

/* All usable candidates in turn. */
static void open_with_candidates(struct enveloped *e, struct keychannel *channel, struct serve_answer *answer)
{
    struct keychannel_answer refusal = {.status = ANSWER_OK};
    enum pass pass = PASS_UNDECRYPTABLE;
    const struct candidate *candidate = NULL;
    bool named = false;

    for (size_t i = 0; pass == PASS_UNDECRYPTABLE && i < e->candidates.count; i++) {
        named = named || e->candidates.items[i].named;
        if (!e->candidates.items[i].usable)
            continue;
        candidate = &e->candidates.items[i];
        pass = try_candidate(e, channel, candidate, &refusal, answer);
    }
    if (pass == PASS_OK)
        answer_decrypted(e, candidate, answer);
    else if (pass == PASS_UNDECRYPTABLE && refusal.status != ANSWER_OK)
        keychannel_pass_on(&refusal, answer);
    else if (pass == PASS_UNDECRYPTABLE && named && candidate == NULL)
        serve_fail(answer, ANSWER_PERMANENT, "unsupported", "the key transport is damaged or not supported");
    else if (pass == PASS_UNDECRYPTABLE)
        fail_undecryptable(answer);
    keychannel_answer_free(&refusal);
}

void enveloped_unwrap(struct unwrapping *u, bool authenticated, struct serve_answer *answer)
{
    struct enveloped e = {.u = u, .authenticated = authenticated};
    struct keychannel channel = {.fd = -1, .until = u->request->until};

    if (candidates_parse(&e.candidates, u->request->body, answer) && read_head(&e, answer) &&
        unwrapping_needs_output(u, answer)) {
        if (e.candidates.count == 0)
            fail_undecryptable(answer);
        else if ((channel.fd = serve_fd_socket(u->request, u->request->body, "channel", answer)) >= 0)
            open_with_candidates(&e, &channel, answer);
    }
    candidates_free(&e.candidates);
    buf_free(&e.auth_attributes);
}
