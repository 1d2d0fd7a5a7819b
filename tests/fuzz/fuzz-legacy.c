/* Whatever message comes in: with elements in it, it has the same parts, and nothing else is changed in them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail/source.h"
#include "outgoing/legacy_private.h"
#include "util/fdio.h"

#define ELEMENT "Subject: xyzzy\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decoded(int fd, const struct mime_part *part, struct buf *out)
{
    struct source *source = source_new(fd, part->body, part->end - part->body, part->encoding, SOURCE_EOL_LF);
    char chunk[4096];
    ssize_t n;
    buf_add_text(out, "");
    while ((n = source_read(source, chunk, sizeof(chunk))) > 0)
        buf_add(out, chunk, (size_t)n);
    source_free(source);
}

/* `after` is `before` with something inserted, which has the element in it. */
static void compare(const struct buf *before, const struct buf *after)
{
    size_t same = 0, behind = 0;
    if (after->len <= before->len || memmem(after->data, after->len, "xyzzy", 5) == NULL)
        abort();
    while (same < before->len && before->data[same] == after->data[same])
        same++;
    while (behind < before->len - same &&
           before->data[before->len - 1 - behind] == after->data[after->len - 1 - behind])
        behind++;
    if (same + behind < before->len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message = {.fd = memfd_create("in", 0), .size = size};
    struct legacy l = {.message = &message, .lines = ELEMENT, .out = memfd_create("out", 0)};
    struct mime_limits limits = {.max_depth = 20, .max_parts = 100};
    struct buf before = {0}, after = {0};
    struct mime mime;
    uint64_t length;
    if (fdio_write_all(message.fd, data, size) != 0 ||
        mime_parse(&message.mime, message.fd, 0, size, &limits) != 0)
        abort();
    message.eol = message.mime.root->header.eol;
    legacy_part(&l, message.mime.root);
    if (l.error != 0 || fdio_copy_range(message.fd, l.at, size - l.at, l.out) != 0 ||
        fdio_size(l.out, &length) != 0 || mime_parse(&mime, l.out, 0, length, &limits) != 0)
        abort();
    /* what is no text in its encoding is not the same when it is encoded anew */
    if (l.any && message.mime.root->encoding != MIME_QP && mime.root->encoding != MIME_QP) {
        decoded(message.fd, message.mime.root, &before);
        decoded(l.out, mime.root, &after);
        compare(&before, &after);
    }
    mime_free(&mime);
    mime_free(&message.mime);
    buf_free(&before);
    buf_free(&after);
    close(message.fd);
    close(l.out);
    return 0;
}
