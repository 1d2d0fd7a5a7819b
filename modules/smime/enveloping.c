#include "modules/smime/enveloping.h"

#include <stdlib.h>

#include "modules/smime/ber_out.h"
#include "modules/smime/der.h"
#include "util/mem.h"

/* ContentInfo { type, [0] { EnvelopedData {  */
static const unsigned char enveloped_start[] = {0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                                0x0d, 0x01, 0x07, 0x03, 0xa0, 0x80, 0x30, 0x80};
static const unsigned char auth_enveloped_start[] = {0x30, 0x80, 0x06, 0x0b, 0x2a, 0x86, 0x48,
                                                     0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01,
                                                     0x17, 0xa0, 0x80, 0x30, 0x80};
/* EncryptedContentInfo { id-data  */
static const unsigned char content_start[] = {0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48,
                                              0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const unsigned char octets_start[] = {0xa0, 0x80};
static const unsigned char ends[6] = {0};

/* Everything in front of the encrypted octets. */
static bool make_head(const struct enveloping *enveloping, struct buf *head)
{
    const bool aead = cipher_authenticates(enveloping->cipher.algorithm);
    unsigned char version[] = {0x02, 0x01, aead ? 0 : recipient_writer_version(enveloping->recipients)};
    X509_ALGOR *algorithm = X509_ALGOR_new();
    bool ok;

    if (aead)
        buf_add(head, auth_enveloped_start, sizeof(auth_enveloped_start));
    else
        buf_add(head, enveloped_start, sizeof(enveloped_start));
    buf_add(head, version, sizeof(version));
    ok = algorithm != NULL && recipient_writer_encode(enveloping->recipients, head) &&
         content_cipher_set_algorithm(&enveloping->cipher, algorithm);
    buf_add(head, content_start, sizeof(content_start));
    ok = ok && der_append(head, algorithm, ASN1_ITEM_rptr(X509_ALGOR));
    buf_add(head, octets_start, sizeof(octets_start));
    X509_ALGOR_free(algorithm);
    return ok;
}

static bool write_mime_head(struct enveloping *enveloping)
{
    return output_text(&enveloping->output,
                       cipher_authenticates(enveloping->cipher.algorithm)
                           ? "Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data;\n"
                           : "Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\n") &&
           output_text(&enveloping->output, " name=\"smime.p7m\"\nContent-Transfer-Encoding: base64\n"
                                            "Content-Disposition: attachment; filename=\"smime.p7m\"\n\n");
}

static bool write_content(struct enveloping *enveloping, struct armour *armour, EVP_CIPHER_CTX *ctx,
                          struct serve_answer *answer)
{
    unsigned char *encrypted = mem_alloc(2 * PIECES_CHUNK + EVP_MAX_BLOCK_LENGTH);
    struct pieces_chunk chunk;
    int more, len = 0;
    bool ok = true;

    while (ok && (more = pieces_next(&enveloping->content, &chunk, answer)) != 0) {
        if (more < 0) {
            free(encrypted);
            return false;
        }
        ok = EVP_EncryptUpdate(ctx, encrypted, &len, chunk.canonical, (int)chunk.canonical_len) > 0 &&
             ber_out_segment(armour, encrypted, (size_t)len);
    }
    ok = ok && EVP_EncryptFinal_ex(ctx, encrypted, &len) > 0 &&
         ber_out_segment(armour, encrypted, (size_t)len);
    if (!ok)
        output_fail(&enveloping->output, answer);
    free(encrypted);
    return ok;
}

/* Closes encryptedContent and EncryptedContentInfo, adds the tag, closes the rest. */
static bool write_end(const struct enveloping *enveloping, struct armour *armour, EVP_CIPHER_CTX *ctx)
{
    unsigned char tag[16];
    const size_t tag_len = enveloping->cipher.tag_len;

    if (!armour_put(armour, ends, 4))
        return false;
    if (tag_len > 0 && (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)tag_len, tag) <= 0 ||
                        !ber_out_segment(armour, tag, tag_len)))
        return false;
    return armour_put(armour, ends, sizeof(ends)) && armour_end(armour);
}

bool enveloping_write(struct enveloping *enveloping, struct serve_answer *answer)
{
    EVP_CIPHER_CTX *ctx = content_cipher_start(&enveloping->cipher, enveloping->key, true);
    struct armour *armour = mem_alloc(sizeof(*armour));
    struct buf head = {0};
    bool ok = false;

    armour_begin(armour, &enveloping->output);
    if (ctx == NULL || !make_head(enveloping, &head))
        serve_fail(answer, ANSWER_TEMPORARY, "crypto", "OpenSSL refuses to begin the encryption");
    else if (!write_mime_head(enveloping) || !armour_put(armour, head.data, head.len))
        output_fail(&enveloping->output, answer);
    else
        ok = write_content(enveloping, armour, ctx, answer);
    if (ok && !write_end(enveloping, armour, ctx)) {
        output_fail(&enveloping->output, answer);
        ok = false;
    }
    EVP_CIPHER_CTX_free(ctx);
    buf_free(&head);
    free(armour);
    return ok;
}
