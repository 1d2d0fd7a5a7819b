/* A header section is cut into fields that are all of it; values and copies of them stay one field each. */
#include <string.h>

#include "incoming/forged.h"
#include "mail/header.h"
#include "tests/fuzz/fuzz.h"

/* What relays and readers could take for a line end of its own. */
static bool has_bare_cr(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] == '\r' && (i + 1 == len || data[i + 1] != '\n'))
            return true;
    return false;
}

/* As often as it is named, and in order. */
static void check_search(const struct header *header, size_t index)
{
    char name[100];
    size_t len = header->fields[index].name_len, before = 0;

    if (len == 0 || len >= sizeof(name))
        return;
    memcpy(name, header->data + header->fields[index].start, len);
    name[len] = '\0';
    for (size_t i = 0; i < index; i++)
        before += header_field_is(header, i, name);
    FUZZ_HOLDS(header_field_is(header, index, name));
    FUZZ_HOLDS(header_find(header, name, before) == (long)index);
    FUZZ_HOLDS(header_count(header, name) > before);
    if (header_hides(header, name))
        FUZZ_HOLDS(header_has_controls(header));
}

static void check_field(const struct header *header, size_t index)
{
    char *value = header_value(header, index);
    struct buf copy = {0};

    FUZZ_HOLDS(strchr(value, '\n') == NULL);
    header_copy(header, index, &copy);
    FUZZ_HOLDS(copy.len == header->fields[index].end - header->fields[index].start);
    FUZZ_HOLDS(!has_bare_cr(copy.data, copy.len) && memchr(copy.data, '\0', copy.len) == NULL);
    (void)forged_field(copy.data, copy.len, "gw.example");
    buf_free(&copy);
    free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header header;
    size_t behind = 0;

    header_parse(&header, data, size);
    for (size_t i = 0; i < header.count; i++) {
        const struct header_field *field = &header.fields[i];

        FUZZ_HOLDS(field->start == behind && field->end > behind);
        FUZZ_HOLDS(field->start + field->name_len <= field->value_start && field->value_start <= field->end);
        behind = field->end;
        check_field(&header, i);
        if (i < 50)
            check_search(&header, i);
    }
    FUZZ_HOLDS(behind == size);
    header_free(&header);
    return 0;
}
