/* Quoted-printable (RFC 2045 6.7), streaming. */
#ifndef JULIA_QP_H
#define JULIA_QP_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

struct qp_decoder { /* zero it to begin */
    char hold[80];  /* white space that may be trailing, an unfinished escape */
    size_t held;
};
void qp_decode_update(struct qp_decoder *d, const char *in, size_t len, struct buf *out);
void qp_decode_final(struct qp_decoder *d, struct buf *out);

/* Text mode: LF and CRLF are line ends and written as `eol`; everything that is not safe is escaped, "From "
   and "." at the start of a line and trailing blanks too; lines of at most 76 characters. */
struct qp_encoder {
    const char *eol;
    size_t column;
    char hold[2];
    size_t held;
};
void qp_encode_update(struct qp_encoder *e, const void *in, size_t len, struct buf *out);
void qp_encode_final(struct qp_encoder *e, struct buf *out);

#endif
