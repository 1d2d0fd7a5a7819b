#include "tests/fuzz/mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/base64.h"
#include "util/mem.h"

#define STEPS_MAX  6  /* changes of one input */
#define REPEAT_MAX 60 /* times that a piece is repeated */

void mutate_add_seed(struct mutate *mutate, const char *file, struct buf *octets)
{
    struct mutate_seed *seed = mem_push(&mutate->seeds, &mutate->seed_count, sizeof(*seed));

    seed->file = mem_strdup(file);
    seed->octets = *octets;
    *octets = (struct buf){0};
    buf_add(&seed->octets, "", 0);
}

void mutate_free(struct mutate *mutate)
{
    for (size_t i = 0; i < mutate->seed_count; i++) {
        free(mutate->seeds[i].file);
        buf_free(&mutate->seeds[i].octets);
    }
    for (size_t i = 0; i < mutate->word_count; i++)
        buf_free(&mutate->words[i]);
    free(mutate->seeds);
    free(mutate->words);
    buf_free(&mutate->out);
}

/* ---- the dictionary ---- */

static bool take_word(const char *text, struct buf *word)
{
    for (; *text != '"'; text++) {
        char digits[3] = "";

        if (*text == '\0')
            return false;
        if (*text != '\\') {
            buf_add_char(word, *text);
            continue;
        }
        text++;
        if (*text == 'x') {
            memcpy(digits, text + 1, strnlen(text + 1, 2));
            if (!hex_decode_buf(word, digits) || digits[0] == '\0')
                return false;
            text += 2;
        } else if (*text == '\\' || *text == '"') {
            buf_add_char(word, *text);
        } else {
            return false;
        }
    }
    return word->len > 0;
}

bool mutate_read_dict(struct mutate *mutate, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[4096];
    bool good = file != NULL;

    while (good && fgets(line, sizeof(line), file) != NULL) {
        const char *quote = strchr(line, '"');

        if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
            continue;
        good = quote != NULL &&
               take_word(quote + 1, mem_push(&mutate->words, &mutate->word_count, sizeof(*mutate->words)));
    }
    if (file != NULL)
        fclose(file);
    return good;
}

/* ---- chance ---- */

/* splitmix64 */
static uint64_t next_number(struct mutate *m)
{
    uint64_t z = m->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(struct mutate *m, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(next_number(m) % limit);
}

/* ---- changes ---- */

static void insert(struct mutate *m, size_t at, const void *data, size_t len)
{
    struct buf rest = {0};

    buf_add(&rest, m->out.data + at, m->out.len - at);
    m->out.len = at;
    buf_add(&m->out, data, len);
    buf_add(&m->out, rest.data, rest.len);
    buf_free(&rest);
}

static void cut(struct mutate *m, size_t at, size_t len)
{
    memmove(m->out.data + at, m->out.data + at + len, m->out.len - at - len);
    m->out.len -= len;
}

/* Any octets, or many of one, or a word. */
static void insert_some(struct mutate *m)
{
    char octets[16];
    size_t len = 1 + below(m, sizeof(octets)), at = below(m, m->out.len + 1);

    if (m->word_count > 0 && below(m, 4) != 0) {
        const struct buf *word = &m->words[below(m, m->word_count)];

        insert(m, at, word->data, word->len);
        return;
    }
    for (size_t i = 0; i < len; i++)
        octets[i] = (char)next_number(m);
    insert(m, at, octets, len);
}

static void replace_by_word(struct mutate *m)
{
    const struct buf *word = m->word_count > 0 ? &m->words[below(m, m->word_count)] : NULL;
    size_t at = below(m, m->out.len + 1);

    if (word == NULL)
        return;
    cut(m, at, word->len < m->out.len - at ? word->len : m->out.len - at);
    insert(m, at, word->data, word->len);
}

static void change_octet(struct mutate *m)
{
    static const unsigned char telling[] = {0,   '\t', '\n', '\r', ' ', '"', '(',  ')',  '-',  ':',
                                            ';', '<',  '=',  '>',  '?', '@', '\\', 0x7f, 0x80, 0xff};
    size_t at = below(m, m->out.len);

    if (m->out.len == 0)
        return;
    switch (below(m, 3)) {
    case 0:
        m->out.data[at] = (char)(m->out.data[at] ^ (1 << below(m, 8)));
        break;
    case 1:
        m->out.data[at] = (char)telling[below(m, sizeof(telling))];
        break;
    default:
        m->out.data[at] = (char)(m->out.data[at] + (char)below(m, 9) - 4);
    }
}

static void cut_some(struct mutate *m)
{
    size_t at = below(m, m->out.len), len = 1 + below(m, 1 + below(m, m->out.len));

    if (m->out.len > 0)
        cut(m, at, len < m->out.len - at ? len : m->out.len - at);
}

/* A piece of it again, once or many times, there or elsewhere. */
static void repeat_some(struct mutate *m)
{
    size_t at = below(m, m->out.len), len = 1 + below(m, 1 + below(m, m->out.len - at));
    size_t times = below(m, 4) == 0 ? 1 + below(m, REPEAT_MAX) : 1;
    struct buf piece = {0};

    if (m->out.len == 0)
        return;
    len = len < m->out.len - at ? len : m->out.len - at;
    for (; times > 0 && piece.len < m->max_len; times--)
        buf_add(&piece, m->out.data + at, len);
    insert(m, below(m, m->out.len + 1), piece.data, piece.len);
    buf_free(&piece);
}

/* A piece of another seed, put in or put in place. */
static void cross(struct mutate *m)
{
    const struct buf *other = &m->seeds[below(m, m->seed_count)].octets;
    size_t from = below(m, other->len), len = 1 + below(m, other->len - from);
    size_t at = below(m, m->out.len + 1);

    if (other->len == 0)
        return;
    len = len < other->len - from ? len : other->len - from;
    if (below(m, 2) == 0)
        cut(m, at, len < m->out.len - at ? len : m->out.len - at);
    insert(m, at, other->data + from, len);
}

static void change(struct mutate *m)
{
    static void (*const changes[])(struct mutate * m) = {
        change_octet, change_octet, insert_some, insert_some, replace_by_word, cut_some, repeat_some, cross};

    changes[below(m, sizeof(changes) / sizeof(changes[0]))](m);
    if (m->out.len > m->max_len)
        m->out.len = m->max_len;
}

void mutate_begin(struct mutate *mutate, uint64_t number, size_t max_len)
{
    struct buf empty = {0};

    mutate->state = number;
    mutate->max_len = max_len;
    if (mutate->seed_count == 0)
        mutate_add_seed(mutate, "nothing", &empty);
}

const struct mutate_seed *mutate_next(struct mutate *mutate)
{
    const struct mutate_seed *seed = &mutate->seeds[below(mutate, mutate->seed_count)];
    size_t steps = 1 + below(mutate, STEPS_MAX);

    buf_clear(&mutate->out);
    buf_add(&mutate->out, seed->octets.data,
            seed->octets.len < mutate->max_len ? seed->octets.len : mutate->max_len);
    while (steps-- > 0)
        change(mutate);
    return seed;
}
