#include "mail/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail/qp.h"
#include "util/base64.h"
#include "util/fdio.h"
#include "util/mem.h"

#define SOURCE_WINDOW (32u << 10)

struct source {
    int fd;
    uint64_t next, stop;
    enum mime_encoding encoding;
    enum source_eol eol;
    struct base64_decoder base64;
    struct qp_decoder qp;
    bool ended;         /* decoders and filters are flushed */
    unsigned char last; /* last octet that went through the line-end filter */
    bool held_cr;       /* SOURCE_EOL_LF: a CR whose next octet is not known yet */
    char *raw;          /* as read */
    struct buf decoded;
    struct buf ready; /* filtered */
    size_t given;     /* octets of `ready` already given out */
};

struct source *source_new(int fd, uint64_t offset, uint64_t len, enum mime_encoding encoding,
                          enum source_eol eol)
{
    struct source *source = mem_alloc(sizeof(*source));

    source->fd = fd;
    source->next = offset;
    source->stop = offset + len;
    source->encoding = encoding;
    source->eol = eol;
    return source;
}

void source_free(struct source *source)
{
    if (source == NULL)
        return;
    free(source->raw);
    buf_free(&source->decoded);
    buf_free(&source->ready);
    free(source);
}

bool source_strange(const struct source *source)
{
    return source->base64.strange > 0 || source->base64.after_pad;
}

static bool passes(const struct source *source)
{
    return source->eol == SOURCE_EOL_KEEP && source->encoding != MIME_QP && source->encoding != MIME_BASE64;
}

static ssize_t read_raw(struct source *source, void *out, size_t size)
{
    ssize_t n;

    if (size > source->stop - source->next)
        size = (size_t)(source->stop - source->next);
    if (size == 0)
        return 0;
    do
        n = pread(source->fd, out, size, (off_t)source->next);
    while (n < 0 && errno == EINTR);
    if (n == 0) {
        errno = EIO; /* shorter than the range */
        return -1;
    }
    if (n > 0)
        source->next += (uint64_t)n;
    return n;
}

static void filter_crlf(struct source *source, const char *in, size_t len)
{
    while (len > 0) {
        const char *lf = memchr(in, '\n', len);
        size_t text = lf == NULL ? len : (size_t)(lf - in);

        buf_add(&source->ready, in, text);
        if (text > 0)
            source->last = (unsigned char)in[text - 1];
        if (lf == NULL)
            return;
        buf_add_text(&source->ready, source->last == '\r' ? "\n" : "\r\n");
        source->last = '\n';
        in += text + 1;
        len -= text + 1;
    }
}

static void filter_lf(struct source *source, const char *in, size_t len)
{
    while (len > 0) {
        const char *cr = memchr(in, '\r', len);
        size_t text = cr == NULL ? len : (size_t)(cr - in);

        if (source->held_cr && in[0] != '\n')
            buf_add_char(&source->ready, '\r');
        source->held_cr = cr != NULL;
        buf_add(&source->ready, in, text);
        if (cr == NULL)
            return;
        in += text + 1;
        len -= text + 1;
    }
}

static void filter(struct source *source, const char *in, size_t len)
{
    if (source->eol == SOURCE_EOL_CRLF)
        filter_crlf(source, in, len);
    else if (source->eol == SOURCE_EOL_LF)
        filter_lf(source, in, len);
    else
        buf_add(&source->ready, in, len);
}

static void decode(struct source *source, const char *in, size_t len)
{
    buf_clear(&source->decoded);
    if (source->encoding == MIME_BASE64) {
        unsigned char octets[4096];

        while (len > 0) {
            size_t part = len < sizeof(octets) ? len : sizeof(octets);
            size_t n = base64_decode_update(&source->base64, in, part, octets);

            filter(source, (const char *)octets, n);
            in += part;
            len -= part;
        }
    } else if (source->encoding == MIME_QP) {
        qp_decode_update(&source->qp, in, len, &source->decoded);
        filter(source, buf_text(&source->decoded), source->decoded.len);
    } else {
        filter(source, in, len);
    }
}

static void end(struct source *source)
{
    buf_clear(&source->decoded);
    if (source->encoding == MIME_QP)
        qp_decode_final(&source->qp, &source->decoded);
    filter(source, buf_text(&source->decoded), source->decoded.len);
    if (source->held_cr)
        buf_add_char(&source->ready, '\r');
    source->ended = true;
}

ssize_t source_read(struct source *source, void *out, size_t size)
{
    size_t left;

    if (passes(source))
        return read_raw(source, out, size);
    if (source->raw == NULL)
        source->raw = mem_alloc(SOURCE_WINDOW);
    while (source->given == source->ready.len) {
        ssize_t n;

        if (source->ended)
            return 0;
        buf_clear(&source->ready);
        source->given = 0;
        n = read_raw(source, source->raw, SOURCE_WINDOW);
        if (n < 0)
            return -1;
        if (n == 0)
            end(source);
        else
            decode(source, source->raw, (size_t)n);
    }
    left = source->ready.len - source->given;
    if (size > left)
        size = left;
    memcpy(out, source->ready.data + source->given, size);
    source->given += size;
    return (ssize_t)size;
}

int source_copy(struct source *source, int fd, uint64_t *written_r)
{
    char octets[16384];
    ssize_t n;

    while ((n = source_read(source, octets, sizeof(octets))) > 0) {
        if (fdio_write_all(fd, octets, (size_t)n) < 0)
            return -1;
        if (written_r != NULL)
            *written_r += (uint64_t)n;
    }
    return n < 0 ? -1 : 0;
}
