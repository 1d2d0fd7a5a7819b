/* Decoders and line-end filters: the same octets whatever the pieces; what the quoted-printable encoder
 * writes decodes to its input. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail/qp.h"
#include "mail/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(int fd, uint64_t size, enum mime_encoding encoding, enum source_eol eol, size_t step,
                     struct buf *out)
{
    struct source *source = source_new(fd, 0, size, encoding, eol);
    char piece[64];
    ssize_t n;

    while ((n = source_read(source, piece, step)) > 0)
        buf_add(out, piece, (size_t)n);
    if (n != 0)
        abort();
    source_free(source);
}

static void check_qp(const uint8_t *data, size_t size)
{
    struct qp_encoder encoder = {.eol = "\n"};
    struct qp_decoder decoder = {0};
    struct buf coded = {0}, back = {0}, want = {0};

    for (size_t i = 0; i < size; i++)
        if (!(data[i] == '\r' && i + 1 < size && data[i + 1] == '\n'))
            buf_add_char(&want, (char)data[i]);
    qp_encode_update(&encoder, data, size, &coded);
    qp_encode_final(&encoder, &coded);
    for (size_t i = 0; i < coded.len; i++)
        qp_decode_update(&decoder, coded.data + i, 1, &back);
    qp_decode_final(&decoder, &back);
    if (back.len != want.len || (want.len > 0 && memcmp(back.data, want.data, want.len) != 0))
        abort();
    buf_free(&coded);
    buf_free(&back);
    buf_free(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum mime_encoding encodings[] = {MIME_7BIT, MIME_QP, MIME_BASE64};
    int fd = memfd_create("fuzz", 0);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    for (int e = 0; e < 3; e++)
        for (int eol = SOURCE_EOL_KEEP; eol <= SOURCE_EOL_LF; eol++) {
            struct buf a = {0}, b = {0};

            read_all(fd, size, encodings[e], (enum source_eol)eol, 1, &a);
            read_all(fd, size, encodings[e], (enum source_eol)eol, 64, &b);
            if (a.len != b.len || (a.len > 0 && memcmp(a.data, b.data, a.len) != 0))
                abort();
            buf_free(&a);
            buf_free(&b);
        }
    close(fd);
    check_qp(data, size);
    return 0;
}
