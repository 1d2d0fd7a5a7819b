/* Whatever is inside of an encrypted message, what is taken over into its header are the fields of a list,
   each one field to everybody. Input: outer header, NUL, inner entity. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "incoming/protected.h"
#include "util/fdio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("in", 0);
    if (fd < 0 || fdio_write_all(fd, data, size) != 0)
        abort();
    return fd;
}

static void check_header(const struct buf *out)
{
    static const char *const names[] = {"Subject",    "From",        "Sender",      "Reply-To", "To",
                                        "Cc",         "Date",        "Comments",    "Keywords", "In-Reply-To",
                                        "References", "Followup-To", "Thread-Topic"};
    struct header header;
    header_parse(&header, buf_text(out), out->len);
    for (size_t i = 0; i < header.count; i++) {
        bool known = false;
        for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
            known = known || header_field_is(&header, i, names[n]);
        if (!known)
            abort();
    }
    if (header_has_controls(&header) || (out->len > 0 && out->data[out->len - 1] != '\n'))
        abort();
    header_free(&header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char id[] = "gate.example";
    static struct config config = {.max_depth = 20, .max_parts = 100, .authserv_id = id};
    const uint8_t *inside = memchr(data, '\0', size);
    size_t len = inside != NULL ? (size_t)(inside - data) : size;
    struct message message = {.config = &config, .fd = file(data, len), .size = len, .eol = "\n"};
    struct mime_limits limits = {.max_depth = 20, .max_parts = 100};
    struct unwrap_node root = {.entity = {message.fd, 0, len}}, inner = {.outer = &root};
    struct unwrap_strand strand = {.inner = &inner};
    struct protected protected;
    struct buf out = {0};
    if (inside == NULL)
        inside = data + size;
    else
        inside++;
    inner.layer.kind = LAYER_ENCRYPTED;
    inner.entity.length = size - (size_t)(inside - data);
    inner.entity.fd = file(inside, inner.entity.length);
    if (mime_parse(&message.mime, message.fd, 0, len, &limits) != 0 ||
        protected_read(&protected, &message, &strand) != 0)
        abort();
    protected_write(&protected, false, id, "\n", &out);
    check_header(&out);
    protected_free(&protected);
    mime_free(&message.mime);
    buf_free(&out);
    close(message.fd);
    close(inner.entity.fd);
    return 0;
}
