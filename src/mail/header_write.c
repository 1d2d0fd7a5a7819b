/* Writing one header field: folding (RFC 5322 2.2.3) and encoded words (RFC 2047). */
#include <string.h>

#include "mail/header.h"
#include "mail/utf8.h"

#define LINE_WISH 78 /* columns, RFC 5322 2.1.1 */
#define WORD_MAX  75 /* octets of one encoded word, RFC 2047 2 */
#define PLAIN_MAX                                                                                            \
    500 /* octets of one word without blanks that still go out as they are: lines must stay below 998 */
#define WORD_START "=?UTF-8?Q?"

struct folder {
    struct buf *out;
    const char *eol;
    size_t column;
    bool first; /* nothing but "Name:" on the line yet */
};

/* The value with control characters and octets that are no UTF-8 replaced. */
static void clean_value(const char *value, struct buf *out)
{
    size_t len = strlen(value), took;
    uint32_t code;

    for (; len > 0; value += took, len -= took) {
        took = utf8_decode(value, len, &code);
        if (took == 0 || code < ' ' || (code >= 0x7f && code < 0xa0)) {
            buf_add_char(out, took == 1 && code == '\t' ? ' ' : '?');
            took = took == 0 ? 1 : took;
        } else {
            buf_add(out, value, took);
        }
    }
}

/* What looks like an encoded word, at the start of a word or inside, would be decoded by readers once more.
 */
static bool needs_coding(const char *word, size_t len)
{
    if (len > PLAIN_MAX || memmem(word, len, "=?", 2) != NULL)
        return true;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)word[i] >= 0x80)
            return true;
    return false;
}

/* Begins a new line before something of `len` columns if it does not fit; a blank stands before it either
 * way. */
static void fold(struct folder *f, size_t len)
{
    if (!f->first && f->column + 1 + len > LINE_WISH) {
        buf_add_text(f->out, f->eol);
        f->column = 0;
    }
    f->first = false;
    buf_add_char(f->out, ' ');
    f->column += 1 + len;
}

static bool is_safe(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!*+-/", c) != NULL);
}

/* Writes text as encoded words, never cutting a character. */
static void put_coded(struct folder *f, const char *text, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    char word[WORD_MAX + 1];
    size_t used = 0, took;
    uint32_t code;

    for (; len > 0; text += took, len -= took) {
        took = utf8_decode(text, len, &code);
        took = took == 0 ? 1 : took;
        if (used > 0 && used + took * 3 > WORD_MAX - strlen(WORD_START) - 2) {
            fold(f, strlen(WORD_START) + used + 2);
            buf_printf(f->out, "%s%.*s?=", WORD_START, (int)used, word);
            used = 0;
        }
        for (size_t i = 0; i < took; i++) {
            unsigned char c = (unsigned char)text[i];

            if (is_safe(c)) {
                word[used++] = (char)c;
            } else if (c == ' ') {
                word[used++] = '_';
            } else {
                word[used++] = '=';
                word[used++] = hex[c >> 4];
                word[used++] = hex[c & 15];
            }
        }
    }
    fold(f, strlen(WORD_START) + used + 2);
    buf_printf(f->out, "%s%.*s?=", WORD_START, (int)used, word);
}

static size_t word_length(const char *p)
{
    return strcspn(p, " ");
}

/* The run of words from `p` that need coding, with the blanks between them: blanks between encoded words
 * vanish when read. */
static size_t coded_run(const char *p)
{
    size_t run = word_length(p);

    for (;;) {
        size_t blanks = strspn(p + run, " ");
        size_t next = word_length(p + run + blanks);

        if (next == 0 || !needs_coding(p + run + blanks, next))
            return run;
        run += blanks + next;
    }
}

void header_write(struct buf *out, const char *name, const char *utf8_value, const char *eol)
{
    struct folder f = {.out = out, .eol = eol, .first = true};
    struct buf value = {0};
    size_t len;

    clean_value(utf8_value, &value);
    buf_printf(out, "%s:", name);
    f.column = strlen(name) + 1;
    for (const char *p = buf_text(&value); *(p += strspn(p, " ")) != '\0'; p += len) {
        len = word_length(p);
        if (needs_coding(p, len)) {
            len = coded_run(p);
            put_coded(&f, p, len);
        } else {
            fold(&f, len);
            buf_add(out, p, len);
        }
    }
    buf_add_text(out, eol);
    buf_free(&value);
}
