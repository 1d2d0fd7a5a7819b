#include "mail/charset.h"

#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/utf8.h"
#include "util/mem.h"

enum single { ASCII, LATIN1, LATIN9, WINDOWS1252 };

/* Windows-1252, 0x80 to 0x9f; what is unassigned stays the control character. */
static const uint16_t windows1252[32] = {
    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178,
};

static uint32_t latin9(unsigned char c)
{
    switch (c) {
    case 0xa4:
        return 0x20ac;
    case 0xa6:
        return 0x0160;
    case 0xa8:
        return 0x0161;
    case 0xb4:
        return 0x017d;
    case 0xb8:
        return 0x017e;
    case 0xbc:
        return 0x0152;
    case 0xbd:
        return 0x0153;
    case 0xbe:
        return 0x0178;
    default:
        return c;
    }
}

static bool from_single(enum single charset, const char *in, size_t len, struct buf *out)
{
    size_t before = out->len;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)in[i];
        uint32_t code = c;

        if (c >= 0x80 && charset == ASCII) {
            out->len = before;
            return false;
        }
        if (charset == LATIN9)
            code = latin9(c);
        else if (charset == WINDOWS1252 && c >= 0x80 && c < 0xa0)
            code = windows1252[c - 0x80];
        utf8_encode(out, code);
    }
    return true;
}

/* Beginnings of the names that iconv is asked for. */
static bool iconv_may(const char *charset)
{
    static const char *const known[] = {
        "iso-8859-", "windows-125", "cp125",     "koi8-",     "gb2312",      "gbk",       "gb18030",
        "big5",      "euc-jp",      "euc-kr",    "shift_jis", "iso-2022-jp", "ks_c_5601", "tis-620",
        "ibm850",    "cp850",       "macintosh", "utf-16",    "utf-32",      "utf-7",     "unicode-1-1-utf-7",
    };
    size_t len = strlen(charset);

    if (len > 24 ||
        strspn(charset, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != len)
        return false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strncasecmp(charset, known[i], strlen(known[i])) == 0)
            return true;
    return false;
}

/* All of it, or nothing. */
static bool convert(const char *to_charset, const char *from_charset, const char *in, size_t len,
                    struct buf *out)
{
    iconv_t cd = iconv_open(to_charset, from_charset);
    size_t room = len * 4 + 16, left = len;
    char *copy, *result, *from, *to;
    bool good;

    if (cd == (iconv_t)-1)
        return false;
    copy = mem_dup(in, len); /* iconv(3) wants char ** */
    result = mem_alloc(room);
    from = copy;
    to = result;
    good =
        iconv(cd, &from, &left, &to, &room) != (size_t)-1 && iconv(cd, NULL, NULL, &to, &room) != (size_t)-1;
    if (good)
        buf_add(out, result, (size_t)(to - result));
    iconv_close(cd);
    free(copy);
    free(result);
    return good;
}

static bool from_iconv(const char *charset, const char *in, size_t len, struct buf *out)
{
    size_t before = out->len;
    bool good = iconv_may(charset) && convert("UTF-8", charset, in, len, out);

    if (good && !utf8_valid(buf_text(out) + before, out->len - before)) {
        out->len = before;
        good = false;
    }
    return good;
}

bool charset_to_utf8(const char *charset, const char *in, size_t len, struct buf *out)
{
    static const struct {
        const char *name;
        enum single charset;
    } singles[] = {
        {"us-ascii", ASCII},     {"ascii", ASCII},        {"iso-8859-1", LATIN1},
        {"latin1", LATIN1},      {"iso-8859-15", LATIN9}, {"windows-1252", WINDOWS1252},
        {"cp1252", WINDOWS1252},
    };

    if (strcasecmp(charset, "utf-8") == 0 || strcasecmp(charset, "utf8") == 0) {
        if (utf8_valid(in, len))
            buf_add(out, in, len);
        return utf8_valid(in, len);
    }
    for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
        if (strcasecmp(charset, singles[i].name) == 0)
            return from_single(singles[i].charset, in, len, out);
    return from_iconv(charset, in, len, out);
}

bool charset_from_utf8(const char *charset, const char *in, size_t len, struct buf *out)
{
    if (strcasecmp(charset, "utf-8") == 0 || strcasecmp(charset, "utf8") == 0) {
        buf_add(out, in, len);
        return true;
    }
    return (iconv_may(charset) || strcasecmp(charset, "latin1") == 0) &&
           convert(charset, "UTF-8", in, len, out);
}

void charset_guess(const char *in, size_t len, struct buf *out)
{
    if (utf8_valid(in, len))
        buf_add(out, in, len);
    else
        from_single(WINDOWS1252, in, len, out);
}
