#include "mail/utf8.h"

size_t utf8_decode(const char *text, size_t len, uint32_t *code_r)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text;
    uint32_t code;
    size_t need;

    if (len == 0)
        return 0;
    if (p[0] < 0x80) {
        *code_r = p[0];
        return 1;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (len < need)
        return 0;
    code = p[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = (code << 6) | (p[i] & 0x3fu);
    }
    if (code < least[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *code_r = code;
    return need;
}

bool utf8_valid(const char *text, size_t len)
{
    uint32_t code;

    while (len > 0) {
        size_t took = utf8_decode(text, len, &code);

        if (took == 0)
            return false;
        text += took;
        len -= took;
    }
    return true;
}

void utf8_encode(struct buf *out, uint32_t code)
{
    char octets[4];
    size_t len;

    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        code = 0xfffd;
    len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; code >>= 6)
        octets[i] = (char)(0x80 | (code & 0x3f));
    octets[0] = (char)(len == 1 ? code : ((0xf00u >> len) & 0xff) | code);
    buf_add(out, octets, len);
}

/* Ranges of capital letters. step 1: add `delta`; step 2: capital and small letter alternate, `first` being a
 * capital. */
static const struct {
    uint32_t first, last;
    int delta;
    int step;
} capitals[] = {
    {'A', 'Z', 32, 1},       {0x00c0, 0x00d6, 32, 1}, {0x00d8, 0x00de, 32, 1}, {0x0100, 0x012f, 1, 2},
    {0x0132, 0x0137, 1, 2},  {0x0139, 0x0148, 1, 2},  {0x014a, 0x0177, 1, 2},  {0x0178, 0x0178, -121, 1},
    {0x0179, 0x017e, 1, 2},  {0x01cd, 0x01dc, 1, 2},  {0x01de, 0x01ef, 1, 2},  {0x01f8, 0x021f, 1, 2},
    {0x0222, 0x0233, 1, 2},  {0x0386, 0x0386, 38, 1}, {0x0388, 0x038a, 37, 1}, {0x038c, 0x038c, 64, 1},
    {0x038e, 0x038f, 63, 1}, {0x0391, 0x03a1, 32, 1}, {0x03a3, 0x03ab, 32, 1}, {0x0400, 0x040f, 80, 1},
    {0x0410, 0x042f, 32, 1}, {0x0460, 0x0481, 1, 2},  {0x048a, 0x04bf, 1, 2},  {0x04c1, 0x04ce, 1, 2},
    {0x04d0, 0x052f, 1, 2},  {0x0531, 0x0556, 48, 1}, {0x1e00, 0x1e95, 1, 2},  {0x1e9e, 0x1e9e, -7615, 1},
    {0x1ea0, 0x1eff, 1, 2},  {0xff21, 0xff3a, 32, 1},
};

uint32_t utf8_lower(uint32_t code)
{
    for (size_t i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++) {
        if (code < capitals[i].first)
            break;
        if (code > capitals[i].last)
            continue;
        if (capitals[i].step == 2 && ((code - capitals[i].first) & 1) != 0)
            return code;
        return (uint32_t)((int64_t)code + capitals[i].delta);
    }
    return code;
}

bool utf8_invisible(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},     {0x34f, 0x34f},
                  {0x61c, 0x61c},   {0x180b, 0x180e}, {0x200b, 0x200f}, {0x202a, 0x202e},
                  {0x2060, 0x206f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xe0000, 0xe0fff}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}
