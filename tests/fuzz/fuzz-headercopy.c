/* The header of incoming mail is copied without what only this gateway may write: nothing of the kind is
   left, in no reading; what stays is in order; a copy of the copy is the same. The first octet chooses what
   else goes. */
#include <string.h>
#include <unistd.h>

#include "incoming/forged.h"
#include "incoming/headercopy.h"
#include "mail/header.h"
#include "tests/fuzz/fuzz.h"

#define ID "gw.example"

static void copy(const struct headercopy *how, const void *data, size_t len, struct buf *out)
{
    int from = fuzz_file(data, len), to = fuzz_file("", 0);
    uint64_t end = 0;
    bool open = false;

    FUZZ_HOLDS(headercopy_run(how, from, 0, len, to, &end, &open) == 0);
    FUZZ_HOLDS(end <= len);
    fuzz_slurp(to, out);
    FUZZ_HOLDS(out->len <= end);
    FUZZ_HOLDS(open == (out->len > 0 && out->data[out->len - 1] != '\n'));
    close(from);
    close(to);
}

/* Every line of the copy is a line of the original, in order. */
static void check_lines(const uint8_t *data, size_t size, const struct buf *out)
{
    const char *from = (const char *)data, *end = from + size;

    for (size_t at = 0, len; at < out->len; at += len) {
        const char *lf = memchr(out->data + at, '\n', out->len - at), *found;

        len = lf != NULL ? (size_t)(lf - out->data) + 1 - at : out->len - at;
        for (;; from = found + 1) {
            found = memchr(from, '\n', (size_t)(end - from));
            if ((size_t)(found != NULL ? found + 1 - from : end - from) == len &&
                memcmp(from, out->data + at, len) == 0)
                break;
            FUZZ_HOLDS(found != NULL);
        }
        from = found != NULL ? found + 1 : end;
    }
}

/* By line ends, and by carriage returns, too. */
static void check_fields(const struct headercopy *how, const struct buf *out)
{
    struct buf split = {0};
    struct header header;

    for (size_t i = 0; i < out->len; i++)
        buf_add_char(&split, out->data[i] == '\r' ? '\n' : out->data[i]);
    for (int pass = 0; pass < 2; pass++) {
        header_parse(&header, pass == 0 ? out->data : split.data, out->len);
        for (size_t i = 0; i < header.count; i++) {
            const struct header_field *field = &header.fields[i];

            FUZZ_HOLDS(
                !forged_field((const char *)header.data + field->start, field->end - field->start, ID));
            if (pass == 0 && how->drop != NULL)
                FUZZ_HOLDS(!header_field_is(&header, i, "Subject"));
            if (pass == 0 && how->drop_mime)
                FUZZ_HOLDS(!header_field_is(&header, i, "Content-Type"));
        }
        header_free(&header);
    }
    buf_free(&split);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct headercopy how = {.authserv_id = ID};
    struct strlist drop = {0};
    struct buf once = {0}, twice = {0};

    if (size == 0)
        return 0;
    strlist_add(&drop, "subject");
    how.drop = (data[0] & 1) != 0 ? &drop : NULL;
    how.drop_mime = (data[0] & 2) != 0;
    copy(&how, data + 1, size - 1, &once);
    buf_add(&once, "", 0);
    check_fields(&how, &once);
    if (size < 10000 && !how.drop_mime &&
        data[size - 1] !=
            '\r') /* in longer fields, at the end, and in front of another body, bare CRs are replaced */
        check_lines(data + 1, size - 1, &once);
    copy(&how, once.data, once.len, &twice);
    FUZZ_HOLDS(twice.len == once.len && (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
    how.own_stay = true;
    buf_clear(&twice);
    copy(&how, data + 1, size - 1, &twice);
    buf_free(&once);
    buf_free(&twice);
    strlist_free(&drop);
    return 0;
}
