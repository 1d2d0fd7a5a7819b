#include "hold/hold.h"

void printable_add(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= ' ' && c <= '~' && c != '\\')
            buf_add_char(out, (char)c);
        else
            buf_printf(out, "\\x%02X", c);
    }
}
