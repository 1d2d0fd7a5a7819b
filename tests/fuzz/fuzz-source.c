/* Decoders and line-end filters: the same octets whatever the pieces; line ends as promised; what the
   encoders write is correct and decodes to its input. */
#include <string.h>
#include <unistd.h>

#include "mail/encoding_check.h"
#include "mail/qp.h"
#include "mail/source.h"
#include "tests/fuzz/fuzz.h"
#include "util/base64.h"
#include "util/mem.h"

static void read_all(int fd, uint64_t size, enum mime_encoding encoding, enum source_eol eol, size_t step,
                     struct buf *out)
{
    struct source *source = source_new(fd, 0, size, encoding, eol);
    char piece[64];
    ssize_t n;

    while ((n = source_read(source, piece, step)) > 0)
        buf_add(out, piece, (size_t)n);
    FUZZ_HOLDS(n == 0);
    source_free(source);
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* The canonical form that is hashed has no line end but CRLF. */
static void check_canonical(const struct buf *out)
{
    for (size_t i = 0; i < out->len; i++)
        FUZZ_HOLDS(out->data[i] != '\n' || (i > 0 && out->data[i - 1] == '\r'));
}

static void check_reading(int fd, size_t size)
{
    static const enum mime_encoding encodings[] = {MIME_7BIT, MIME_QP, MIME_BASE64};

    for (int e = 0; e < 3; e++)
        for (int eol = SOURCE_EOL_KEEP; eol <= SOURCE_EOL_LF; eol++) {
            struct buf a = {0}, b = {0};

            read_all(fd, size, encodings[e], (enum source_eol)eol, 1, &a);
            read_all(fd, size, encodings[e], (enum source_eol)eol, 64, &b);
            FUZZ_HOLDS(same(&a, &b));
            if (eol == SOURCE_EOL_CRLF)
                check_canonical(&a);
            buf_free(&a);
            buf_free(&b);
        }
}

static bool correct(const struct buf *octets, enum mime_encoding encoding)
{
    int fd = fuzz_file(buf_text(octets), octets->len);
    bool right;

    FUZZ_HOLDS(encoding_check(fd, 0, octets->len, encoding, &right) == 0);
    close(fd);
    return right;
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
    FUZZ_HOLDS(same(&back, &want) && correct(&coded, MIME_QP));
    buf_free(&coded);
    buf_free(&back);
    buf_free(&want);
}

static void check_base64(const uint8_t *data, size_t size)
{
    struct base64_encoder encoder = {.eol = "\r\n"};
    struct base64_decoder decoder = {0};
    struct buf coded = {0}, back = {0}, want = {0};
    char *text = mem_alloc(2 * BASE64_ENCODE_MAX(size));
    size_t half = size / 2, n;

    buf_add(&want, data, size);
    n = base64_encode_update(&encoder, data, half, text);
    n += base64_encode_update(&encoder, data + half, size - half, text + n);
    n += base64_encode_final(&encoder, text + n);
    buf_add(&coded, text, n);
    back.data = mem_alloc(n + 1);
    back.cap = n + 1;
    back.len = base64_decode_update(&decoder, text, n, (unsigned char *)back.data);
    FUZZ_HOLDS(same(&back, &want) && correct(&coded, MIME_BASE64));
    FUZZ_HOLDS(decoder.strange == 0 && !decoder.after_pad);
    free(text);
    buf_free(&coded);
    buf_free(&back);
    buf_free(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = fuzz_file(data, size);

    check_reading(fd, size);
    close(fd);
    check_qp(data, size);
    check_base64(data, size);
    return 0;
}
