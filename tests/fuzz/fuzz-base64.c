/* Base64: what a body decodes to does not depend on how it is cut, and what is encoded comes back. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "util/base64.h"
#include "util/mem.h"

static size_t decode(const char *text, size_t len, size_t step, unsigned char *out, struct base64_decoder *d)
{
    size_t n = 0;

    *d = (struct base64_decoder){0};
    for (size_t at = 0; at < len; at += step)
        n += base64_decode_update(d, text + at, len - at < step ? len - at : step, out + n);
    return n;
}

static void check_cuts(const char *text, size_t len, size_t step)
{
    unsigned char *whole = mem_alloc(len), *pieces = mem_alloc(len);
    struct base64_decoder a, b;
    size_t n = decode(text, len, len + 1, whole, &a);

    FUZZ_HOLDS(decode(text, len, step, pieces, &b) == n && memcmp(whole, pieces, n) == 0);
    FUZZ_HOLDS(a.strange == b.strange && a.after_pad == b.after_pad);
    free(whole);
    free(pieces);
}

static void check_round_trip(const uint8_t *data, size_t size)
{
    struct buf text = {0}, back = {0};

    base64_encode_buf(&text, data, size);
    FUZZ_HOLDS(base64_decode_buf(&back, buf_text(&text)));
    FUZZ_HOLDS(back.len == size && (size == 0 || memcmp(back.data, data, size) == 0));
    buf_clear(&text);
    buf_clear(&back);
    hex_encode_buf(&text, data, size);
    FUZZ_HOLDS(hex_decode_buf(&back, buf_text(&text)));
    FUZZ_HOLDS(back.len == size && (size == 0 || memcmp(back.data, data, size) == 0));
    buf_free(&text);
    buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf any = {0};
    char *text;

    if (size == 0)
        return 0;
    text = mem_strndup((const char *)data + 1, size - 1);
    check_cuts((const char *)data + 1, size - 1, data[0] % 80u + 1);
    check_round_trip(data, size);
    if (base64_decode_buf(&any, text)) { /* strict: one text for one value, but for white space */
        struct buf again = {0};
        size_t letters = 0;

        base64_encode_buf(&again, buf_text(&any), any.len);
        for (const char *p = text; *p != '\0'; p++)
            if (strchr(" \t\r\n", *p) == NULL)
                FUZZ_HOLDS(letters < again.len && *p == again.data[letters++]);
        FUZZ_HOLDS(letters == again.len);
        buf_free(&again);
    }
    buf_free(&any);
    free(text);
    return 0;
}
