#include "rules/idn.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/punycode.h"
#include "mail/utf8.h"
#include "util/buf.h"

/* RFC 3492 section 5. */
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 128 };

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    uint32_t k = 0;
    for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
        delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t digit_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a');
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 26;
    return BASE;
}

/* One generalised variable-length integer added to `i`. */
static bool read_delta(const char **at, const char *end, uint32_t bias, uint32_t *i)
{
    uint32_t weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
        if (*at == end)
            return false;
        uint32_t digit = digit_of(*(*at)++);
        if (digit >= BASE || digit > (UINT32_MAX - *i) / weight)
            return false;
        *i += digit * weight;
        uint32_t threshold = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
        if (digit < threshold)
            return true;
        if (weight > UINT32_MAX / (BASE - threshold))
            return false;
        weight *= BASE - threshold;
    }
}

/* Decodes a label without its "xn--". */
static bool decode_label(const char *label, size_t len, struct buf *out)
{
    uint32_t points[PUNYCODE_LABEL_MAX];
    uint32_t count = 0, n = INITIAL_N, i = 0, bias = INITIAL_BIAS;
    const char *at = label, *end = label + len;
    if (len > PUNYCODE_LABEL_MAX)
        return false;
    const char *dash = memrchr(label, '-', len);
    for (; dash && at < dash; at++)
        points[count++] = (unsigned char)*at;
    if (dash)
        at++;
    while (at < end) {
        uint32_t before = i;
        if (count == PUNYCODE_LABEL_MAX || !read_delta(&at, end, bias, &i))
            return false;
        bias = adapt(i - before, count + 1, before == 0);
        if (i / (count + 1) > 0x10ffff - n)
            return false;
        n += i / (count + 1);
        i %= count + 1;
        if (n >= 0xd800 && n <= 0xdfff)
            return false;
        memmove(points + i + 1, points + i, (count - i) * sizeof *points);
        points[i++] = n;
        count++;
    }
    for (uint32_t k = 0; k < count; k++)
        utf8_encode(out, points[k]);
    return true;
}

char *idn_domain_unicode(const char *ascii)
{
    struct buf out = {0};
    bool found = false, good = true;
    while (good) {
        size_t len = strcspn(ascii, ".");
        if (len > 4 && memcmp(ascii, "xn--", 4) == 0) {
            found = true;
            good = decode_label(ascii + 4, len - 4, &out);
        } else {
            buf_add(&out, ascii, len);
        }
        if (ascii[len] == '\0')
            break;
        buf_add_char(&out, '.');
        ascii += len + 1;
    }
    if (found && good)
        return buf_take(&out);
    buf_free(&out);
    return NULL;
}
