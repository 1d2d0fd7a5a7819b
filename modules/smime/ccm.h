/* AES-CCM (RFC 3610, NIST SP 800-38C) as a stream: OpenSSL's own wants the whole content in one call.
 * Decryption only. */
#ifndef SMIME_CCM_H
#define SMIME_CCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CCM_NONCE_MIN 7
#define CCM_NONCE_MAX 13

struct ccm;

struct ccm_settings {
    const unsigned char *key;
    size_t key_len; /* 16, 24, 32 */
    const unsigned char *nonce;
    size_t nonce_len; /* CCM_NONCE_MIN to CCM_NONCE_MAX */
    size_t tag_len;   /* 4 to 16, even */
    const unsigned char *aad;
    size_t aad_len;
    uint64_t content_len; /* of the whole content: it goes into the tag first */
};
/* NULL: the content is too long for this nonce, or OpenSSL refuses. */
struct ccm *ccm_new(const struct ccm_settings *settings);
void ccm_free(struct ccm *ccm);

/* `out` has room for `len` octets. */
bool ccm_decrypt(struct ccm *ccm, const unsigned char *in, size_t len, unsigned char *out);
/* Whether the tag, of the length announced, fits all that was decrypted. */
bool ccm_tag_fits(struct ccm *ccm, const unsigned char *tag);

#endif
