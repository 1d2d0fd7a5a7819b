#include "incoming/intact.h"

#include <stdlib.h>
#include <string.h>

#include "incoming/garbled.h"
#include "mail/utf8.h"
#include "util/fdio.h"
#include "util/mem.h"

#define CHUNK 32768

static bool header_sound(const struct mime_part *part)
{
    return !header_has_strays(&part->header) && !garbled_header(part) &&
           header_count(&part->header, "Content-Type") <= 1 &&
           header_count(&part->header, "Content-Transfer-Encoding") <= 1;
}

static bool multipart_sound(const struct mime_part *part)
{
    if (!mime_type_is(part, "multipart/"))
        return true;
    return part->children != NULL && part->closed && !(part->epilogue_nonblank && part->boundary_outside);
}

/* The part behind `part` in reading order; *attached: it lies in an attached message. NULL at the end. */
static const struct mime_part *next_part(const struct mime_part *part, unsigned int *attached)
{
    if (part->children != NULL) {
        *attached += !mime_type_is(part, "multipart/");
        return part->children;
    }
    while (part != NULL && part->next == NULL) {
        part = part->parent;
        if (part != NULL)
            *attached -= !mime_type_is(part, "multipart/");
    }
    return part == NULL ? NULL : part->next;
}

static int is_garbled(int fd, const struct mime_part *part, bool attached)
{
    if (part->children == NULL)
        return garbled_leaf(fd, part, !attached);
    return attached ? 0 : garbled_outside(fd, part);
}

int intact_entity(int fd, const struct mime *mime)
{
    unsigned int attached = 0;

    if (mime->fault != MIME_OK || mime->root->header.count == 0 || mime->root->truncated_header)
        return 0;
    for (const struct mime_part *part = mime->root; part != NULL; part = next_part(part, &attached)) {
        int garbled = is_garbled(fd, part, attached > 0);

        if (garbled < 0)
            return -1;
        if (garbled || (attached == 0 && (!header_sound(part) || !multipart_sound(part))))
            return 0;
    }
    return 1;
}

static bool labelled(const struct header *header)
{
    static const char *const labels[] = {"Content-", "MIME-Version", NULL};

    for (size_t i = 0; i < header->count; i++)
        if (header_field_in(header, i, labels))
            return true;
    return false;
}

/* How many octets are text, up to the first that are not or that might go on behind the end. */
static size_t text_length(const char *octets, size_t len)
{
    size_t at = 0, took;
    uint32_t code;

    while (at < len && (took = utf8_decode(octets + at, len - at, &code)) > 0) {
        if (code == 0x7f || (code < 0x20 && strchr("\t\n\f\r", (int)code) == NULL) || code == 0)
            break;
        at += took;
    }
    return at;
}

int intact_text(const struct mime *mime, int fd, uint64_t offset, uint64_t length)
{
    uint64_t done = 0;
    size_t take, good = 1;
    char *chunk;
    int rc = 0;

    if (mime->fault != MIME_OK || labelled(&mime->root->header))
        return 0;
    chunk = mem_alloc(CHUNK);
    while (rc == 0 && good > 0 && done < length) {
        take = length - done < CHUNK ? (size_t)(length - done) : CHUNK;
        rc = fdio_pread_all(fd, chunk, take, offset + done);
        good = rc == 0 ? text_length(chunk, take) : 0;
        if (good + 4 <= take) /* more than a cut off character */
            good = 0;
        done += good;
    }
    free(chunk);
    return rc != 0 ? -1 : done == length;
}
