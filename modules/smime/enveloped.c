/* EnvelopedData and AuthEnvelopedData (RFC 5652 6, RFC 5083): who can open it, and trying. Whatever makes
   decryption fail looks the same from outside: no key, a refused key, wrong padding, a wrong tag. */
#include "modules/smime/enveloped.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/rand.h>

#include "mail/cms.h"
#include "modules/smime/der.h"

bool enveloped_enter(const struct enveloped *e)
{
    struct ber *ber = e->u->input.ber;

    return ber_enter(ber, 0x30, NULL) && cms_input_version(&e->u->input, 0, e->authenticated ? 0 : 4) &&
           (ber_peek(ber) != 0xa0 || ber_skip(ber)); /* originatorInfo */
}

bool enveloped_recipients(struct enveloped *e, enveloped_take *take, void *context)
{
    struct ber *ber = e->u->input.ber;
    struct buf der = {0};
    size_t count = 0;
    bool ok = ber_enter(ber, 0x31, NULL);

    while (ok && ber_more(ber)) {
        buf_clear(&der);
        e->too_many = ++count > CMS_RECIPIENTS_MAX;
        ok = !e->too_many && ber_copy(ber, &der);
        if (ok)
            take(context, der.data, der.len);
    }
    buf_free(&der);
    return ok && cms_input_leave(&e->u->input);
}

bool enveloped_algorithm(const struct enveloped *e, int *type_r, X509_ALGOR **algorithm_r)
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

void enveloped_fail(const struct enveloped *e, struct serve_answer *answer)
{
    if (e->too_many)
        serve_fail(answer, ANSWER_PERMANENT, "unsupported", "more than %d recipients", CMS_RECIPIENTS_MAX);
    else
        cms_input_fail(&e->u->input, answer);
}

static void match(void *context, const void *recipient_info, size_t len)
{
    struct enveloped *e = context;

    candidates_match(&e->candidates, recipient_info, len, e->u->weak);
}

static bool read_head(struct enveloped *e, struct serve_answer *answer)
{
    X509_ALGOR *algorithm = NULL;
    int type;
    bool ok;

    if (!enveloped_enter(e) || !enveloped_recipients(e, match, e) ||
        !enveloped_algorithm(e, &type, &algorithm)) {
        enveloped_fail(e, answer);
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

/* One opening: asks for the content key and decrypts. A refusal goes the whole way too, with a random key,
   so that it costs what a wrong key costs. */
static enum decryption try_opening(struct enveloped *e, struct keychannel *channel, const char *candidate_key,
                                   const struct opening *opening, struct keychannel_answer *refusal,
                                   struct serve_answer *answer)
{
    unsigned char key[CONTENT_KEY_MAX];
    struct keychannel_answer got;
    enum decryption result;
    bool opened;

    keychannel_open_key(channel, candidate_key, &opening->open, e->cipher.key_len, &got);
    opened = got.status == ANSWER_OK;
    if (!opened && got.status != ANSWER_PERMANENT && got.status != ANSWER_NONE) {
        keychannel_answer_free(refusal);
        *refusal = got;
        return DECRYPTION_UNDECRYPTABLE;
    }
    if (opened)
        memcpy(key, got.value.data, e->cipher.key_len);
    else if (RAND_priv_bytes(key, sizeof(key)) <= 0)
        memset(key, 0, sizeof(key));
    keychannel_answer_free(&got);
    result = enveloped_decrypt(e, key, answer);
    OPENSSL_cleanse(key, sizeof(key));
    return result == DECRYPTION_DONE && !opened ? DECRYPTION_UNDECRYPTABLE : result;
}

static void answer_decrypted(const struct enveloped *e, const struct candidate *candidate,
                             const struct opening *opening, struct serve_answer *answer)
{
    struct xml_writer *w = &answer->writer;

    if (e->cipher.algorithm->weak)
        unwrapping_note_weak(e->u, e->cipher.algorithm->name);
    if (opening->weak != NULL)
        unwrapping_note_weak(e->u, opening->weak);
    xml_open(w, "unwrap");
    xml_put(w, "type", e->authenticated ? "auth-enveloped" : "enveloped");
    xml_put_number(w, "length", e->u->output.written);
    xml_put(w, "cipher", e->cipher.algorithm->name);
    xml_put(w, "keytrans", opening->keytrans);
    xml_put(w, "key", candidate->key);
    xml_put(w, "authenticated", e->authenticated ? "yes" : "no");
    unwrapping_put_weak(e->u, answer);
    xml_close(w);
}

static void fail_undecryptable(struct serve_answer *answer)
{
    serve_fail(answer, ANSWER_PERMANENT, "undecryptable", "the message cannot be decrypted");
}

/* All candidates in turn, with everything that the message says for each. */
static void open_with_candidates(struct enveloped *e, struct keychannel *channel, struct serve_answer *answer)
{
    struct keychannel_answer refusal = {.status = ANSWER_OK};
    enum decryption result = DECRYPTION_UNDECRYPTABLE;
    const struct candidate *candidate = NULL;
    const struct opening *opening = NULL;
    bool named = false;

    for (size_t i = 0; result == DECRYPTION_UNDECRYPTABLE && i < e->candidates.count; i++) {
        candidate = &e->candidates.items[i];
        named = named || candidate->named;
        for (size_t k = 0; result == DECRYPTION_UNDECRYPTABLE && k < candidate->opening_count; k++) {
            opening = &candidate->openings[k];
            result = try_opening(e, channel, candidate->key, opening, &refusal, answer);
        }
    }
    if (result == DECRYPTION_DONE)
        answer_decrypted(e, candidate, opening, answer);
    else if (result == DECRYPTION_UNDECRYPTABLE && refusal.status != ANSWER_OK)
        keychannel_pass_on(&refusal, answer);
    else if (result == DECRYPTION_UNDECRYPTABLE && named && opening == NULL)
        serve_fail(answer, ANSWER_PERMANENT, "unsupported", "the key transport is damaged or not supported");
    else if (result == DECRYPTION_UNDECRYPTABLE)
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
