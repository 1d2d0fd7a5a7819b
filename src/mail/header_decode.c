/* Encoded words (RFC 2047) to UTF-8. */
#include <stdlib.h>
#include <string.h>

#include "mail/charset.h"
#include "mail/header.h"
#include "util/base64.h"
#include "util/mem.h"

/* "=?charset?encoding?text?=" taken apart; all borrowed. */
struct word {
    const char *charset, *text;
    size_t charset_len, text_len, len; /* len: the whole word */
    char encoding;                     /* 'q' or 'b' */
};

static bool find_word(const char *p, struct word *w)
{
    const char *start = p, *mark;

    if (strncmp(p, "=?", 2) != 0)
        return false;
    w->charset = p + 2;
    w->charset_len = strcspn(w->charset, "? \t\r\n");
    mark = w->charset + w->charset_len;
    if (*mark != '?' || w->charset_len == 0)
        return false;
    w->encoding = (char)(mark[1] | 0x20);
    if ((w->encoding != 'q' && w->encoding != 'b') || mark[2] != '?')
        return false;
    w->text = mark + 3;
    w->text_len = strcspn(w->text, "?"); /* blanks inside are wrong, but common with 'Q' */
    if (strncmp(w->text + w->text_len, "?=", 2) != 0)
        return false;
    w->len = (size_t)(w->text + w->text_len + 2 - start);
    return true;
}

static void decode_q(const char *text, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '=' && i + 2 < len && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            buf_add_char(out, (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
            i += 2;
        } else {
            buf_add_char(out, text[i] == '_' ? ' ' : text[i]);
        }
    }
}

/* Some writers cut base64 anywhere between words; padding ends it, the next word then begins anew. */
static void decode_b(struct base64_decoder *decoder, const char *text, size_t len, struct buf *out)
{
    unsigned char *octets = mem_alloc(len + 1);
    size_t n;

    if (decoder->padded)
        memset(decoder, 0, sizeof(*decoder));
    n = base64_decode_update(decoder, text, len, octets);
    buf_add(out, octets, n);
    free(octets);
}

/* The charset without the language of RFC 2231 5. */
static char *word_charset(const struct word *w)
{
    char *charset = mem_strndup(w->charset, w->charset_len);
    char *star = strchr(charset, '*');

    if (star != NULL)
        *star = '\0';
    return charset;
}

static bool same_coding(const struct word *a, const struct word *b)
{
    return a->encoding == b->encoding && a->charset_len == b->charset_len &&
           strncmp(a->charset, b->charset, a->charset_len) == 0;
}

static size_t count_blanks(const char *p)
{
    return strspn(p, " \t\r\n");
}

/* Decodes the run of words of one charset that begins at `p`, at most `words` of them: some writers split
   characters between words. used_r: its octets. False, and nothing appended, when it cannot be decoded and
   must not be guessed. */
static bool take_run(const char *p, const struct word *first, size_t words, bool guess, struct buf *out,
                     size_t *used_r)
{
    struct buf octets = {0};
    struct word w = *first;
    struct base64_decoder base64 = {0};
    char *charset = word_charset(first);
    size_t gap = 0;
    bool good;

    *used_r = 0;
    do {
        if (w.encoding == 'q')
            decode_q(w.text, w.text_len, &octets);
        else
            decode_b(&base64, w.text, w.text_len, &octets);
        *used_r += gap + w.len;
        gap = count_blanks(p + *used_r);
    } while (--words > 0 && find_word(p + *used_r + gap, &w) && same_coding(first, &w));
    good = charset_to_utf8(charset, buf_text(&octets), octets.len, out);
    if (!good && guess) {
        charset_guess(buf_text(&octets), octets.len, out);
        good = true;
    }
    free(charset);
    buf_free(&octets);
    return good;
}

/* Decodes the words at `p`; returns how many octets of it were used, 0 when there are none or they cannot be
   decoded. Of a run that cannot, each word is tried alone: up to *alone, behind the words that are known to
   be in such a run. */
static size_t take_words(const char *p, const char **alone, bool guess, struct buf *out)
{
    struct word w;
    size_t used;

    if (!find_word(p, &w))
        return 0;
    if (p >= *alone) {
        if (take_run(p, &w, SIZE_MAX, guess, out, &used))
            return used;
        *alone = p + used;
    }
    return take_run(p, &w, 1, guess, out, &used) ? used : 0;
}

static char *decode(const char *value, bool guess)
{
    struct buf plain = {0}, out = {0};
    struct word w;
    size_t used, len;
    bool after_word = false;
    const char *alone;

    charset_guess(value, strlen(value), &plain);
    alone = buf_text(&plain);
    for (const char *p = alone; *p != '\0';) {
        size_t blanks = count_blanks(p);
        size_t before = out.len;

        if (!(after_word && find_word(p + blanks, &w))) /* blanks between two encoded words are not shown */
            buf_add(&out, p, blanks);
        p += blanks;
        used = take_words(p, &alone, guess, &out);
        after_word = used > 0;
        if (used == 0) {
            if (out.len == before && blanks > 0) /* it was no word after all */
                buf_add(&out, p - blanks, blanks);
            len = *p == '\0' ? 0 : 1 + strcspn(p + 1, "= \t\r\n");
            buf_add(&out, p, len);
            used = len;
        }
        p += used;
    }
    buf_free(&plain);
    for (size_t i = 0; i < out.len; i++) /* encoded controls: a decoded value stays one line of text */
        if ((unsigned char)out.data[i] < ' ' && out.data[i] != '\t')
            out.data[i] = ' ';
    return buf_take(&out);
}

char *header_decode(const char *value)
{
    return decode(value, false);
}

char *header_decode_guess(const char *value)
{
    return decode(value, true);
}

char *header_text(const struct header *header, size_t index)
{
    char *value = header_value(header, index), *text = header_decode(value), *to = text;
    bool gap = false;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == ' ' || *p == '\t') {
            gap = to > text;
            continue;
        }
        if (gap)
            *to++ = ' ';
        gap = false;
        *to++ = *p;
    }
    *to = '\0';
    free(value);
    return text;
}
