#include "mail/punycode.h"

enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 0x80 };

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > ((BASE - TMIN) * TMAX) / 2; k += BASE)
        delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static void put_digit(struct buf *out, uint32_t digit)
{
    buf_add_char(out, (char)(digit < 26 ? 'a' + digit : '0' + (digit - 26)));
}

/* A delta as a generalised variable-length integer (RFC 3492 3.3). */
static void put_delta(struct buf *out, uint32_t delta, uint32_t bias)
{
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;

        if (delta < t)
            break;
        put_digit(out, t + (delta - t) % (BASE - t));
        delta = (delta - t) / (BASE - t);
    }
    put_digit(out, delta);
}

static uint32_t smallest_from(const uint32_t *codes, size_t count, uint32_t n)
{
    uint32_t smallest = UINT32_MAX;

    for (size_t i = 0; i < count; i++)
        if (codes[i] >= n && codes[i] < smallest)
            smallest = codes[i];
    return smallest;
}

/* No delta overflows: at most 63 code points below 0x110000, so delta stays under 64 * 0x110000. */
bool punycode_encode(const uint32_t *codes, size_t count, struct buf *out)
{
    uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS;
    uint32_t basic = 0, handled;

    if (count > PUNYCODE_LABEL_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        if (codes[i] < INITIAL_N) {
            buf_add_char(out, (char)codes[i]);
            basic++;
        }
    if (basic > 0)
        buf_add_char(out, '-');
    for (handled = basic; handled < count; delta++, n++) {
        uint32_t next = smallest_from(codes, count, n);

        delta += (next - n) * (handled + 1);
        n = next;
        for (size_t i = 0; i < count; i++) {
            if (codes[i] < n)
                delta++;
            if (codes[i] != n)
                continue;
            put_delta(out, delta, bias);
            bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled++;
        }
    }
    return true;
}
