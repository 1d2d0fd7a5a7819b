/* Whatever comes in, what goes to be signed is what relays leave alone, or says that it is not. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "outgoing/prepare.h"
#include "outgoing/prepare_field.h"
#include "util/fdio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mime *mime, int in)
{
    struct buf inner = {0}, text = {0};
    uint64_t length;
    bool fragile = false;
    int out = memfd_create("out", 0);
    buf_add(&inner, mime->root->header.data, mime->root->header.len);
    if (out < 0 || prepare_write(mime->root, &inner, in, out, &fragile) != 0 || fdio_size(out, &length) != 0)
        abort();
    text.data = malloc(length + 1);
    if (fdio_pread_all(out, text.data, length, 0) != 0)
        abort();
    bool crlf = mime->root->header.eol[0] == '\r';
    if (!fragile && mime->fault == MIME_OK && prepare_text_unsafe(text.data, length, crlf))
        abort();
    free(text.data);
    buf_free(&inner);
    close(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mime mime;
    struct mime_limits limits = {20, 100};
    int in = memfd_create("in", 0);
    if (in < 0 || fdio_write_all(in, data, size) != 0)
        abort();
    if (mime_parse(&mime, in, 0, size, &limits) != 0)
        abort();
    check(&mime, in);
    mime_free(&mime);
    close(in);
    return 0;
}
