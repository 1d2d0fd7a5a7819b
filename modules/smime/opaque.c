/* Opaque signatures (RFC 8551 3.5.2): SignedData in indefinite-length BER, so that one pass is enough. */
#include "modules/smime/signing.h"

#include <stdlib.h>

#include "modules/smime/ber_out.h"
#include "util/mem.h"

/* ContentInfo { id-signedData, [0] { SignedData {  */
static const unsigned char start[] = {0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                      0x0d, 0x01, 0x07, 0x02, 0xa0, 0x80, 0x30, 0x80};
/* EncapsulatedContentInfo { id-data, [0] { OCTET STRING {  */
static const unsigned char encap_start[] = {0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                            0x0d, 0x01, 0x07, 0x01, 0xa0, 0x80, 0x24, 0x80};
static const unsigned char three_ends[6] = {0};

static bool write_start(struct signing *signing, struct armour *armour)
{
    struct buf der = {0};
    struct signed_parts parts;
    bool ok;

    ok = output_text(&signing->output, "Content-Type: application/pkcs7-mime; smime-type=signed-data;\n"
                                       " name=\"smime.p7m\"\nContent-Transfer-Encoding: base64\n"
                                       "Content-Disposition: attachment; filename=\"smime.p7m\"\n\n") &&
         signed_writer_encode(signing->writer, &der) && signed_writer_parts(&der, &parts) &&
         armour_put(armour, start, sizeof(start)) && armour_put(armour, parts.before, parts.before_len) &&
         armour_put(armour, encap_start, sizeof(encap_start));
    buf_free(&der);
    return ok;
}

static bool write_end(struct signing *signing, struct armour *armour)
{
    struct buf der = {0};
    struct signed_parts parts;
    bool ok;

    ok = signed_writer_encode(signing->writer, &der) && signed_writer_parts(&der, &parts) &&
         armour_put(armour, parts.after, parts.after_len) &&
         armour_put(armour, three_ends, sizeof(three_ends)) && armour_end(armour);
    buf_free(&der);
    return ok;
}

static bool write_content(struct signing *signing, struct armour *armour, EVP_MD_CTX *ctx,
                          struct serve_answer *answer)
{
    struct pieces_chunk chunk;
    int more;

    while ((more = pieces_next(&signing->content, &chunk, answer)) > 0)
        if (EVP_DigestUpdate(ctx, chunk.canonical, chunk.canonical_len) <= 0 ||
            !ber_out_segment(armour, chunk.canonical, chunk.canonical_len)) {
            output_fail(&signing->output, answer);
            return false;
        }
    if (more == 0 && armour_put(armour, three_ends, sizeof(three_ends)))
        return true;
    if (more == 0)
        output_fail(&signing->output, answer);
    return false;
}

bool signing_write_opaque(struct signing *signing, struct serve_answer *answer)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    struct armour *armour = mem_alloc(sizeof(*armour));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = false;

    armour_begin(armour, &signing->output);
    if (ctx == NULL || EVP_DigestInit_ex(ctx, digest_md(signing->scheme.digest), NULL) <= 0)
        serve_fail(answer, ANSWER_TEMPORARY, "crypto", "OpenSSL refuses to begin a digest");
    else if (!write_start(signing, armour))
        output_fail(&signing->output, answer);
    else
        ok = write_content(signing, armour, ctx, answer);
    ok = ok && EVP_DigestFinal_ex(ctx, digest, &len) > 0 &&
         signed_writer_sign(signing->writer, digest, len, &signing->channel, signing->key, answer);
    if (ok && !write_end(signing, armour)) {
        output_fail(&signing->output, answer);
        ok = false;
    }
    EVP_MD_CTX_free(ctx);
    free(armour);
    return ok;
}
