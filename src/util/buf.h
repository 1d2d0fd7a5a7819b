/* A growing octet buffer. data is always NUL-terminated (the NUL is not counted), so text can be used as is;
   NUL octets inside are data. A zeroed struct is an empty buffer. */
#ifndef JULIA_BUF_H
#define JULIA_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* never NULL after the first append; buf_text() for an unused one */
    size_t len; /* octets in use */
    size_t cap; /* octets allocated */
};

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_clear(struct buf *buf);             /* len = 0, keeps the memory */
const char *buf_text(const struct buf *buf); /* "" if unused */
bool buf_equal(const struct buf *a, const struct buf *b);
char *buf_take(struct buf *buf); /* the caller owns the text; buf is empty again */
void buf_free(struct buf *buf);  /* accepts NULL */
void buf_wipe(struct buf *buf);  /* overwrite, then free */

#endif
