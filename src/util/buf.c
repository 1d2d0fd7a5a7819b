#include "util/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define BUF_FIRST 128

/* Room for `more` octets and the NUL behind them. */
static void buf_reserve(struct buf *buf, size_t more)
{
    size_t cap = buf->cap > 0 ? buf->cap : BUF_FIRST;

    if (buf->data != NULL && more < buf->cap - buf->len)
        return;
    while (cap - buf->len <= more && cap <= SIZE_MAX / 2)
        cap *= 2;
    if (cap - buf->len <= more)
        cap = SIZE_MAX; /* cannot be had: mem_resize() ends the process */
    buf->data = mem_resize(buf->data, cap);
    buf->cap = cap;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    buf_reserve(buf, len);
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    buf_vprintf(buf, format, ap);
    va_end(ap);
}

void buf_vprintf(struct buf *buf, const char *format, va_list ap)
{
    va_list again;
    int len;

    buf_reserve(buf, 0);
    va_copy(again, ap);
    len = vsnprintf(buf->data + buf->len, buf->cap - buf->len, format, ap);
    if (len > 0 && (size_t)len >= buf->cap - buf->len) {
        buf_reserve(buf, (size_t)len);
        len = vsnprintf(buf->data + buf->len, buf->cap - buf->len, format, again);
    }
    va_end(again);
    if (len > 0)
        buf->len += (size_t)len;
    buf->data[buf->len] = '\0';
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

const char *buf_text(const struct buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

bool buf_equal(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

char *buf_take(struct buf *buf)
{
    char *text = buf->data != NULL ? buf->data : mem_strdup("");

    *buf = (struct buf){0};
    return text;
}

void buf_free(struct buf *buf)
{
    if (buf == NULL)
        return;
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_wipe(struct buf *buf)
{
    if (buf == NULL)
        return;
    mem_wipe(buf->data, buf->cap);
    buf_free(buf);
}
