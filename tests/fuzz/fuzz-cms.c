/* The outline of CMS and the BER reader below it. The first octet chooses how much is read. */
#include <string.h>
#include <unistd.h>

#include "mail/ber.h"
#include "mail/cms.h"
#include "tests/fuzz/fuzz.h"

struct octets {
    const uint8_t *data;
    size_t left;
};

static ssize_t read_octets(void *context, void *out, size_t size)
{
    struct octets *from = context;

    size = size < from->left ? size : from->left;
    size = size < 7 ? size : 7; /* pieces */
    memcpy(out, from->data, size);
    from->data += size;
    from->left -= size;
    return (ssize_t)size;
}

/* One whole element, copied, is that many octets of the input. */
static void check_ber(const uint8_t *data, size_t size)
{
    struct octets from = {data, size};
    struct ber *ber = ber_new(read_octets, &from);
    struct buf copy = {0};

    while (ber_more(ber) && copy.len < size)
        if (!ber_copy(ber, &copy))
            break;
    FUZZ_HOLDS(copy.len <= size && (copy.len == 0 || memcmp(copy.data, data, copy.len) == 0));
    ber_free(ber);
    buf_free(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cms_outline outline;
    struct source *source;
    bool whole;
    int fd;

    if (size == 0)
        return 0;
    whole = (data[0] & 1) != 0;
    fd = fuzz_file(data, size);
    source = source_new(fd, 1, size - 1, MIME_BINARY, SOURCE_EOL_KEEP);
    FUZZ_HOLDS(cms_outline_read(&outline, source, whole) == 0);
    FUZZ_HOLDS(outline.complete == (outline.error == NULL));
    FUZZ_HOLDS(outline.recipient_count <= CMS_RECIPIENTS_MAX && outline.content_length < size);
    for (size_t i = 0; outline.complete && i < outline.recipient_count; i++)
        FUZZ_HOLDS((outline.recipients[i].issuer.len > 0) != (outline.recipients[i].ski.data != NULL));
    FUZZ_HOLDS(whole || !outline.trailing);
    cms_outline_free(&outline);
    source_free(source);
    close(fd);
    check_ber(data + 1, size - 1);
    return 0;
}
