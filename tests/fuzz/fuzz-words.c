/* Encoded words (RFC 2047): any value decodes to one line of UTF-8; what header_write() makes of a value is
   one field in safe ASCII, and says the same when it is read. */
#include <string.h>

#include "mail/header.h"
#include "mail/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "util/mem.h"

/* As header_write() is allowed to change it: controls are replaced, blanks at the ends go, several become
 * one. */
static char *even(const char *text)
{
    struct buf out = {0};
    size_t took;
    uint32_t code;

    for (size_t len = strlen(text); len > 0; text += took, len -= took) {
        took = utf8_decode(text, len, &code);
        FUZZ_HOLDS(took > 0);
        if (code == ' ' || code == '\t') {
            if (out.len > 0 && out.data[out.len - 1] != ' ')
                buf_add_char(&out, ' ');
        } else if (code < ' ' || (code >= 0x7f && code < 0xa0)) {
            buf_add_char(&out, '?');
        } else {
            buf_add(&out, text, took);
        }
    }
    if (out.len > 0 && out.data[out.len - 1] == ' ')
        out.data[--out.len] = '\0';
    return buf_take(&out);
}

/* Printable ASCII in lines of less than 998 octets, folded lines begin with a blank and are not empty. */
static void check_lines(const struct buf *out, const char *eol)
{
    size_t column = 0;

    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];

        if (strncmp(out->data + i, eol, strlen(eol)) == 0) {
            i += strlen(eol) - 1;
            FUZZ_HOLDS(column > 0 && (i + 1 == out->len || out->data[i + 1] == ' '));
            column = 0;
            continue;
        }
        FUZZ_HOLDS(c >= ' ' && c < 0x7f && ++column < 998);
    }
    FUZZ_HOLDS(column == 0);
}

static void check_writing(const char *text, const char *eol)
{
    struct buf out = {0};
    struct header header;
    char *read, *want = even(text), *got;

    header_write(&out, "X", text, eol);
    check_lines(&out, eol);
    header_parse(&header, out.data, out.len);
    FUZZ_HOLDS(header.count == 1 && header_count(&header, "x") == 1);
    read = header_value(&header, 0);
    got = header_decode(read);
    free(read);
    read = even(got);
    FUZZ_HOLDS(strcmp(read, want) == 0);
    free(read);
    free(got);
    free(want);
    header_free(&header);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = mem_strndup((const char *)data, size), *decoded = header_decode(value);
    struct buf raw = {0};

    FUZZ_HOLDS(utf8_valid(decoded, strlen(decoded)));
    for (const char *p = decoded; *p != '\0'; p++)
        FUZZ_HOLDS((unsigned char)*p >= ' ' || *p == '\t');
    check_writing(decoded, "\n");
    check_writing(decoded, "\r\n");
    header_write(&raw, "X", value, "\n"); /* whatever it is given */
    check_lines(&raw, "\n");
    buf_free(&raw);
    free(decoded);
    free(value);
    return 0;
}
