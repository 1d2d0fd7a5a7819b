/* Base64 (RFC 4648 section 4, RFC 2045 section 6.8), streaming; hexadecimal. */
#ifndef JULIA_BASE64_H
#define JULIA_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* Encoder state for MIME bodies: lines of 76 characters. Zero it, set eol ("\n" or "\r\n"). */
struct base64_encoder {
    const char *eol;
    unsigned char hold[3];
    size_t held;
    size_t column;
};
/* Room needed in `out` for one call with `len` octets. */
#define BASE64_ENCODE_MAX(len) (((len) + 2) / 3 * 4 + ((len) / 57 + 2) * 2 + 4)
size_t base64_encode_update(struct base64_encoder *e, const void *in, size_t len, char *out);
size_t base64_encode_final(struct base64_encoder *e, char *out); /* ends the last line with eol */

/* Decoder for MIME bodies: octets outside the alphabet are skipped (RFC 2045), decoding ends at '='.
   Zero the struct to begin. `strange` counts skipped octets that are not white space; `after_pad` is set when
   alphabet characters follow the padding. */
struct base64_decoder {
    unsigned int bits;
    unsigned int count;
    bool padded;
    bool after_pad;
    size_t strange;
};
size_t base64_decode_update(struct base64_decoder *d, const char *in, size_t len,
                            unsigned char *out); /* out: len octets */

/* Whole values without line breaks, as used in frames. Decoding is strict: any octet outside the alphabet,
   wrong padding: false. White space between is allowed. */
void base64_encode_buf(struct buf *out, const void *in, size_t len);
bool base64_decode_buf(struct buf *out, const char *text);

int hex_digit(char c);                                            /* its value; -1: it is none */
void hex_encode_buf(struct buf *out, const void *in, size_t len); /* lower case */
bool hex_decode_buf(struct buf *out, const char *text);           /* even number of digits, either case */

#endif
