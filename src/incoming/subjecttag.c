#include "incoming/subjecttag.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/utf8.h"
#include "util/buf.h"

enum { ENGLISH, GERMAN, LANGUAGES };

static const char *const encryption_tags[][LANGUAGES] = {
    {NULL, NULL},
    {"[encrypted]", "[verschl\303\274sselt]"},
    {"[encrypted, integrity not protected]",
     "[verschl\303\274sselt, nicht gegen \303\204nderung gesch\303\274tzt]"},
    {"[cannot be decrypted]", "[nicht entschl\303\274sselbar]"},
    {"[S/MIME not supported]", "[S/MIME nicht unterst\303\274tzt]"},
};

static const char *const signature_tags[][LANGUAGES] = {
    {NULL, NULL},
    {"[signed]", "[signiert]"},
    {"[signed by another address]", "[signiert von anderer Adresse]"},
    {"[SIGNATURE INVALID]", "[SIGNATUR UNG\303\234LTIG]"},
    {"[signature not trusted]", "[Signatur nicht vertrauensw\303\274rdig]"},
    {"[signature revoked]", "[Signatur widerrufen]"},
    {"[signature expired]", "[Signatur abgelaufen]"},
    {"[signature not checked]", "[Signatur nicht gepr\303\274ft]"},
    {"[signature not supported]", "[Signatur nicht unterst\303\274tzt]"},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define UTF8_MAX 4 /* octets of a character */
#define PASSES   4 /* tags that appear when others are cut out of them */

/* Does the text begin with this one? Case does not matter, of umlauts either. */
static bool begins(const char *text, const char *with)
{
    size_t took = 1, wants = 1;
    uint32_t a = 0, b = 0;

    for (; *with != '\0'; text += took, with += wants) {
        if (*text == *with && (unsigned char)*with < 0x80) {
            took = wants = 1;
            continue;
        }
        took = utf8_decode(text, strnlen(text, UTF8_MAX), &a);
        wants = utf8_decode(with, strnlen(with, UTF8_MAX), &b);
        if (took == 0 || wants == 0 || utf8_lower(a) != utf8_lower(b))
            return false;
    }
    return true;
}

static const char *any_tag(const char *at)
{
    for (int language = 0; language < LANGUAGES; language++) {
        for (size_t i = 1; i < ROWS(encryption_tags); i++)
            if (begins(at, encryption_tags[i][language]))
                return encryption_tags[i][language];
        for (size_t i = 1; i < ROWS(signature_tags); i++)
            if (begins(at, signature_tags[i][language]))
                return signature_tags[i][language];
    }
    return NULL;
}

/* Cuts every tag out of `text`, with a blank behind it. Returns whether there was any. */
static bool cut_once(char *text)
{
    char *to = text;
    bool found = false;

    while (*text != '\0') {
        const char *tag = *text == '[' ? any_tag(text) : NULL;

        if (tag == NULL) {
            *to++ = *text++;
            continue;
        }
        found = true;
        text += strlen(tag);
        if (*text == ' ')
            text++;
    }
    *to = '\0';
    return found;
}

/* Somebody who nests tags in tags many times over gets none at all. */
static bool cut_all(char *text)
{
    bool found = cut_once(text), again = found;

    for (int pass = 1; again && pass < PASSES; pass++)
        again = cut_once(text);
    for (char *p = text; again && *p != '\0'; p++)
        if (*p == '[')
            *p = '(';
    return found;
}

/* Soft hyphen, zero-width and directional characters, controls: a tag with one of them inside looks like a
 * tag. */
static bool is_invisible(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},     {0x34f, 0x34f},
                  {0x61c, 0x61c},   {0x180b, 0x180e}, {0x200b, 0x200f}, {0x202a, 0x202e},
                  {0x2060, 0x206f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xe0000, 0xe0fff}};

    for (size_t i = 0; i < ROWS(ranges); i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

static void add_visible(struct buf *out, const char *text)
{
    size_t took;
    uint32_t code;

    for (size_t len = strlen(text); len > 0; text += took, len -= took) {
        took = utf8_decode(text, len, &code);
        if (took == 0 || !is_invisible(code))
            buf_add(out, text, took == 0 ? 1 : took);
        took = took == 0 ? 1 : took;
    }
}

/* The Subject without tags; as it is when it has none. Returns whether it had any. */
static bool strip_tags(const char *subject, struct buf *out)
{
    add_visible(out, subject);
    if (out->len > 0 && cut_all(out->data)) {
        out->len = strlen(out->data);
        return true;
    }
    buf_clear(out);
    buf_add_text(out, subject);
    return false;
}

char *subjecttag_apply(const char *subject, const struct status *status, const char *language)
{
    int which = language != NULL && strncasecmp(language, "de", 2) == 0 ? GERMAN : ENGLISH;
    const char *encryption = encryption_tags[status->encryption][which];
    const char *signature = signature_tags[status->signature][which];
    struct buf out = {0}, text = {0};
    bool changed;

    changed = strip_tags(subject, &text);
    if (encryption != NULL)
        buf_printf(&out, "%s ", encryption);
    if (signature != NULL)
        buf_printf(&out, "%s ", signature);
    changed = changed || out.len > 0;
    buf_add_text(&out, buf_text(&text));
    buf_free(&text);
    if (!changed) {
        buf_free(&out);
        return NULL;
    }
    return buf_take(&out);
}
