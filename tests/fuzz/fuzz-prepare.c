/* Whatever comes in, what goes to be signed is what relays leave alone, or says that it is not. */
#include <unistd.h>

#include "outgoing/prepare.h"
#include "outgoing/prepare_field.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct mime *mime, int in)
{
    struct buf inner = {0}, text = {0};
    bool fragile = false, crlf = mime->root->header.eol[0] == '\r';
    int out = fuzz_file("", 0);
    buf_add(&inner, mime->root->header.data, mime->root->header.len);
    FUZZ_HOLDS(prepare_write(mime->root, &inner, in, out, &fragile) == 0);
    fuzz_slurp(out, &text);
    if (!fragile && mime->fault == MIME_OK)
        FUZZ_HOLDS(!prepare_text_unsafe(text.data, text.len, crlf));
    buf_free(&text);
    buf_free(&inner);
    close(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mime mime;
    struct mime_limits limits = {.max_depth = 20, .max_parts = 100};
    int in = fuzz_file(data, size);
    FUZZ_HOLDS(mime_parse(&mime, in, 0, size, &limits) == 0);
    check(&mime, in);
    mime_free(&mime);
    close(in);
    return 0;
}
