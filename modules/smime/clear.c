/* Clear signatures (RFC 8551 3.5.3). */
#include "modules/smime/signing.h"

#include <stdlib.h>

#include <openssl/rand.h>

#include "util/base64.h"
#include "util/mem.h"

/* 160 random bits: no content that was written before can hold it. */
#define BOUNDARY_OCTETS 20

static bool make_boundary(struct buf *boundary)
{
    unsigned char octets[BOUNDARY_OCTETS];

    if (RAND_bytes(octets, sizeof(octets)) <= 0)
        return false;
    buf_add_text(boundary, "=_julia_");
    hex_encode_buf(boundary, octets, sizeof(octets));
    return true;
}

static bool write_head(struct signing *signing, const struct buf *boundary)
{
    struct buf text = {0};
    bool ok;

    buf_printf(&text,
               "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\n"
               " micalg=%s; boundary=\"%s\"\n\n--%s\n",
               signing->scheme.digest->micalg, boundary->data, boundary->data);
    ok = output_text(&signing->output, text.data);
    buf_free(&text);
    return ok;
}

/* Copies the content as it is and digests its canonical form. */
static bool copy_content(struct signing *signing, EVP_MD_CTX *ctx, struct serve_answer *answer)
{
    struct pieces_chunk chunk;
    int more;

    while ((more = pieces_next(&signing->content, &chunk, answer)) > 0)
        if (EVP_DigestUpdate(ctx, chunk.canonical, chunk.canonical_len) <= 0 ||
            !output_put(&signing->output, chunk.raw, chunk.raw_len)) {
            output_fail(&signing->output, answer);
            return false;
        }
    return more == 0;
}

static bool write_signature(struct signing *signing, const struct buf *boundary)
{
    struct armour *armour = mem_alloc(sizeof(*armour));
    struct buf der = {0}, text = {0};
    bool ok;

    buf_printf(
        &text,
        "\n--%s\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\n"
        "Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"smime.p7s\"\n\n",
        boundary->data);
    armour_begin(armour, &signing->output);
    ok = signed_writer_encode(signing->writer, &der) && output_text(&signing->output, text.data) &&
         armour_put(armour, der.data, der.len) && armour_end(armour);
    buf_clear(&text);
    buf_printf(&text, "\n--%s--\n", boundary->data);
    ok = ok && output_text(&signing->output, text.data);
    buf_free(&text);
    buf_free(&der);
    free(armour);
    return ok;
}

bool signing_write_clear(struct signing *signing, struct serve_answer *answer)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct buf boundary = {0};
    bool ok = false;

    if (ctx == NULL || EVP_DigestInit_ex(ctx, digest_md(signing->scheme.digest), NULL) <= 0 ||
        !make_boundary(&boundary))
        serve_fail(answer, ANSWER_TEMPORARY, "crypto", "OpenSSL refuses to begin a digest");
    else if (!write_head(signing, &boundary))
        output_fail(&signing->output, answer);
    else
        ok = copy_content(signing, ctx, answer);
    ok = ok && EVP_DigestFinal_ex(ctx, digest, &len) > 0 &&
         signed_writer_sign(signing->writer, digest, len, &signing->channel, signing->key, answer);
    if (ok && !write_signature(signing, &boundary)) {
        output_fail(&signing->output, answer);
        ok = false;
    }
    EVP_MD_CTX_free(ctx);
    buf_free(&boundary);
    return ok;
}
