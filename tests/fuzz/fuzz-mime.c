/* Any octets are some tree: every part lies inside its parent, behind its sibling, and in the order start,
   body, end; and lines put together again are the message. */
#include <string.h>
#include <unistd.h>

#include "mail/mime_scan.h"
#include "mail/smime_part.h"
#include "tests/fuzz/fuzz.h"

static void check_part(const struct mime_part *part)
{
    uint64_t behind = part->body;

    FUZZ_HOLDS(part->start <= part->body && part->body <= part->end);
    FUZZ_HOLDS(part->header.len <= part->body - part->start);
    for (const struct mime_part *child = part->children; child != NULL; child = child->next) {
        FUZZ_HOLDS(child->parent == part && child->start >= behind && child->end <= part->end);
        behind = child->end;
        check_part(child);
    }
    smime_part_shape(part);
}

static void check_lines(int fd, const uint8_t *data, size_t size)
{
    struct mime_line line = {0};
    struct mime_scan scan;
    size_t at = 0;
    int got;

    mime_scan_begin(&scan, fd, 0, size);
    while ((got = mime_scan_line(&scan, &line)) > 0) {
        FUZZ_HOLDS(line.offset == at && line.len > 0 && line.len <= size - at && line.eol <= line.len);
        FUZZ_HOLDS(memcmp(data + at, line.data, line.len) == 0);
        FUZZ_HOLDS(line.eol == 0 || line.data[line.len - 1] == '\n');
        at += line.len;
    }
    FUZZ_HOLDS(got == 0 && at == size);
    mime_scan_end(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mime_limits limits = {.max_depth = 20, .max_parts = 50};
    int fd = fuzz_file(data, size);
    struct mime mime;

    check_lines(fd, data, size);
    FUZZ_HOLDS(mime_parse(&mime, fd, 0, size, &limits) == 0);
    FUZZ_HOLDS(mime.parts <= limits.max_parts && mime.root->start == 0 && mime.root->end == size);
    check_part(mime.root);
    mime_free(&mime);
    close(fd);
    return 0;
}
