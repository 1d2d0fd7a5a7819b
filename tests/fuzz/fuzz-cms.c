/* The outline of CMS and the BER reader below it. The first octet chooses how much is read. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cms_outline outline;
    struct source *source;
    int fd = memfd_create("fuzz", 0);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (size > 0) {
        source = source_new(fd, 1, size - 1, MIME_BINARY, SOURCE_EOL_KEEP);
        if (cms_outline_read(&outline, source, (data[0] & 1) != 0) != 0)
            abort();
        if (outline.complete != (outline.error == NULL) || outline.recipient_count > CMS_RECIPIENTS_MAX)
            abort();
        cms_outline_free(&outline);
        source_free(source);
    }
    close(fd);
    return 0;
}
