#include "incoming/content.h"

#include "mail/ber.h"
#include "mail/source.h"
#include "util/fdio.h"

#define CHUNK 16384

struct reader {
    struct source *source;
    bool failed; /* the file cannot be read: no damage of the object */
};

static ssize_t read_source(void *context, void *out, size_t size)
{
    struct reader *reader = context;
    ssize_t n = source_read(reader->source, out, size);

    reader->failed = reader->failed || n < 0;
    return n;
}

/* From ContentInfo to its octets, or those of eContent. SignedData and DigestedData begin alike. */
static bool go_to_content(struct ber *ber, enum cms_type type)
{
    if (!ber_enter(ber, 0x30, NULL) || !ber_skip(ber) || !ber_enter(ber, 0xa0, NULL))
        return false;
    if (type == CMS_DATA)
        return ber_octets_enter(ber, 0x04);
    return ber_enter(ber, 0x30, NULL) && ber_skip(ber) && ber_skip(ber) && ber_enter(ber, 0x30, NULL) &&
           ber_skip(ber) && ber_more(ber) && ber_enter(ber, 0xa0, NULL) && ber_octets_enter(ber, 0x04);
}

/* A whole chunk, unless the content ends before or is damaged: it may come in pieces of one octet each. */
static size_t read_chunk(struct ber *ber, char chunk[CHUNK])
{
    size_t len = 0;
    ssize_t n;

    while (len < CHUNK && (n = ber_octets_read(ber, chunk + len, CHUNK - len)) > 0)
        len += (size_t)n;
    return len;
}

int content_take(const struct layer_look *look, int out, uint64_t limit)
{
    struct reader reader = {source_new(look->content.fd, look->content.offset, look->content.length,
                                       look->encoding, SOURCE_EOL_KEEP),
                            false};
    struct ber *ber = ber_new(read_source, &reader);
    bool found = go_to_content(ber, look->outline.type);
    uint64_t written = 0;
    char chunk[CHUNK];
    size_t len;
    int rc = 0;

    while (found && rc == 0 && written <= limit && (len = read_chunk(ber, chunk)) > 0) {
        rc = fdio_write_all(out, chunk, len);
        written += len;
    }
    ber_free(ber);
    source_free(reader.source);
    if (rc != 0 || reader.failed)
        return -1;
    return found && written > 0 && written <= limit;
}
