#include "rules/fault.h"

#include <stdlib.h>

#include "mail/utf8.h"
#include "util/buf.h"

void ruleset_faults_free(struct ruleset_faults *faults)
{
    strlist_free(&faults->items);
}

/* Octets of the character at `at`; 0: not UTF-8. */
static size_t character(const struct fault_place *place, size_t at)
{
    uint32_t code;
    return utf8_decode(place->text + at, place->len - at, &code);
}

static unsigned int column_of(const struct fault_place *place)
{
    unsigned int column = 1;
    for (size_t i = 0; i < place->at && i < place->len; column++) {
        size_t n = character(place, i);
        i += n ? n : 1;
    }
    return column;
}

/* A control character of ASCII or of Unicode's C1 block. */
static bool is_control(const char *text, size_t len)
{
    unsigned char first = (unsigned char)text[0];
    return first < 0x20 || first == 0x7f || (len == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0);
}

static void add_excerpt(struct buf *out, const struct fault_place *place)
{
    buf_add_char(out, '\n');
    for (size_t i = 0, n; i < place->len; i += n ? n : 1) {
        n = character(place, i);
        if (place->text[i] == '\t')
            buf_add_char(out, '\t');
        else if (n == 0 || is_control(place->text + i, n))
            buf_add_char(out, '?');
        else
            buf_add(out, place->text + i, n);
    }
    buf_add_char(out, '\n');
    for (size_t i = 0, n; i < place->at && i < place->len; i += n ? n : 1) {
        n = character(place, i);
        buf_add_char(out, place->text[i] == '\t' ? '\t' : ' ');
    }
    buf_add_char(out, '^');
}

void fault_vadd(struct ruleset_faults *faults, const struct fault_place *place, const char *kind,
                const char *format, va_list ap)
{
    struct buf out = {0};
    buf_printf(&out, "%s:%u:%u: %s: ", place->file, place->line, place->text ? column_of(place) : 0, kind);
    buf_vprintf(&out, format, ap);
    if (place->text)
        add_excerpt(&out, place);
    strlist_add_take(&faults->items, buf_take(&out));
}

void fault_add(struct ruleset_faults *faults, const struct fault_place *place, const char *kind,
               const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fault_vadd(faults, place, kind, format, ap);
    va_end(ap);
}
