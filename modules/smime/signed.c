/* SignedData (RFC 5652 5): detached or with its content inside, several signers, or certificates only. */
#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>

#include "modules/smime/baggage.h"
#include "modules/smime/der.h"
#include "modules/smime/fields.h"
#include "modules/smime/signer.h"
#include "modules/smime/unwrapping.h"
#include "util/mem.h"

#define CHUNK           65536
#define SIGNERS_MAX     16   /* each costs a public-key operation; real mail has one or two */
#define DIGEST_LIST_MAX 4096 /* octets of digestAlgorithms: some hundred of them */

struct signed_data {
    struct unwrapping *u;
    bool detached;    /* the request names the signed entity */
    bool has_content; /* there is content inside */
    int content_type;
    struct digests digests;
    struct baggage baggage;
    struct signer *signers;
    size_t signer_count;
};

static bool damaged(struct signed_data *s, struct serve_answer *answer)
{
    cms_input_fail(&s->u->input, answer);
    return false;
}

/* A digest per known algorithm; an unknown one matters only if a signer asks for it. Weak ones that are not
   accepted are not even computed. */
static bool start_digests(struct signed_data *s, const struct buf *der)
{
    algorithm_list *list = der_decode(der->data, der->len, ASN1_ITEM_rptr(Algorithms));
    const struct digest_algorithm *digest;
    bool ok = list != NULL;

    for (int i = 0; ok && i < sk_X509_ALGOR_num(list); i++) {
        digest = digest_read(sk_X509_ALGOR_value(list, i));
        if (digest != NULL && (!digest->weak || s->u->weak))
            ok = digests_add(&s->digests, digest);
    }
    sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
    return ok;
}

static bool read_digest_algorithms(struct signed_data *s)
{
    struct buf der = {0};
    bool ok = ber_peek(s->u->input.ber) == 0x31 && ber_copy(s->u->input.ber, &der) &&
              der.len <= DIGEST_LIST_MAX && start_digests(s, &der);

    buf_free(&der);
    return ok;
}

/* Digests the content and hands it out. */
static bool take_content(struct signed_data *s, struct serve_answer *answer)
{
    struct ber *ber = s->u->input.ber;
    unsigned char *chunk = mem_alloc(CHUNK);
    size_t filled = 0;
    ssize_t n;
    bool ok = true;

    do {
        n = ber_octets_read(ber, chunk + filled, CHUNK - filled);
        filled += n > 0 ? (size_t)n : 0;
        if (n > 0 && filled < CHUNK)
            continue;
        ok = digests_update(&s->digests, chunk, filled) && output_put(&s->u->output, chunk, filled);
        filled = 0;
    } while (ok && n > 0);
    free(chunk);
    if (!ok)
        output_fail(&s->u->output, answer);
    return ok && (n == 0 || damaged(s, answer));
}

/* EncapsulatedContentInfo. With a detached signature what stands inside is passed over: the signature has to
   fit the entity that the reader sees. */
static bool read_encapsulated(struct signed_data *s, struct serve_answer *answer)
{
    struct cms_input *input = &s->u->input;

    if (!ber_enter(input->ber, 0x30, NULL))
        return damaged(s, answer);
    s->content_type = cms_input_oid(input);
    s->has_content = ber_more(input->ber);
    if (s->has_content && s->detached && !ber_skip(input->ber))
        return damaged(s, answer);
    if (s->has_content && !s->detached) {
        if (!unwrapping_needs_output(s->u, answer))
            return false;
        if (!ber_enter(input->ber, 0xa0, NULL) || !ber_octets_enter(input->ber, 0x04))
            return damaged(s, answer);
        if (!take_content(s, answer))
            return false;
        if (!cms_input_leave(input))
            return damaged(s, answer);
    }
    return cms_input_leave(input) || damaged(s, answer);
}

static bool too_much(const char *what, struct serve_answer *answer)
{
    serve_fail(answer, ANSWER_PERMANENT, "unsupported", "%s", what);
    return false;
}

static bool read_signers(struct signed_data *s, struct serve_answer *answer)
{
    struct ber *ber = s->u->input.ber;
    struct buf der = {0};
    struct signer *signer;
    bool ok = ber_enter(ber, 0x31, NULL);

    while (ok && ber_more(ber)) {
        if (s->signer_count == SIGNERS_MAX) {
            buf_free(&der);
            return too_much("more signers than any mail needs", answer);
        }
        buf_clear(&der);
        ok = ber_copy(ber, &der);
        if (ok) {
            signer = mem_push(&s->signers, &s->signer_count, sizeof(*signer));
            signer_read(signer, der.data, der.len);
        }
    }
    buf_free(&der);
    return (ok && cms_input_leave(&s->u->input)) || damaged(s, answer);
}

