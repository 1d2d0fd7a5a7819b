#include "incoming/subjecttag.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/glyph.h"
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

#define PASSES  4  /* tags that appear when others are cut out of them */
#define TAG_MAX 60 /* characters of a tag, without blanks; the longest one has 43 */

/* One character of a text, as readers see it; 0 at its end. What is no UTF-8 looks like nothing else. */
static uint32_t look_at(const char *text, size_t *took_r)
{
    uint32_t code;

    *took_r = utf8_decode(text, strnlen(text, 4), &code);
    if (*took_r > 0)
        return code == '\0' ? 0 : glyph_skeleton(code);
    *took_r = *text == '\0' ? 0 : 1;
    return *text == '\0' ? 0 : 0xfffd;
}

/* What the text from a bracket to its counterpart looks like, in whatever case and letters; blanks and marks
   over letters do not count. Returns how many octets it is, 0 when it is no tag of any kind. */
static size_t read_tag(const char *text, uint32_t look[TAG_MAX])
{
    const char *at = text;
    size_t count = 0, took;

    memset(look, 0, TAG_MAX * sizeof(*look));
    while (count < TAG_MAX) {
        look[count] = look_at(at, &took);
        at += took;
        if (look[count] == 0 || (look[count] == '[' && count > 0))
            return 0;
        if (look[count] == ']')
            return (size_t)(at - text);
        count += !glyph_blank(look[count]) && !glyph_mark(look[count]);
    }
    return 0;
}

static bool looks_like(const uint32_t look[TAG_MAX], const char *tag)
{
    uint32_t own[TAG_MAX];

    read_tag(tag, own);
    return memcmp(look, own, sizeof(own)) == 0;
}

/* How many octets of the text look like one of our tags at its beginning; 0: none. */
static size_t tag_length(const char *text)
{
    uint32_t look[TAG_MAX];
    size_t len = read_tag(text, look);

    for (int language = 0; len > 0 && language < LANGUAGES; language++) {
        for (size_t i = 1; i < ROWS(encryption_tags); i++)
            if (looks_like(look, encryption_tags[i][language]))
                return len;
        for (size_t i = 1; i < ROWS(signature_tags); i++)
            if (looks_like(look, signature_tags[i][language]))
                return len;
    }
    return 0;
}

/* Cuts every tag out of `text`, with a blank behind it. Returns whether there was any. */
static bool cut_once(char *text)
{
    char *to = text;
    bool found = false;
    size_t took;

    while (*text != '\0') {
        size_t len = look_at(text, &took) == '[' ? tag_length(text) : 0;

        if (len == 0) {
            memmove(to, text, took);
            to += took;
            text += took;
            continue;
        }
        found = true;
        text += len;
        if (*text == ' ')
            text++;
    }
    *to = '\0';
    return found;
}

static void open_brackets(char *text)
{
    char *to = text;
    size_t took;

    for (; *text != '\0'; text += took) {
        bool bracket = look_at(text, &took) == '[';

        memmove(to, bracket ? "(" : text, bracket ? 1 : took);
        to += bracket ? 1 : took;
    }
    *to = '\0';
}

/* Somebody who nests tags in tags many times over gets no brackets at all. */
static bool cut_all(char *text)
{
    bool found = cut_once(text), again = found;

    for (int pass = 1; again && pass < PASSES; pass++)
        again = cut_once(text);
    if (again)
        open_brackets(text);
    return found;
}

/* A tag with an invisible character inside looks like a tag. */
static void add_visible(struct buf *out, const char *text)
{
    size_t took;
    uint32_t code;

    for (size_t len = strlen(text); len > 0; text += took, len -= took) {
        took = utf8_decode(text, len, &code);
        if (took == 0 || !glyph_invisible(code))
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
