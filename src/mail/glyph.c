#include "mail/glyph.h"

#include <stddef.h>

#include "mail/utf8.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct range {
    uint32_t first, last;
};

static bool is_among(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

bool glyph_invisible(uint32_t code)
{
    static const struct range ranges[] = {
        {0, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},    {0x61c, 0x61c},
        {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},  {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},  {0xffa0, 0xffa0},
        {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

    return is_among(ranges, ROWS(ranges), code);
}

bool glyph_blank(uint32_t code)
{
    static const struct range ranges[] = {{0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
                                          {0x202f, 0x202f}, {0x205f, 0x205f}, {0x2800, 0x2800},
                                          {0x3000, 0x3000}};

    return code < 0x80 ? code == ' ' : is_among(ranges, ROWS(ranges), code);
}

bool glyph_mark(uint32_t code)
{
    static const struct range ranges[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x1ab0, 0x1aff},
                                          {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f}};

    return code >= ranges[0].first && is_among(ranges, ROWS(ranges), code);
}

struct pair {
    uint32_t code;
    char looks;
};

static uint32_t looks_like(const struct pair *pairs, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (pairs[i].code == code)
            return (unsigned char)pairs[i].looks;
    return code;
}

uint32_t glyph_plain(uint32_t code)
{
    static const struct pair pairs[] = {{0x2024, '.'}, {0x3002, '.'}, {0xfe52, '.'}, {0xff61, '.'},
                                        {0x2044, '/'}, {0x2215, '/'}, {0xfe55, ':'}, {0x2236, ':'},
                                        {0xa789, ':'}, {0xfe6b, '@'}, {0xfe64, '<'}, {0xfe65, '>'}};

    if (code >= 0xff01 && code <= 0xff5e)
        return code - 0xff00 + ' ';
    return looks_like(pairs, ROWS(pairs), code);
}

/* Bold, italic, script, ... (U+1D400), and letters in circles. */
static uint32_t without_style(uint32_t code)
{
    if (code >= 0x1d400 && code <= 0x1d6a3)
        return 'a' + (code - 0x1d400) % 26;
    if (code >= 0x24b6 && code <= 0x24e9)
        return 'a' + (code - 0x24b6) % 26;
    if (code >= 0x1f130 && code <= 0x1f149)
        return 'a' + (code - 0x1f130);
    if (code >= 0x1f170 && code <= 0x1f189)
        return 'a' + (code - 0x1f170);
    return code;
}

uint32_t glyph_skeleton(uint32_t code)
{
    static const struct pair letters[] = {
        /* umlauts */
        {0xe4, 'a'},
        {0xf6, 'o'},
        {0xfc, 'u'},
        /* Latin */
        {0x131, 'i'},
        {0x17f, 's'},
        {0x251, 'a'},
        {0x261, 'g'},
        {0x269, 'i'},
        /* Greek */
        {0x3b1, 'a'},
        {0x3b5, 'e'},
        {0x3b6, 'z'},
        {0x3b7, 'n'},
        {0x3b9, 'i'},
        {0x3ba, 'k'},
        {0x3bd, 'v'},
        {0x3bf, 'o'},
        {0x3c1, 'p'},
        {0x3c4, 't'},
        {0x3c5, 'u'},
        {0x3c7, 'x'},
        {0x3c9, 'w'},
        {0x3f2, 'c'},
        /* Cyrillic; some look so as capitals only */
        {0x430, 'a'},
        {0x432, 'b'},
        {0x435, 'e'},
        {0x43a, 'k'},
        {0x43c, 'm'},
        {0x43d, 'h'},
        {0x43e, 'o'},
        {0x440, 'p'},
        {0x441, 'c'},
        {0x442, 't'},
        {0x443, 'y'},
        {0x445, 'x'},
        {0x455, 's'},
        {0x456, 'i'},
        {0x458, 'j'},
        {0x4bb, 'h'},
        {0x501, 'd'},
        {0x51b, 'q'},
        {0x51d, 'w'},
        /* Armenian */
        {0x570, 'h'},
        {0x578, 'n'},
        {0x57d, 'u'},
        {0x581, 'g'},
        {0x585, 'o'},
    };
    static const struct pair brackets[] = {
        {0x2045, '['}, {0x2046, ']'}, {0x23a1, '['}, {0x23a4, ']'}, {0x2772, '['}, {0x2773, ']'},
        {0x27e6, '['}, {0x27e7, ']'}, {0x298b, '['}, {0x298c, ']'}, {0x298d, '['}, {0x298e, ']'},
        {0x298f, '['}, {0x2990, ']'}, {0x2e22, '['}, {0x2e23, ']'}, {0x2e24, '['}, {0x2e25, ']'},
        {0x3010, '['}, {0x3011, ']'}, {0x3014, '['}, {0x3015, ']'}, {0x3016, '['}, {0x3017, ']'},
        {0x3018, '['}, {0x3019, ']'}, {0x301a, '['}, {0x301b, ']'}, {0xfe47, '['}, {0xfe48, ']'},
    };

    if (code < 0x80) /* most of what comes */
        return utf8_lower(code);
    code = utf8_lower(without_style(glyph_plain(code)));
    code = looks_like(letters, ROWS(letters), code);
    return looks_like(brackets, ROWS(brackets), code);
}
