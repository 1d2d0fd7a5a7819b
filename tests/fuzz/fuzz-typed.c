/* Values with parameters (RFC 2045, RFC 2231): names are unique and in lower case; a field that is rewritten
   for relays (prepare_field) says the same as before. */
#include <ctype.h>
#include <string.h>

#include "mail/header.h"
#include "mail/utf8.h"
#include "outgoing/prepare_field.h"
#include "tests/fuzz/fuzz.h"
#include "util/mem.h"

static void check_typed(const struct header_typed *typed)
{
    for (const char *p = typed->value; *p != '\0'; p++)
        FUZZ_HOLDS(!(*p >= 'A' && *p <= 'Z'));
    for (size_t i = 0; i < typed->count; i++) {
        FUZZ_HOLDS(header_typed_param(typed, typed->params[i].name) == typed->params[i].value);
        for (const char *p = typed->params[i].name; *p != '\0'; p++)
            FUZZ_HOLDS(!(*p >= 'A' && *p <= 'Z'));
    }
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x7f || (unsigned char)*text < ' ')
            return false;
    return true;
}

/* Parameters in plain ASCII are still there; and nothing that was none of them. */
static void check_same(const struct header_typed *before, const struct header_typed *after)
{
    FUZZ_HOLDS(after->count <= before->count && !after->repeated);
    for (size_t i = 0; i < after->count; i++) {
        const char *was = header_typed_param(before, after->params[i].name);

        FUZZ_HOLDS(was != NULL);
        if (is_ascii(was) && strlen(was) < 400)
            FUZZ_HOLDS(strcmp(was, after->params[i].value) == 0);
    }
}

/* What is not rewritten, however long it is: names, and the type itself. */
static bool has_long_name(const struct header_typed *typed)
{
    bool found = strlen(typed->value) > 400;

    for (size_t i = 0; i < typed->count; i++)
        found = found || strlen(typed->params[i].name) > 400;
    return found;
}

static void check_rewritten(const struct header *header, size_t index)
{
    struct header_typed before, after;
    struct header again;
    struct buf out = {0};
    bool unsafe;
    char *value;

    prepare_field(header, index, &out);
    unsafe = header->fields[index].name_len > 0 && header->fields[index].name_len < 900 &&
             prepare_text_unsafe(out.data, out.len, header->eol[0] == '\r');
    header_parse(&again, out.data, out.len);
    FUZZ_HOLDS(again.count == 1 && again.fields[0].name_len == header->fields[index].name_len);
    if (header_field_is(header, index, "Content-Type") ||
        header_field_is(header, index, "Content-Disposition")) {
        value = header_value(header, index);
        header_typed_parse(&before, value);
        free(value);
        value = header_value(&again, 0);
        header_typed_parse(&after, value);
        free(value);
        check_same(&before, &after);
        unsafe = unsafe && !has_long_name(&before);
        header_typed_free(&before);
        header_typed_free(&after);
    }
    FUZZ_HOLDS(!unsafe);
    header_free(&again);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = mem_strndup((const char *)data, size);
    struct header_typed typed;
    struct header header;
    struct buf field = {0};

    header_typed_parse(&typed, value);
    check_typed(&typed);
    header_typed_free(&typed);
    free(value);
    buf_add_text(&field, "Content-Type: ");
    buf_add(&field, data, size);
    header_parse(&header, field.data, field.len);
    for (size_t i = 0; i < header.count; i++)
        check_rewritten(&header, i);
    header_free(&header);
    buf_free(&field);
    return 0;
}
