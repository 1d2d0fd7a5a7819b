/* Decrypting one content, piece by piece, whichever way its cipher works. */
#ifndef SMIME_CONTENT_READER_H
#define SMIME_CONTENT_READER_H

#include "modules/smime/content_cipher.h"
#include "util/buf.h"

struct content_reader;

/* Some ciphers have to know the length of the whole content before the first piece. */
bool content_reader_needs_length(const struct content_cipher *cipher);

/* `aad` is what is authenticated but not encrypted. NULL when OpenSSL does not have the cipher (RC2 without
   its legacy provider), or when the content is longer than the cipher allows. */
struct content_reader *content_reader_new(const struct content_cipher *cipher, const unsigned char *key,
                                          const struct buf *aad, uint64_t content_len);
void content_reader_free(struct content_reader *reader);

/* `out` has room for a block more than `len`. */
bool content_reader_decrypt(struct content_reader *reader, const unsigned char *in, size_t len,
                            unsigned char *out, int *out_len_r);
/* The rest, up to a block. False: padding or tag is wrong. `tag` is for authenticated ciphers. */
bool content_reader_end(struct content_reader *reader, const struct buf *tag, unsigned char *out,
                        int *out_len_r);

#endif
