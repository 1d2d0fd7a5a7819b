/* Header sections and values; what header_write() makes of any value is one field. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/header.h"
#include "mail/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const char *value)
{
    struct header_typed typed;
    struct header header;
    struct buf out = {0};
    char *decoded = header_decode(value);

    if (!utf8_valid(decoded, strlen(decoded)) || strchr(decoded, '\n') != NULL)
        abort();
    header_write(&out, "X", value, "\r\n");
    header_write(&out, "X", decoded, "\r\n");
    header_parse(&header, out.data, out.len);
    if (header.count != 2 || header_count(&header, "x") != 2 || strstr(out.data, "\r\n\r\n") != NULL)
        abort();
    header_free(&header);
    buf_free(&out);
    free(decoded);
    header_typed_parse(&typed, value);
    header_typed_param(&typed, "boundary");
    header_typed_free(&typed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header header;
    size_t behind = 0;

    header_parse(&header, data, size);
    for (size_t i = 0; i < header.count; i++) {
        char *value = header_value(&header, i);

        if (header.fields[i].start != behind || header.fields[i].end <= behind)
            abort();
        behind = header.fields[i].end;
        check_value(value);
        free(value);
    }
    if (behind != size)
        abort();
    header_free(&header);
    return 0;
}