static bool read_signed_data(struct signed_data *s, struct serve_answer *answer)
{
    struct cms_input *input = &s->u->input;
    enum baggage_result result;

    if (!ber_enter(input->ber, 0x30, NULL) || !cms_input_version(input, 1, 5) || !read_digest_algorithms(s))
        return damaged(s, answer);
    if (!read_encapsulated(s, answer))
        return false;
    result = baggage_read(&s->baggage, input->ber);
    if (result == BAGGAGE_TOO_MUCH)
        return too_much("more certificates than any mail needs", answer);
    if (result == BAGGAGE_DAMAGED)
        return damaged(s, answer);
    return read_signers(s, answer) &&
           ((cms_input_leave(input) && cms_input_end(input)) || damaged(s, answer));
}

/* The signed entity of a detached signature, in canonical form, in the digests the signers want. */
static bool digest_entity(struct signed_data *s, struct serve_answer *answer)
{
    struct pieces pieces;
    struct pieces_chunk chunk;
    int more = -1;

    for (size_t i = 0; i < s->signer_count; i++)
        if (s->signers[i].digest != NULL && (!s->signers[i].digest->weak || s->u->weak))
            digests_add(&s->digests, s->signers[i].digest);
    if (pieces_parse(&pieces, s->u->request, xml_child(s->u->request->body, "signed"), answer))
        while ((more = pieces_next(&pieces, &chunk, answer)) > 0)
            if (!digests_update(&s->digests, chunk.canonical, chunk.canonical_len)) {
                serve_fail(answer, ANSWER_TEMPORARY, "crypto", "OpenSSL refuses to compute a digest");
                break;
            }
    pieces_free(&pieces);
    return more == 0;
}

static void verify_signers(struct signed_data *s, x509_list *given)
{
    struct signer *signer;

    for (size_t i = 0; i < s->signer_count; i++) {
        signer = &s->signers[i];
        for (int exact = 1; exact >= 0; exact--) {
            signer_find_certificate(signer, s->baggage.certificates, exact != 0);
            signer_find_certificate(signer, given, exact != 0);
        }
        if (s->content_type == NID_pkcs7_data)
            signer_verify(signer, &s->digests, s->u->weak);
        else
            signer_refuse(signer, "content-type"); /* signed as something else than mail */
        if (signer->result != SIGNER_UNSUPPORTED && signer->digest->weak)
            unwrapping_note_weak(s->u, signer->digest->name);
    }
}

static void answer_signed(const struct signed_data *s, struct serve_answer *answer)
{
    const bool only_certificates = s->signer_count == 0 && !s->has_content && !s->detached;

    xml_open(&answer->writer, "unwrap");
    xml_put(&answer->writer, "type", only_certificates ? "certs-only" : "signed");
    xml_put_number(&answer->writer, "length", s->u->output.written);
    unwrapping_put_weak(s->u, answer);
    for (size_t i = 0; i < s->signer_count; i++)
        signer_put(&s->signers[i], &answer->writer);
    baggage_put(&s->baggage, &answer->writer);
    xml_close(&answer->writer);
}

static void verify(struct signed_data *s, struct serve_answer *answer)
{
    x509_list *given = fields_certificates(s->u->request->body, answer);

    if (given != NULL && (!s->detached || digest_entity(s, answer))) {
        verify_signers(s, given);
        answer_signed(s, answer);
    }
    sk_X509_pop_free(given, X509_free);
}

void signed_unwrap(struct unwrapping *u, struct serve_answer *answer)
{
    struct signed_data s = {.u = u, .detached = xml_child(u->request->body, "signed") != NULL};

    if (read_signed_data(&s, answer)) {
        if (!s.detached && !s.has_content && s.signer_count > 0)
            serve_fail(answer, ANSWER_PERMANENT, "damaged", "a signature without the content that it signs");
        else
            verify(&s, answer);
    }
    for (size_t i = 0; i < s.signer_count; i++)
        signer_free(&s.signers[i]);
    free(s.signers);
    baggage_free(&s.baggage);
    digests_free(&s.digests);
}
